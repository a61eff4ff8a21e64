import { stripVTControlCharacters } from 'node:util';
import { measureCells } from './cells.ts';
import { closeGap, type Piece, splitCommands } from './find-commands.ts';

/** The start of a line whose text continues indented: spaces, a label and the spaces after it, or a list marker. */
const LABEL = /^ *(?:\S+(?: \S+)? {2,})?/;
const MAX_LABEL_CELLS = 24;
/** Text cannot be laid out in less; a terminal that reports less is not believed. */
const MIN_COLUMNS = 20;
const JOIN = ' \\';

/**
 * Breaks lines between words so that none is wider than the terminal, and continues below the start of their text. A command that does not fit where it
 * stands in its sentence gets lines of its own, joined by backslashes, so that they can be copied. Text without a blank stays whole. The text may contain
 * colours.
 */
export function wrapText(text: string, columns: number): string {
  return columns < MIN_COLUMNS
    ? text
    : text
        .split('\n')
        .flatMap((line) => wrapLine(line, columns))
        .join('\n');
}

/** The lines of one line. */
export function wrapLine(line: string, columns: number): readonly string[] {
  const visible = stripVTControlCharacters(line);
  if (measure(line) <= columns) return [line];
  const label = LABEL.exec(visible)?.[0] ?? '';
  const indent = ' '.repeat(label.length > Math.min(MAX_LABEL_CELLS, columns / 2) ? 2 : label.length);
  const look = { label, indent, columns };
  const pieces = splitCommands(line);
  return layOutInline(pieces, look) ?? layOutApart(pieces, look);
}

interface Look {
  readonly label: string;
  /** What every line but the first begins with. */
  readonly indent: string;
  readonly columns: number;
}

/** With every command where it stands; null if one would have to be moved or broken. */
function layOutInline(pieces: readonly Piece[], { indent, columns }: Look): readonly string[] | null {
  const lines: string[] = [];
  let current = '';
  for (const { text, words } of pieces)
    for (const word of words === null ? splitProse(text) : [text]) {
      const fits = measure(current + word) <= columns;
      const isAtStart = current.trim() === '';
      if (!fits && (words !== null || !(isAtStart || word.startsWith(' ')))) return null;
      if (fits || isAtStart) {
        current += word;
        continue;
      }
      lines.push(current.trimEnd());
      current = indent + word.trimStart();
    }
  return [...lines, current];
}

/** With every command on lines of its own. */
function layOutApart(pieces: readonly Piece[], look: Look): readonly string[] {
  const { label, indent } = look;
  const isLabelled = stripVTControlCharacters(pieces[0]?.text ?? '') === label;
  const texts = pieces.map(({ text }) => text);
  for (const [index, { words }] of pieces.entries())
    if (words !== null) [texts[index - 1], texts[index + 1]] = closeGap(texts[index - 1] ?? '', texts[index + 1] ?? '');
  return pieces.flatMap(({ words }, index) => {
    const text = texts[index] ?? '';
    const isLabel = index === 0 && isLabelled;
    if (words !== null) return foldCommand(words, { ...look, lead: index === 1 && isLabelled ? (texts[0] ?? '') : `${indent}  ` });
    if (isLabel || text.trim() === '') return [];
    return layOutInline([{ text: index === 0 ? text.trimEnd() : indent + text.trim(), words: null }], look) ?? [];
  });
}

/** A command that starts after `lead`, broken between its words with backslashes. */
function foldCommand(words: readonly string[], { lead, indent, columns }: Look & { readonly lead: string }): readonly string[] {
  const room = columns - JOIN.length;
  const [first = '', ...rest] = words;
  // A label too wide for its command stays above it.
  const lines = lead.trim() !== '' && measure(lead + first) > room ? [lead.trimEnd()] : [];
  let current = (lines.length === 0 ? lead : `${indent}  `) + first;
  const next = `${lead.trim() === '' ? lead : indent}  `;
  const parts = rest.flatMap((word) => (measure(next + word) > room ? splitOption(word) : [word]));
  for (const [index, word] of parts.entries()) {
    if (measure(current + word) > (index === parts.length - 1 ? columns : room)) {
      lines.push(current + JOIN);
      current = next + word.trimStart();
    } else current += word;
  }
  return [...lines, current];
}

/** Words with the blanks before them. The blanks at the end are left to what follows. */
function splitProse(text: string): readonly string[] {
  return text.match(/ *[^ ]+| +$/g) ?? [];
}

/** An option and its value, as two words. */
function splitOption(word: string): readonly string[] {
  const [, option, value] = /^( --?[\w-]+)( .*)$/s.exec(word) ?? [];
  return option === undefined || value === undefined ? [word] : [option, value];
}

/** The width on the screen. */
function measure(text: string): number {
  return measureCells(stripVTControlCharacters(text));
}
