/** C0 without newline and tab, DEL, C1, line separators, and the marks that change the reading direction. */
const UNSAFE = /(?![\n\t])\p{Cc}|[\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu;
const UNSAFE_IN_LINE = /\p{Cc}|[\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu;

/** Makes text from tables, providers and files harmless on a terminal: anything that could move the cursor, set a title or hide text is shown as `\u{1b}`. */
export function escapeForTerminal(text: string): string {
  return text.replace(UNSAFE, showCharacter);
}

/** The same for text that has to stay on one line: newlines and tabs are shown too. */
export function escapeLineForTerminal(text: string): string {
  return text.replace(UNSAFE_IN_LINE, showCharacter);
}

function showCharacter(character: string): string {
  return `\\u{${character.charCodeAt(0).toString(16)}}`;
}
