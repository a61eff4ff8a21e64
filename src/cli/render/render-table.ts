import { escapeLineForTerminal } from '../../output/escape-for-terminal.ts';
import { clipCells, measureCells } from './cells.ts';
import type { Paint } from './paint.ts';

const GAP = '  ';

/**
 * Rows as aligned columns, each at most `maxCells` terminal cells wide; the first row is the header. If the terminal is too narrow for all of
 * them, each row continues on the line below.
 * @param words the number of text columns, on the left; figures follow, right-aligned
 */
export function renderTable(
  rows: readonly (readonly string[])[],
  maxCells: number,
  paint: Paint,
  words = Number.POSITIVE_INFINITY,
): string {
  const cells = rows.map((row) => row.map((text) => clipCells(escapeLineForTerminal(text.replaceAll(/\s+/g, ' ')), maxCells)));
  const widths = (cells[0] ?? []).map((_, column) => Math.max(...cells.map((row) => measureCells(row[column] ?? ''))));
  const groups = groupColumns(widths, paint.columns ?? Number.POSITIVE_INFINITY);
  return cells
    .flatMap((row, index) =>
      groups.map((group, place) => {
        const line = group.map((column) => pad(row[column] ?? '', widths[column] ?? 0, column >= words)).join(GAP);
        const text = `${place === 0 ? '' : GAP}${line}`.trimEnd();
        return index === 0 ? paint('dim', text) : text;
      }),
    )
    .join('\n');
}

/** Which columns share a line. */
function groupColumns(widths: readonly number[], columns: number): readonly (readonly number[])[] {
  const groups: number[][] = [[]];
  let cells = 0;
  for (const [column, width] of widths.entries()) {
    const needed = width + GAP.length;
    if (cells > 0 && cells + width > columns) {
      groups.push([]);
      cells = GAP.length;
    }
    groups.at(-1)?.push(column);
    cells += needed;
  }
  return groups;
}

function pad(text: string, cells: number, isFigure: boolean): string {
  const spaces = ' '.repeat(Math.max(0, cells - measureCells(text)));
  return isFigure ? spaces + text : text + spaces;
}
