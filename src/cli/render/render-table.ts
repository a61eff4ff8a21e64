import { escapeLineForTerminal } from '../../output/escape-for-terminal.ts';
import { clipCells, measureCells } from './cells.ts';
import type { Paint } from './paint.ts';

/** Rows as aligned columns, each at most `maxCells` terminal cells wide; the first row is the header. */
export function renderTable(rows: readonly (readonly string[])[], maxCells: number, paint: Paint): string {
  const cells = rows.map((row) => row.map((text) => clipCells(escapeLineForTerminal(text.replaceAll(/\s+/g, ' ')), maxCells)));
  const widths = (cells[0] ?? []).map((_, column) => Math.max(...cells.map((row) => measureCells(row[column] ?? ''))));
  const lines = cells.map((row) =>
    row
      .map((text, column) => pad(text, widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  return lines.map((line, index) => (index === 0 ? paint('dim', line) : line)).join('\n');
}

function pad(text: string, cells: number): string {
  return text + ' '.repeat(Math.max(0, cells - measureCells(text)));
}
