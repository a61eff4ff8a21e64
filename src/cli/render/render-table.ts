import { escapeLineForTerminal } from '../../output/escape-for-terminal.ts';
import type { Paint } from './paint.ts';

/** Rows as aligned columns, each at most `maxCells` terminal cells wide; the first row is the header. */
export function renderTable(rows: readonly (readonly string[])[], maxCells: number, paint: Paint): string {
  const cells = rows.map((row) => row.map((text) => clip(escapeLineForTerminal(text.replaceAll(/\s+/g, ' ')), maxCells)));
  const widths = (cells[0] ?? []).map((_, column) => Math.max(...cells.map((row) => measure(row[column] ?? ''))));
  const lines = cells.map((row) =>
    row
      .map((text, column) => pad(text, widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  return lines.map((line, index) => (index === 0 ? paint('dim', line) : line)).join('\n');
}

/** East Asian wide and full-width characters, and emoji, take two cells (Unicode UAX #11, without its ambiguous class). */
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u;
const NO_WIDTH = /[\p{Mn}\p{Me}\p{Cf}]/u;

function measure(text: string): number {
  let cells = 0;
  for (const character of text) cells += WIDE.test(character) ? 2 : NO_WIDTH.test(character) ? 0 : 1;
  return cells;
}

function pad(text: string, cells: number): string {
  return text + ' '.repeat(Math.max(0, cells - measure(text)));
}

function clip(text: string, maxCells: number): string {
  if (measure(text) <= maxCells) return text;
  let kept = '';
  for (const character of text) {
    if (measure(kept + character) > maxCells - 1) break;
    kept += character;
  }
  return `${kept}…`;
}
