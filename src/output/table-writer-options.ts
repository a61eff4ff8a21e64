import type { FinishedRow } from '../core/finished-row.ts';
import type { StoredColumn } from '../core/row.ts';
import type { WrittenFile } from './atomic-file.ts';
import type { TableFileFormat } from './output-paths.ts';
import type { ColumnsOptions } from './table-columns.ts';

/** A table being written; nothing stands under its name before `finish`. */
export interface TableWriter {
  /** Takes the next row in input order. When a promise comes back, await it before the next row: the disk has to catch up. */
  write(row: FinishedRow): void | Promise<void>;
  /** Completes the file and gives it its name. */
  finish(): Promise<WrittenFile>;
  /** Throws away what was written; an older table stays untouched. */
  abandon(): Promise<void>;
}

/** What a table looks like and where it goes. */
export interface TableWriterOptions extends ColumnsOptions {
  readonly path: string;
  readonly format: TableFileFormat;
  /** Spreadsheet-safe CSV; of no meaning in other formats. */
  readonly excel: boolean;
  /** How the input's columns are stored, where it is Parquet; null or absent: they are written as text. Of meaning in Parquet alone, as the next. */
  readonly stored?: readonly StoredColumn[] | null;
  /** Schemas of the answer's columns, by their names without the prefix. */
  readonly answerTypes?: Readonly<Record<string, unknown>>;
}
