/**
 * Distributes a sample over strata in proportion to their sizes, with at least one row of each if the sample is large enough.
 * No stratum gives more rows than it has; the total is `rows`, or all rows there are.
 */
export function allocateSample(rows: number, sizes: readonly number[]): readonly number[] {
  const total = sizes.reduce((sum, size) => sum + size, 0);
  const wanted = Math.min(rows, total);
  const shares = sizes.map((size) => (wanted * size) / total);
  const taken = sizes.map((size) => (wanted >= sizes.length ? Math.min(1, size) : 0));
  for (let left = wanted - taken.reduce((sum, count) => sum + count, 0); left > 0; left -= 1) {
    let best = -1;
    for (const [index, size] of sizes.entries()) {
      if ((taken[index] as number) >= size) continue;
      if (best === -1 || lacks(shares, taken, index) > lacks(shares, taken, best)) best = index;
    }
    taken[best] = (taken[best] as number) + 1;
  }
  return taken;
}

function lacks(shares: readonly number[], taken: readonly number[], index: number): number {
  return (shares[index] as number) - (taken[index] as number);
}
