import { hash } from 'node:crypto';

/** The last line of a drafted file: the hash of all lines before it shows a later command that nobody has edited it. */
const SEAL = /^# as written: ([0-9a-f]{16})\b[^\n]*\n?$/m;
const HASH_CHARACTERS = 16;

/** Ends a text with its own hash. */
export function sealText(text: string): string {
  return `${text}# as written: ${hashText(text)} (rowmill replaces this file only as long as this hash matches the text above)\n`;
}

/** Whether a text is unchanged. Other line breaks, as some tools write, are not an edit. */
export function isAsWritten(text: string): boolean {
  const plain = text.replaceAll('\r\n', '\n').replace(/^\ufeff/, '');
  const seal = SEAL.exec(plain);
  return seal !== null && seal.index + seal[0].length === plain.length && seal[1] === hashText(plain.slice(0, seal.index));
}

function hashText(text: string): string {
  return hash('sha256', text).slice(0, HASH_CHARACTERS);
}
