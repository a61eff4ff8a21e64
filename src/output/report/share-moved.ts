import type { FieldFacts } from './facts.ts';

/** A run of fewer answers than this share of today's was of other rows, such as those of a pilot. */
const LEAST_SHARE = 0.5;

/** By how much the shares of a field's values have shifted since the previous run: at least so many answers are others. Null without one that can be compared. */
export function shareMoved({ values, previousRun }: FieldFacts): number | null {
  const total = sumOf(values.map(({ rows }) => rows));
  const previousTotal = sumOf(values.map(({ previousRows }) => previousRows ?? 0));
  if (previousRun === null || total === 0 || previousTotal < total * LEAST_SHARE) return null;
  return sumOf(values.map(({ rows, previousRows }) => Math.abs(rows / total - (previousRows ?? 0) / previousTotal))) / 2;
}

function sumOf(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0);
}
