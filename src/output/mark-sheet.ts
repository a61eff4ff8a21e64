import path from 'node:path';
import { openAtomicFile } from './atomic-file.ts';
import { createCsvPrinter, escapeFormula, formatCell } from './csv-text.ts';

/** Identifies a row in a way no spreadsheet changes: `r` and the hash of its id. */
export const REF_COLUMN = '_ref';
/** The row's number, from 1. */
export const ROW_COLUMN = '_row';
/** Where a person writes the correct answer. */
export const GOLD_COLUMN = '_gold';
/** The row's current answer. */
export const ANSWER_COLUMN_OF_SHEET = '_answer';

/** All columns of a sheet that are not columns of the table. */
export const OWN_COLUMNS: readonly string[] = [REF_COLUMN, ROW_COLUMN, GOLD_COLUMN, '_note', ANSWER_COLUMN_OF_SHEET];

/** The columns of a new sheet: the marks first, then what is to be judged, the answer last. */
export function makeSheetColumns(tableColumns: readonly string[]): readonly string[] {
  const ofTable = tableColumns.filter((name) => !OWN_COLUMNS.includes(name));
  return [...OWN_COLUMNS.slice(0, -1), ...ofTable.map(escapeFormula), ANSWER_COLUMN_OF_SHEET];
}

/** The sheet next to a table: `tickets.csv` -> `tickets.sample.csv`. */
export function sheetPath(tablePath: string): string {
  const { dir, name } = path.parse(tablePath);
  return path.join(dir, `${name}.sample.csv`);
}

/** A sheet to be written. */
export interface MarkSheet {
  readonly columns: readonly string[];
  /** Existing rows of a sheet of this name: they are copied unchanged. */
  readonly keptRows: readonly (readonly unknown[])[];
  /** Values by column; columns without one stay empty. */
  readonly newRows: readonly ReadonlyMap<string, unknown>[];
  /** Between the cells of the table the rows are from; absent: a comma. */
  readonly delimiter?: string | undefined;
}

/**
 * Writes a sheet for a spreadsheet: byte order mark, CRLF, no text that it would run as a formula. It replaces the file at once, or not at all.
 * @throws DiskError if the file cannot be written
 */
export async function writeMarkSheet(file: string, { columns, keptRows, newRows, delimiter }: MarkSheet): Promise<void> {
  // Readers of the sheet detect only these.
  const { toCell, print, printHead } = createCsvPrinter({
    delimiter: delimiter === ';' || delimiter === '\t' ? delimiter : ',',
    excel: true,
  });
  const kept = keptRows.map((row) => row.map(formatCell));
  const added = newRows.map((row) => columns.map((name) => toCell(row.get(name))));
  const sheet = await openAtomicFile(file);
  try {
    await sheet.write(printHead(columns) + print([...kept, ...added]));
    await sheet.commit();
  } catch (error) {
    await sheet.discard();
    throw error;
  }
}
