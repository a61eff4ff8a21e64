import type { RunRow } from '../../ledger/runs.ts';

/** The row ids of a run, in eight bytes each: a table of a million rows takes 8 MB. */
export interface KnownRows {
  readonly count: number;
  has(idHash: string): boolean;
}

/** Hex digits an exact integer holds; of a million rows two share them once in ten thousand tables. */
const DIGITS = 13;

export function createKnownRows(rows: Iterable<RunRow>): KnownRows {
  let held = new Float64Array(1024);
  let count = 0;
  for (const { idHash } of rows) {
    if (count === held.length) {
      const larger = new Float64Array(held.length * 2);
      larger.set(held);
      held = larger;
    }
    held[count++] = readHash(idHash);
  }
  const sorted = held.subarray(0, count).sort();
  return {
    count,
    has(idHash) {
      const wanted = readHash(idHash);
      let low = 0;
      let high = count;
      while (low < high) {
        const middle = (low + high) >>> 1;
        if ((sorted[middle] as number) < wanted) low = middle + 1;
        else high = middle;
      }
      return low < count && sorted[low] === wanted;
    },
  };
}

function readHash(idHash: string): number {
  return Number.parseInt(idHash.slice(0, DIGITS), 16);
}
