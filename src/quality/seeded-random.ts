/** Numbers from 0 to 1 (1 excluded), the same for the same seed: Marsaglia's xorshift with 128 bits of state (2003). */
export function createSeededRandom(seed: number): () => number {
  const state = new Uint32Array([seed, seed / 2 ** 32, 0x9e3779b9, 0x243f6a88]);
  const next = (): number => {
    const [x = 0, y = 0, z = 0, w = 0] = state;
    const mixed = x ^ (x << 11);
    state.set([y, z, w, w ^ (w >>> 19) ^ mixed ^ (mixed >>> 8)]);
    return (state[3] as number) / 2 ** 32;
  };
  // Similar seeds start with similar numbers.
  for (let step = 0; step < 32; step += 1) next();
  return next;
}

/** Above this mean a Poisson number is approximately normal. */
const NORMAL_ABOVE = 40;

/** A random number with the Poisson distribution of this mean. */
export function drawPoisson(mean: number, random: () => number): number {
  if (mean > NORMAL_ABOVE) {
    const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
    return Math.max(0, Math.round(mean + Math.sqrt(mean) * normal));
  }
  let probability = Math.exp(-mean);
  let rest = random() - probability;
  let count = 0;
  while (rest >= 0 && probability > 0) {
    count += 1;
    probability *= mean / count;
    rest -= probability;
  }
  return count;
}
