import { escapeLineForTerminal } from '../../output/escape-for-terminal.ts';
import { formatCount } from '../../output/format-numbers.ts';
import { clipCells, measureCells } from './cells.ts';
import type { Paint } from './paint.ts';

const GAP = '  ';

/** The layout of a table. */
export interface TableShape {
  /** Longer cells are cut to this many terminal cells. */
  readonly maxCells: number;
  /** The number of text columns, on the left; figures follow, right-aligned. Absent: all are text. */
  readonly words?: number;
  /** In a narrow terminal, cells are first cut down to this. Absent: they are not. */
  readonly leastCells?: number;
  /** Columns that a narrow terminal leaves out, in this order and as many as needed; a line below names them. */
  readonly spare?: readonly string[];
  /** What the rows already go without because the terminal is narrow; the line below names it first. */
  readonly missing?: readonly string[];
}

type Rows = readonly (readonly string[])[];

/** Whether each row of a table has a line of the terminal to itself. */
export function fitsTable(rows: Rows, shape: TableShape, paint: Paint): boolean {
  return measure(rows, shape, columnsOf(paint)).fitted !== null;
}

/**
 * Rows as aligned columns; the first row is the header. If the terminal is too narrow for all of them, and neither shorter cells nor fewer columns
 * help, each row continues on the line below.
 */
export function renderTable(rows: Rows, shape: TableShape, paint: Paint): string {
  const columns = columnsOf(paint);
  const { words = Number.POSITIVE_INFINITY } = shape;
  const { safe, whole, fitted } = measure(rows, shape, columns);
  const { widths, left } = fitted ?? { widths: whole, left: [] };
  const cells = safe.map((row) => row.map((text, column) => clipCells(text, widths[column] ?? 0)));
  const shown = widths.map((_, column) => column).filter((column) => !left.includes(column));
  const groups = groupColumns(shown, widths, columns);
  const lines = cells.flatMap((row, index) =>
    groups.map((group, place) => {
      const line = group.map((column) => pad(row[column] ?? '', widths[column] ?? 0, column >= words)).join(GAP);
      const text = `${place === 0 ? '' : GAP}${line}`.trimEnd();
      return index === 0 ? paint('dim', text) : text;
    }),
  );
  const names = [...(shape.missing ?? []), ...left.map((column) => rows[0]?.[column])].join(', ');
  return [...lines, ...(names === '' ? [] : [paint('dim', `a wider terminal, or --json, shows more: ${names}`)])].join('\n');
}

/** The first `most` rows of a table below its header, and a line with the number of the others and where they are. */
export function renderFirst(
  [header = [], ...rows]: Rows,
  first: TableShape & { readonly most: number; readonly all: number; readonly rest: string },
  paint: Paint,
): string {
  const { most, all, rest, ...shape } = first;
  const shown = rows.slice(0, most);
  const table = renderTable([header, ...shown], shape, paint);
  return all === shown.length ? table : `${table}\n${paint('dim', `and ${formatCount(all - shown.length)} more; ${rest}`)}`;
}

function columnsOf({ columns }: Paint): number {
  return columns ?? Number.POSITIVE_INFINITY;
}

/** The cells as shown at most, the width of each column with them, and how they fit. */
function measure(rows: Rows, { maxCells, leastCells = Number.POSITIVE_INFINITY, spare = [] }: TableShape, columns: number) {
  const safe = rows.map((row) => row.map((text) => clipCells(escapeLineForTerminal(text.replaceAll(/\s+/g, ' ')), maxCells)));
  const whole = (safe[0] ?? []).map((_, column) => Math.max(...safe.map((row) => measureCells(row[column] ?? ''))));
  const places = spare.map((name) => (rows[0] ?? []).indexOf(name)).filter((column) => column >= 0);
  return { safe, whole, fitted: fit(whole, columns, { least: leastCells, spare: places }) };
}

interface Fitted {
  readonly widths: readonly number[];
  /** The columns that are left out. */
  readonly left: readonly number[];
}

/** Narrows the widest columns down to `least`, then leaves out `spare` ones; null if it still does not fit. */
function fit(widths: readonly number[], columns: number, { least, spare }: { least: number; spare: readonly number[] }): Fitted | null {
  for (let count = 0; count <= spare.length; count += 1) {
    const left: number[] = spare.slice(0, count);
    const sum = (most: number) =>
      widths.reduce((cells, width, column) => (left.includes(column) ? cells : cells + Math.min(width, most) + GAP.length), -GAP.length);
    const narrowest = Math.min(least, Math.max(...widths));
    if (sum(narrowest) > columns) continue;
    // A column that was left out before a wider one may fit beside what remains.
    for (const column of spare.slice(0, count).toReversed()) {
      left.splice(left.indexOf(column), 1);
      if (sum(narrowest) > columns) left.push(column);
    }
    let most = Math.max(...widths);
    while (sum(most) > columns) most -= 1;
    return { widths: widths.map((width) => Math.min(width, most)), left };
  }
  return null;
}

/** Which columns share a line. */
function groupColumns(shown: readonly number[], widths: readonly number[], columns: number): readonly (readonly number[])[] {
  const groups: number[][] = [[]];
  let cells = 0;
  for (const column of shown) {
    const width = widths[column] ?? 0;
    if (cells > 0 && cells + width > columns) {
      groups.push([]);
      cells = GAP.length;
    }
    groups.at(-1)?.push(column);
    cells += width + GAP.length;
  }
  return groups;
}

function pad(text: string, cells: number, isFigure: boolean): string {
  const spaces = ' '.repeat(Math.max(0, cells - measureCells(text)));
  return isFigure ? spaces + text : text + spaces;
}
