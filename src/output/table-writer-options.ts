import type { FinishedRow } from '../core/finished-row.ts';
import type { StoredColumn } from '../core/row.ts';
import type { WrittenFile } from './atomic-file.ts';
import type { TableFileFormat } from './output-paths.ts';
import type { ColumnsOptions } from './table-columns.ts';

/** A table being written; there is nothing under its name before `finish`. */
export interface TableWriter {
  /** Takes the next row in input order. If it returns a promise, await it before the next row: the disk has to catch up. */
  write(row: FinishedRow): void | Promise<void>;
  /** Completes the file and gives it its name. */
  finish(): Promise<WrittenFile>;
  /** Discards what was written; an older table stays untouched. */
  abandon(): Promise<void>;
}

/** The form of a table and its path. */
export interface TableWriterOptions extends ColumnsOptions {
  readonly path: string;
  readonly format: TableFileFormat;
  /** Spreadsheet-safe CSV; has no meaning in other formats. */
  readonly excel: boolean;
  /** The character between the cells of CSV; absent: a comma. */
  readonly delimiter?: string | undefined;
  /** How the input's columns are stored, if it is Parquet; null or absent: they are written as text. Used only for Parquet, like the next. */
  readonly stored?: readonly StoredColumn[] | null;
  /** Schemas of the answer's columns, by their names without the prefix. */
  readonly answerTypes?: Readonly<Record<string, unknown>>;
}
