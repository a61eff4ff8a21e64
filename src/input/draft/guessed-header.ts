import type { Job } from '../../core/job.ts';
import type { Table } from '../../core/row.ts';
import { nameByPlace } from '../table/csv-header.ts';
import { isAsWritten } from './seal.ts';

/** What a drafted job guesses about the first line of its table, as a sentence; null if it guesses nothing, or if a person has edited the job since. */
export function describeGuessedHeader(
  { text, input }: Pick<Job, 'text' | 'input'>,
  { columns }: Pick<Table, 'columns'>,
  table: string,
): string | null {
  if (!isAsWritten(text)) return null;
  if (input.hasHeader === true && input.columns === null) return `in ${table}, ${describeLoneHeader(columns[0] ?? '')}`;
  if (input.columns === null || !input.columns.every((name, index) => name === nameByPlace(index))) return null;
  const names = columns.length === 1 ? columns[0] : `${columns[0]} to ${columns.at(-1)}`;
  return `the first line of ${table} looks like a row, so it is sent like one, and the columns are called ${names}; if it is the header, remove input.columns from the job, which init writes without running it`;
}

/** That the name of a single column may be its first row, and what to do then. */
export function describeLoneHeader(name: string): string {
  return `the first line, ${JSON.stringify(name)}, is taken for the name of the column and not sent; if it is a row, set input.header: false in the job, which init writes without running it, and {{ ${nameByPlace(0)} }} in its prompt`;
}
