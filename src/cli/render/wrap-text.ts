import { stripVTControlCharacters } from 'node:util';
import { measureCells } from './cells.ts';

/** A word of a command: quoted, a flag with its value, or what no sentence would contain. */
const ARGUMENT = /'[^']*'|--?[a-z][a-z-]*(?: (?:'[^']*'|[^\s"”;)'-][^\s"”;)]*))?|[^\s"”;)']*[./:@=_\d~-][^\s"”;)']*|[A-Z]+|prev|last/;
/** A command of ours within a sentence. */
const COMMAND = new RegExp(`(?:npx )?rowmill [a-z]+(?: (?:${ARGUMENT.source}))*`, 'g');
const COMMAND_WORD = new RegExp(` (?:${ARGUMENT.source})`, 'g');
/** The start of a line whose text continues indented: spaces, a label and the spaces after it, or a list marker. */
const LABEL = /^ *(?:\S+(?: \S+)? {2,})?/;
const MAX_LABEL_CELLS = 24;
/** Text cannot be laid out in less; a terminal that reports less is not believed. */
const MIN_COLUMNS = 20;

/**
 * Breaks lines between words so that none is wider than the terminal, and continues below the start of their text. A command is broken so that it can
 * still be copied: with a backslash, never within quotes. Text without a blank stays whole. The text may contain colours.
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
  if (measureCells(visible) <= columns) return [line];
  const label = LABEL.exec(visible)?.[0] ?? '';
  const indent = ' '.repeat(label.length > Math.min(MAX_LABEL_CELLS, columns / 2) ? 2 : label.length);
  const lines: string[] = [];
  let current = '';
  let cells = 0;
  for (const { text, isCommand } of splitWords(line)) {
    const width = measureCells(stripVTControlCharacters(text));
    // Within a command, room is kept for the backslash.
    if (cells + width <= columns - (isCommand ? 2 : 0) || current.trim() === '') {
      current += text;
      cells += width;
      continue;
    }
    lines.push(isCommand ? `${current.trimEnd()} \\` : current.trimEnd());
    current = indent + (isCommand ? '  ' : '') + text.trimStart();
    cells = measureCells(stripVTControlCharacters(current));
  }
  return [...lines, current];
}

interface Word {
  /** With the blanks before it. */
  readonly text: string;
  /** Whether it continues a command that starts before it. */
  readonly isCommand: boolean;
}

function splitWords(line: string): readonly Word[] {
  const words: Word[] = [];
  let end = 0;
  const addProse = (text: string) => words.push(...(text.match(/ *[^ ]+/g) ?? []).map((word) => ({ text: word, isCommand: false })));
  for (const { 0: command, index } of line.matchAll(COMMAND)) {
    const before = line.slice(end, index);
    addProse(before);
    const first = /^(?:npx )?rowmill \S+/.exec(command)?.[0] ?? '';
    words.push({ text: (/ *$/.exec(before)?.[0] ?? '') + first, isCommand: false });
    words.push(...(command.slice(first.length).match(COMMAND_WORD) ?? []).map((text) => ({ text, isCommand: true })));
    end = index + command.length;
  }
  addProse(line.slice(end));
  return words;
}
