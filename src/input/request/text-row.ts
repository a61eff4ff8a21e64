import type { TextRow } from '../../core/job-code.ts';
import { showCell } from './cell-text.ts';

/** Rows as a program sees them, without a prototype, so that a column may have any name. */
export function compileTextRow(columns: readonly string[]): (cells: readonly unknown[]) => TextRow {
  return (cells) => {
    const row = Object.create(null) as Record<string, string>;
    for (const [index, column] of columns.entries()) row[column] = showCell(cells[index]);
    return row;
  };
}

/** What JavaScript itself reads from an object that is turned into JSON, or awaited. */
const ASKED_BY_LANGUAGE: ReadonlySet<string> = new Set(['toJSON', 'then']);

/** The row as an object that throws on access to a column the table does not have, which would otherwise be `undefined` in the middle of a prompt. */
export function guardColumns(row: TextRow, makeError: (column: string) => Error): TextRow {
  return new Proxy(row, {
    get(target, column, receiver) {
      if (typeof column === 'string' && !(column in target) && !ASKED_BY_LANGUAGE.has(column)) throw makeError(column);
      return Reflect.get(target, column, receiver);
    },
  });
}
