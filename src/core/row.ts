import type { Endpoint, TableFormat } from './job.ts';

/** One input record. */
export interface Row {
  /** Counts from 0 over all files of the input. */
  readonly index: number;
  /** The file the row stands in, as shown to the user. */
  readonly file: string;
  /** The line the record starts on, from 1. */
  readonly line: number;
  /** Values in the order of the table's columns: strings from CSV, any JSON value from JSONL; undefined where the record has no such key. */
  readonly cells: readonly unknown[];
  /** The JSON object of a JSONL or JSON record, with a null prototype; null for CSV. It may hold keys that are no column of the table. */
  readonly record: Readonly<Record<string, unknown>> | null;
  /**
   * The key of its request, once it was rendered in this pass or in one whose rows are kept; else null. It is good for finding an answer: what
   * is to be sent is rendered anew.
   */
  key: string | null;
  /** Why the record cannot be read, its line and the beginning of its text: then it has no cells. Absent for all others. */
  readonly bad?: string;
  /** What the row asks where it is a request itself; absent for all others. */
  readonly request?: RowRequest;
}

/** A request as a line of a table holds it. */
export interface RowRequest {
  readonly url: Endpoint;
  readonly model: string;
  /** Its JSON as it stands in the line. */
  readonly body: string;
  /** The number of its group among those of the job. */
  readonly group: number;
}

/** A table opened and looked at, ready to be streamed as often as wanted. */
export interface Table {
  readonly columns: readonly string[];
  readonly format: TableFormat;
  /** How its columns are stored, in their order; absent where it is no Parquet, or its files differ. */
  readonly stored?: readonly StoredColumn[];
  /** Absolute paths, in reading order. */
  readonly files: readonly string[];
  /** Bytes of all files as they lie on disk, for progress. */
  readonly bytes: number;
  /**
   * Streams the rows in order, in chunks of up to a few hundred, from the start each time.
   * @throws UsageError with file, line and column where the table is damaged; rows before the damage have been yielded
   */
  readRows(signal: AbortSignal): AsyncIterable<readonly Row[]>;
}

/** How a column is stored in a Parquet file, with what lies within it: what a table needs to write the column as it was read. */
export interface StoredColumn {
  /** Parquet's own description: `name`, `type`, `repetition_type`, `logical_type` and so on. */
  readonly element: { readonly name: string };
  readonly children: readonly StoredColumn[];
}

/** How a row ends. Every row has exactly one. */
export type Disposition =
  | { readonly status: 'ok'; readonly source: 'new' | 'reused' | 'duplicate' }
  | { readonly status: 'failed'; readonly cause: string; readonly message: string }
  | { readonly status: 'skipped'; readonly cause: SkipCause; readonly message: string }
  | { readonly status: 'pending' };

/** Why a row was not sent. `empty`: every templated cell is empty; `too_large`: it exceeds a limit of the API; `unrenderable`: the template failed on it, or its prompt cannot be sent; `bad_row`: the record cannot be read; `where`: the job is not about it. */
export type SkipCause = 'empty' | 'too_large' | 'unrenderable' | 'bad_row' | 'where';

/** Which rows a run is about: all of them, or a pilot's. */
export type RowSelection =
  | { readonly type: 'all' }
  | { readonly type: 'first'; readonly rows: number }
  | { readonly type: 'sample'; readonly rows: number; readonly seed: number };
