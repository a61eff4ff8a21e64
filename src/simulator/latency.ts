import { hashFraction } from './hash.ts';
import type { Latency } from './options.ts';

const DEFAULT_SIGMA = 0.5;

/** Draws the duration of each call: a constant, or log-normal around its median, by seed and number of the call. */
export function createLatency(latency: Latency, seed: number): () => number {
  if (typeof latency === 'number') return () => latency;
  let calls = 0;
  return () => {
    calls += 1;
    // Two even draws make a normal one (Box-Muller).
    const radius = Math.sqrt(-2 * Math.log(1 - hashFraction(seed, 'latency', calls, 0)));
    const normal = radius * Math.cos(2 * Math.PI * hashFraction(seed, 'latency', calls, 1));
    return Math.round(latency.p50Ms * Math.exp(normal * (latency.sigma ?? DEFAULT_SIGMA)));
  };
}
