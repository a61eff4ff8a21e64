import { hash } from 'node:crypto';

const CHARACTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
const CODES = Buffer.from(CHARACTERS);
const SIX_BITS = new Uint8Array(128);
for (const [bits, character] of [...CHARACTERS].entries()) SIX_BITS[character.charCodeAt(0)] = bits;

const KEY_CHARACTERS = 22;
/** Joining characters one by one would create a string for each prefix. */
const scratch = Buffer.alloc(KEY_CHARACTERS);

/**
 * Packs a key into four words: 21 characters and a third of the last are 128 bits. Longer keys (`-o<k>`) are hashed first.
 * @returns the four remaining bits of the last character
 */
export function packKey(key: string, words: Uint32Array): number {
  const text = key.length === KEY_CHARACTERS ? key : hash('sha256', key, 'base64url');
  let bits = 0;
  let held = 0;
  let word = 0;
  for (let position = 0; position < KEY_CHARACTERS; position++) {
    const six = SIX_BITS[text.charCodeAt(position) & 127] as number;
    if (held + 6 < 32) {
      bits = (bits << 6) | six;
      held += 6;
    } else {
      const rest = held + 6 - 32;
      words[word++] = (bits << (6 - rest)) | (six >>> rest);
      bits = six & ((1 << rest) - 1);
      held = rest;
    }
  }
  return bits;
}

/** The key that was packed into the four words from `start` on and the remaining bits. A hashed one cannot be restored. */
export function unpackKey(words: Uint32Array, start: number, left: number): string {
  for (let position = 0; position < KEY_CHARACTERS - 1; position += 1) {
    const bit = position * 6;
    const word = start + (bit >>> 5);
    const end = (bit & 31) + 6;
    const high = words[word] as number;
    const six = end <= 32 ? high >>> (32 - end) : (high << (end - 32)) | ((words[word + 1] as number) >>> (64 - end));
    scratch[position] = CODES[six & 63] as number;
  }
  scratch[KEY_CHARACTERS - 1] = CODES[(((words[start + 3] as number) & 3) << 4) | left] as number;
  return scratch.toString('latin1');
}
