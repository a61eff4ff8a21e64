/** East Asian wide and full-width characters, and emoji, take two cells (Unicode UAX #11, without its ambiguous class). */
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u;
const NO_WIDTH = /[\p{Mn}\p{Me}\p{Cf}]/u;
const PLAIN = /^[\u0020-\u007e]*$/;

/** How many cells of a terminal a text without control characters takes. */
export function measureCells(text: string): number {
  if (PLAIN.test(text)) return text.length;
  let cells = 0;
  for (const character of text) cells += WIDE.test(character) ? 2 : NO_WIDTH.test(character) ? 0 : 1;
  return cells;
}

/** A text cut to this many cells; `…` shows that it was cut. */
export function clipCells(text: string, maxCells: number): string {
  if (measureCells(text) <= maxCells) return text;
  let kept = '';
  for (const character of text) {
    if (measureCells(kept + character) > maxCells - 1) break;
    kept += character;
  }
  return `${kept}…`;
}
