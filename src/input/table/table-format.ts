import type { RequestGroup, TableFormat } from '../../core/job.ts';
import type { Row, StoredColumn } from '../../core/row.ts';
import type { TableFile } from './read-bytes.ts';

/** The files of a table, and how to read each as UTF-8 text, in pieces that are valid until the next one is requested. */
export interface TextFiles {
  readonly files: readonly TableFile[];
  openText(file: TableFile, signal: AbortSignal): AsyncIterable<Buffer>;
}

/** The result of the reader of one format; rows are numbered and chunked here. */
export interface OpenedFormat {
  readonly columns: readonly string[];
  readonly warnings: readonly string[];
  /** Further warnings about the rows read in the last pass; absent if there are never any. */
  readWarnings?(): readonly string[];
  /** For a table of requests, its groups; absent for all others. */
  readonly requests?: readonly RequestGroup[];
  /** Rows of the same files in order, with `index` counted from 0 over all of them. */
  readRows(text: TextFiles, signal: AbortSignal): AsyncIterable<readonly Row[]>;
  /** Whether it reads the files at random positions, and not through `openText`; absent: no. */
  readonly readsAtRandom?: true;
  /** Whether the names of the files are data, too; absent: no. */
  readonly namesAreData?: true;
  /** As in `Table`. */
  readonly stored?: readonly StoredColumn[];
  readonly delimiter?: string;
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

/** The format by file name, ignoring `.gz`; null if the name does not show one. */
export function guessFormat(file: string): TableFormat | null {
  const extension = /\.([A-Za-z]+)(?:\.gz)?$/i.exec(file)?.[1]?.toLowerCase() ?? '';
  return FORMAT_BY_EXTENSION[extension] ?? null;
}
