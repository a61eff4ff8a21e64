import { hash } from 'node:crypto';

/**
 * A fast 53-bit hash of a text, for draws and shuffles and never for secrets: the same text gives the same number on every machine.
 * Two 32-bit multiplicative hashes run over the code units and are joined at the end.
 */
export function hashNumber(text: string): number {
  let high = 0xdeadbeef;
  let low = 0x41c6ce57;
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    high = Math.imul(high ^ unit, 2654435761);
    low = Math.imul(low ^ unit, 1597334677);
  }
  high = Math.imul(high ^ (high >>> 16), 2246822507) ^ Math.imul(low ^ (low >>> 13), 3266489909);
  low = Math.imul(low ^ (low >>> 16), 2246822507) ^ Math.imul(high ^ (high >>> 13), 3266489909);
  return 4294967296 * (2097151 & low) + (high >>> 0);
}

/** A draw from [0, 1) that depends only on its parts. */
export function hashFraction(...parts: readonly (string | number)[]): number {
  return hashNumber(parts.join('\u0000')) / 2 ** 53;
}

/** Twenty-eight hexadecimal digits that depend only on the parts: the end of an id. */
export function hashDigits(...parts: readonly (string | number)[]): string {
  const text = parts.join('\u0000');
  return hexadecimal(hashNumber(text)) + hexadecimal(hashNumber(`${text}\u0001`));
}

/** The SHA-256 of the bytes of a text or buffer, in hexadecimal, as used in the bill. */
export function sha256(content: string | Buffer): string {
  return hash('sha256', content, 'hex');
}

/** Shuffles in place, the same way for the same seed text. */
export function shuffle<T>(items: T[], seedText: string): T[] {
  let state = hashNumber(seedText) >>> 0;
  for (let last = items.length - 1; last > 0; last -= 1) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const other = Math.floor((state / 4294967296) * (last + 1));
    const held = items[last] as T;
    items[last] = items[other] as T;
    items[other] = held;
  }
  return items;
}

/** Printing a number above 2^31 in base 16 takes the engine's slow path; a table of bytes does not. */
const HEXADECIMAL_BYTES = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

function hexadecimal(value: number): string {
  const low = value >>> 0;
  const high = Math.floor(value / 4294967296);
  return (
    byteOf(high >>> 16) + byteOf(high >>> 8) + byteOf(high) + byteOf(low >>> 24) + byteOf(low >>> 16) + byteOf(low >>> 8) + byteOf(low)
  );
}

function byteOf(value: number): string {
  return HEXADECIMAL_BYTES[value & 255] as string;
}
