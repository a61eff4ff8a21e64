import type { FieldFacts } from './facts.ts';

/** The share of a field's answers that have moved to another value since the previous run; null without one. */
export function shareMoved({ values, previousRun }: FieldFacts): number | null {
  const total = sumOf(values.map(({ rows }) => rows));
  const previousTotal = sumOf(values.map(({ previousRows }) => previousRows ?? 0));
  if (previousRun === null || previousTotal === 0 || total === 0) return null;
  return sumOf(values.map(({ rows, previousRows }) => Math.abs(rows / total - (previousRows ?? 0) / previousTotal))) / 2;
}

function sumOf(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0);
}
