import type { Summary } from '../../core/summary.ts';

/** Rows the job is about: all but those `input.where` leaves out. They are the whole width of every bar that counts rows. */
export function countAskedAbout({ rows, causes }: Pick<Summary, 'rows' | 'causes'>): number {
  return rows.in - (causes.where ?? 0);
}
