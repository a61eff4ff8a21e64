import type { RequestGroup, TableFormat } from '../../core/job.ts';
import type { Row, StoredColumn } from '../../core/row.ts';
import type { TableFile } from './read-bytes.ts';

/** The files of a table with the way to read each as UTF-8 text. */
export interface TextFiles {
  readonly files: readonly TableFile[];
  openText(file: TableFile, signal: AbortSignal): AsyncIterable<Buffer>;
}

/** What the reader of one format gives; rows are numbered and cut into chunks here. */
export interface OpenedFormat {
  readonly columns: readonly string[];
  readonly warnings: readonly string[];
  /** What the rows read in the last pass have shown besides; absent where they never show anything. */
  readWarnings?(): readonly string[];
  /** Of a table of requests what it asks; absent for all others. */
  readonly requests?: readonly RequestGroup[];
  /** Rows of the same files in order, their `index` counted from 0 over all of them. */
  readRows(text: TextFiles, signal: AbortSignal): AsyncIterable<readonly Row[]>;
  /** Whether it reads the files here and there, and not through `openText`; absent: no. */
  readonly readsAtRandom?: true;
  /** Whether the names of the files are data, too; absent: no. */
  readonly namesAreData?: true;
  /** As of `Table`. */
  readonly stored?: readonly StoredColumn[];
}

const FORMAT_BY_EXTENSION: Readonly<Record<string, TableFormat>> = {
  csv: 'csv',
  tsv: 'tsv',
  tab: 'tsv',
  jsonl: 'jsonl',
  ndjson: 'jsonl',
  json: 'json',
  parquet: 'parquet',
  xlsx: 'xlsx',
  xlsm: 'xlsx',
};

/** The format a file name tells, `.gz` aside; null when it tells none. */
export function guessFormat(file: string): TableFormat | null {
  const extension = /\.([A-Za-z]+)(?:\.gz)?$/i.exec(file)?.[1]?.toLowerCase() ?? '';
  return FORMAT_BY_EXTENSION[extension] ?? null;
}
