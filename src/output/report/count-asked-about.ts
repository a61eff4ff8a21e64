import type { Summary } from '../../core/summary.ts';
import { formatThings } from '../format-numbers.ts';

/** Rows that match `input.where`. They are the full width of every bar that counts rows. */
export function countAskedAbout({ rows, causes }: Pick<Summary, 'rows' | 'causes'>): number {
  return rows.in - (causes.where ?? 0);
}

/** Rows that were never sent because they are empty, where all others have an answer; 0 where something else is missing too. */
export function countEmptyAlone({ rows, causes }: Pick<Summary, 'rows' | 'causes'>): number {
  const { where = 0, empty = 0 } = causes;
  return rows.failed + rows.pending === 0 && rows.skipped - where === empty ? empty : 0;
}

/** How the run ended, in words: rows without anything to ask about are not something that went wrong. */
export function showVerdict(summary: Pick<Summary, 'rows' | 'causes' | 'verdict'>): string {
  const empty = countEmptyAlone(summary);
  return empty === 0 || summary.verdict === 'done' ? summary.verdict : `${formatThings(empty, 'empty row')}, never sent`;
}
