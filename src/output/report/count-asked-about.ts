import type { Summary } from '../../core/summary.ts';

/** Rows that match `input.where`. They are the full width of every bar that counts rows. */
export function countAskedAbout({ rows, causes }: Pick<Summary, 'rows' | 'causes'>): number {
  return rows.in - (causes.where ?? 0);
}
