import { hash } from 'node:crypto';

const SIX_BITS = new Uint8Array(128);
for (const [bits, character] of [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'].entries()) {
  SIX_BITS[character.charCodeAt(0)] = bits;
}

/**
 * Packs a key into four words: 21 characters and a third of the last are 128 bits. Longer keys (`-o<k>`) are hashed first.
 * @returns the four bits that are left of the last character
 */
export function packKey(key: string, words: Uint32Array): number {
  const text = key.length === 22 ? key : hash('sha256', key, 'base64url');
  let bits = 0;
  let held = 0;
  let word = 0;
  for (let position = 0; position < 22; position++) {
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
