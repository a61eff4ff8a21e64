import type { SplitSpec } from '../../core/job.ts';
import type { Row, StoredColumn } from '../../core/row.ts';
import { showCell } from '../request/cell-text.ts';
import { splitText } from './split-text.ts';
import type { OpenedFormat } from './table-format.ts';

/** Which part of its row a row is, from 1, and of how many. */
export const PART_COLUMNS: readonly string[] = ['_part', '_parts'];

/** A table whose long rows are split: each part has a piece of the text in the column, and all other cells. Rows are renumbered. */
export function splitRows(opened: OpenedFormat, split: SplitSpec): OpenedFormat {
  const place = opened.columns.indexOf(split.column);
  return {
    ...opened,
    columns: [...opened.columns, ...PART_COLUMNS],
    ...(opened.stored === undefined ? {} : { stored: describeParts(opened.stored, place) }),
    async *readRows(text, signal) {
      let index = 0;
      for await (const rows of opened.readRows(text, signal)) {
        yield rows.flatMap((row) => splitRow(row, place, split)).map((row) => ({ ...row, index: index++ }));
      }
    },
  };
}

function splitRow(row: Row, place: number, split: SplitSpec): readonly Row[] {
  if (row.bad !== undefined) return [row];
  const parts = splitText(showCell(row.cells[place]), split);
  return parts.map((part, number) => {
    const own = [number + 1, parts.length];
    const record =
      row.record === null
        ? null
        : Object.assign(
            Object.create(null),
            row.record,
            { [split.column]: part },
            Object.fromEntries(PART_COLUMNS.map((name, at) => [name, own[at]])),
          );
    return { ...row, cells: [...row.cells.with(place, part), ...own], record };
  });
}

/** A part is a text, whatever its column was. */
function describeParts(stored: readonly StoredColumn[], place: number): readonly StoredColumn[] {
  const { name } = (stored[place] as StoredColumn).element;
  const text = describeLeaf({ name, type: 'BYTE_ARRAY', converted_type: 'UTF8' });
  return [...stored.with(place, text), ...PART_COLUMNS.map((part) => describeLeaf({ name: part, type: 'INT32' }))];
}

function describeLeaf(element: StoredColumn['element'] & Readonly<Record<string, unknown>>): StoredColumn {
  return { element: { ...element, repetition_type: 'OPTIONAL' } as StoredColumn['element'], children: [] };
}
