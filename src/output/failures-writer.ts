import { rm } from 'node:fs/promises';
import type { FinishedRow } from '../core/finished-row.ts';
import type { Disposition, Row } from '../core/row.ts';
import { formatUsd } from '../core/summary.ts';
import type { WrittenFile } from './atomic-file.ts';
import { createCsvPrinter } from './csv-text.ts';
import type { RowFormat } from './row-format.ts';
import { createRowWriter } from './table-writer.ts';
import type { TableWriter } from './table-writer-options.ts';

const COLUMNS = ['row', 'file', 'line', 'id', 'key', 'cause', 'message', 'attempts', 'request_id', 'cost_usd'];

/** The table of failed and skipped rows; it exists only if there are such rows. */
export interface FailuresWriter {
  /** Takes any finished row and keeps those that failed or were skipped, except those that do not match `input.where`. Await a promise before the next row. */
  write(row: FinishedRow): void | Promise<void>;
  /** Completes the file, or removes an older one if no row failed; then null. */
  finish(): Promise<WrittenFile | null>;
  abandon(): Promise<void>;
}

/** What the failures table shows of a row, and where it is written. */
export interface FailuresWriterOptions {
  readonly path: string;
  /** What identifies a row to a person; its number, from 1, is in the table anyway. */
  readonly readId: (row: Row) => string;
  /** Spreadsheet-safe, like the table next to it. */
  readonly excel: boolean;
  /** The character between cells, like there; absent: a comma. */
  readonly delimiter?: string | undefined;
}

/** Creates the writer; no file is opened before the first failure. */
export function createFailuresWriter(options: FailuresWriterOptions): FailuresWriter {
  const format = createFailuresFormat(options);
  let writer: TableWriter | null = null;
  const writeFirst = async (row: FinishedRow): Promise<void> => {
    writer = await createRowWriter(options.path, format);
    await writer.write(row);
  };
  return {
    write(row) {
      if (!isFailure(row.disposition)) return;
      return writer === null ? writeFirst(row) : writer.write(row);
    },
    async finish() {
      if (writer !== null) return writer.finish();
      await rm(options.path, { force: true });
      return null;
    },
    async abandon() {
      await writer?.abandon();
    },
  };
}

/** A row that failed or was skipped, except those that do not match `input.where`. */
export function isFailure(disposition: Disposition): disposition is Extract<Disposition, { readonly status: 'failed' | 'skipped' }> {
  return disposition.status === 'failed' || (disposition.status === 'skipped' && disposition.cause !== 'where');
}

function createFailuresFormat({ readId, excel, delimiter }: FailuresWriterOptions): RowFormat {
  const { toCell, print, printHead } = createCsvPrinter({ delimiter, excel });
  const makeRecord = ({ row, disposition, key, attempts, requestId, costNanoUsd }: FinishedRow): string[] => {
    const { cause, message } = 'cause' in disposition ? disposition : { cause: '', message: '' };
    const cost = costNanoUsd === null ? '' : formatUsd(costNanoUsd);
    return [row.index + 1, row.file, row.line, readId(row), key, cause, message, attempts, requestId, cost].map(toCell);
  };
  return { head: printHead(COLUMNS), format: (rows) => print(rows.map(makeRecord)) };
}
