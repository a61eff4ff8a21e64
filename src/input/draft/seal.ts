import { hash } from 'node:crypto';

/** The last line of a drafted file: by the hash of all lines before it a later command knows that nobody has edited it. */
const SEAL = /^# as written: ([0-9a-f]{16})\b[^\n]*\n?$/m;
const HASH_CHARACTERS = 16;

/** Ends a text with its own hash. */
export function sealText(text: string): string {
  return `${text}# as written: ${hashText(text)} (rowmill replaces this file by itself only while this number fits what stands above)\n`;
}

/** Whether a text is as it was written. Other line breaks, as some tools make, are no edit. */
export function isAsWritten(text: string): boolean {
  const plain = text.replaceAll('\r\n', '\n').replace(/^\ufeff/, '');
  const seal = SEAL.exec(plain);
  return seal !== null && seal.index + seal[0].length === plain.length && seal[1] === hashText(plain.slice(0, seal.index));
}

function hashText(text: string): string {
  return hash('sha256', text).slice(0, HASH_CHARACTERS);
}
