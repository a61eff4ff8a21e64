import { computeErfc } from './mcnemar.ts';

/** Pearson's test of whether two sets of counts come from the same distribution. */
export interface ChiSquared {
  readonly statistic: number;
  readonly degreesOfFreedom: number;
  readonly pValue: number;
  /** Cramér's V, 0..1: how large the difference is, independent of the number of rows. */
  readonly cramersV: number;
}

/** Cells with a lower expected count are pooled: below that the distribution is not chi-squared (Cochran's rule). */
const MIN_EXPECTED = 5;

/** @param a counts by value @param b counts of the same values, in the same order @returns null if the counts are too small for a test */
export function testChiSquared(a: readonly number[], b: readonly number[]): ChiSquared | null {
  const [allA, allB] = [sum(a), sum(b)];
  const total = allA + allB;
  if (allA === 0 || allB === 0) return null;
  const expectedLess = (column: number) => (((a[column] ?? 0) + (b[column] ?? 0)) * Math.min(allA, allB)) / total;
  const columns = a.map((_, column) => column);
  const kept = columns.filter((column) => expectedLess(column) >= MIN_EXPECTED);
  const few = columns.filter((column) => expectedLess(column) < MIN_EXPECTED);
  const cells = [...kept.map((column) => [column]), ...(few.length === 0 ? [] : [few])].map((group) => [
    sum(group.map((column) => a[column] ?? 0)),
    sum(group.map((column) => b[column] ?? 0)),
  ]) as readonly (readonly [number, number])[];
  const full = cells.filter(([inA, inB]) => ((inA + inB) * Math.min(allA, allB)) / total >= MIN_EXPECTED);
  if (full.length < 2) return null;
  let statistic = 0;
  for (const [inA, inB] of full) {
    for (const [count, all] of [
      [inA, allA],
      [inB, allB],
    ] as const) {
      const expected = ((inA + inB) * all) / total;
      statistic += (count - expected) ** 2 / expected;
    }
  }
  const degreesOfFreedom = full.length - 1;
  return { statistic, degreesOfFreedom, pValue: computeUpperTail(statistic, degreesOfFreedom), cramersV: Math.sqrt(statistic / total) };
}

/** The probability of a larger value of a chi-squared variable: a finite sum for whole degrees of freedom (Abramowitz and Stegun 26.4.4 and 26.4.5). */
function computeUpperTail(statistic: number, degreesOfFreedom: number): number {
  const half = statistic / 2;
  const isOdd = degreesOfFreedom % 2 === 1;
  let tail = isOdd ? computeErfc(Math.sqrt(half)) : 0;
  let term = isOdd ? (Math.exp(-half) * Math.sqrt(half)) / (Math.sqrt(Math.PI) / 2) : Math.exp(-half);
  for (let n = isOdd ? 1.5 : 1; n <= degreesOfFreedom / 2; n += 1) {
    tail += term;
    term *= half / n;
  }
  return Math.min(1, tail);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
