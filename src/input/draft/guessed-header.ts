import type { Job } from '../../core/job.ts';
import { nameByPlace } from '../table/csv-header.ts';
import { isAsWritten } from './seal.ts';

/** What a drafted job guesses about the first line of its table, as a sentence; null if that was a header, or if a person has edited the job since. */
export function describeGuessedHeader({ text, input }: Pick<Job, 'text' | 'input'>, table: string): string | null {
  const { columns, hasHeader } = input;
  if (columns === null || hasHeader !== undefined || !isAsWritten(text)) return null;
  if (!columns.every((name, index) => name === nameByPlace(index))) return null;
  const names = columns.length === 1 ? columns[0] : `${columns[0]} to ${columns.at(-1)}`;
  return `the first line of ${table} looks like a row, so it is sent like one, and the columns are called ${names}; if it is the header, remove input.columns from the job, which init writes without running it`;
}
