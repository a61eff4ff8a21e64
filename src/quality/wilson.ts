import type { Interval } from '../core/quality.ts';

/** The 97.5 % quantile of the normal distribution, for a two-sided 95 % interval. */
export const Z_95 = 1.959963984540054;

/** The interval of a proportion: Wilson's score interval without continuity correction, 95 %. Without cases nothing is known: 0 to 1. */
export function makeWilsonInterval(successes: number, cases: number): Interval {
  if (cases === 0) return { low: 0, high: 1 };
  const share = successes / cases;
  const z2 = Z_95 * Z_95;
  const scale = 1 + z2 / cases;
  const centre = (share + z2 / (2 * cases)) / scale;
  const half = (Z_95 * Math.sqrt((share * (1 - share)) / cases + z2 / (4 * cases * cases))) / scale;
  // At the ends the bounds are exact; rounding would leave a remainder beyond them.
  return { low: successes === 0 ? 0 : centre - half, high: successes === cases ? 1 : centre + half };
}
