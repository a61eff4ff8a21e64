import type { Endpoint, TableFormat } from './job.ts';

/** One input record. */
export interface Row {
  /** Counts from 0 over all files of the input. */
  readonly index: number;
  /** The file of the row, as shown to the user. */
  readonly file: string;
  /** The line the record starts on, from 1. */
  readonly line: number;
  /** Values in column order: strings from CSV, any JSON value from JSONL; undefined if the record has no such key. */
  readonly cells: readonly unknown[];
  /** The JSON object of a JSONL or JSON record, with a null prototype; null for CSV. It may have keys that are not columns of the table. */
  readonly record: Readonly<Record<string, unknown>> | null;
  /**
   * The key of its request, if it was rendered in this pass or in one whose keys are kept; else null. It may be used only to find an answer: anything
   * to be sent is rendered again.
   */
  key: string | null;
  /** Why the record cannot be read, its line and the beginning of its text: such a row has no cells. Absent for all others. */
  readonly bad?: string;
  /** The request of a row that is itself a request; absent for all others. */
  readonly request?: RowRequest;
}

/** A request as a line of a table contains it. */
export interface RowRequest {
  readonly url: Endpoint;
  readonly model: string;
  /** Its JSON exactly as in the line. */
  readonly body: string;
  /** The number of its group among those of the job. */
  readonly group: number;
}

/** An opened table that can be streamed any number of times. */
export interface Table {
  readonly columns: readonly string[];
  readonly format: TableFormat;
  /** How its columns are stored, in order; absent if it is not Parquet, or its files differ. */
  readonly stored?: readonly StoredColumn[];
  /** The character between the cells of its first file; absent if it is not CSV. */
  readonly delimiter?: string;
  /** Absolute paths, in reading order. */
  readonly files: readonly string[];
  /** Bytes of all files on disk, for progress. */
  readonly bytes: number;
  /**
   * Streams the rows in order, in chunks of up to a few hundred, from the start each time.
   * @throws UsageError with file, line and column if the table is damaged; rows before the damage have been yielded
   */
  readRows(signal: AbortSignal): AsyncIterable<readonly Row[]>;
}

/** How a column and its nested columns are stored in a Parquet file: what is needed to write the column as it was read. */
export interface StoredColumn {
  /** Parquet's own metadata: `name`, `type`, `repetition_type`, `logical_type` and so on. */
  readonly element: { readonly name: string };
  readonly children: readonly StoredColumn[];
}

/** How a row ends. Every row has exactly one. */
export type Disposition =
  | { readonly status: 'ok'; readonly source: 'new' | 'reused' | 'duplicate' }
  | { readonly status: 'failed'; readonly cause: string; readonly message: string }
  | { readonly status: 'skipped'; readonly cause: SkipCause; readonly message: string }
  | { readonly status: 'pending' };

/** Why a row was not sent. `empty`: every templated cell is empty; `too_large`: it exceeds a limit of the API; `unrenderable`: the template failed on it, or its prompt cannot be sent; `bad_row`: the record cannot be read; `where`: it does not match `input.where`. */
export type SkipCause = 'empty' | 'too_large' | 'unrenderable' | 'bad_row' | 'where';

/** Which rows a run is about: all of them, or a pilot's. */
export type RowSelection =
  | { readonly type: 'all' }
  | { readonly type: 'first'; readonly rows: number }
  | { readonly type: 'sample'; readonly rows: number; readonly seed: number };
