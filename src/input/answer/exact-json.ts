import type { JsonScan } from '../../core/exact/scan-json.ts';
import { findStringEnd } from '../../core/exact/string-end.ts';

/**
 * What parsing a JSON text and writing it again would silently change, or could not do; null if its value is exactly what the text
 * says.
 * @param value the result of `JSON.parse` for the text
 * @param scan of the text
 */
export function findSilentChange(text: string, value: unknown, scan: JsonScan): string | null {
  const unwritable = findUnwritable(text, scan);
  if (unwritable !== null) return unwritable.why;
  const repeated = findRepetition(text, value, scan);
  if (repeated !== null) return repeated.why;
  if (!scan.hasOddNumber) return null;
  for (let position = 0; position < text.length; position += 1) {
    const character = text[position] as string;
    if (character === '"') position = findStringEnd(text, position);
    else if (character === '-' || (character >= '0' && character <= '9')) {
      const end = findNumberEnd(text, position);
      if (isRounded(text, position, end)) return `the number ${text.slice(position, end)} cannot be kept exactly`;
      position = end - 1;
    }
  }
  return null;
}

/**
 * The first repeated key in an object of a JSON text, of which parsing keeps only the last; null if there is none.
 * @param keys the number of keys in the text
 */
export function findRepetition(text: string, value: unknown, { keys }: Pick<JsonScan, 'keys'>): Unwritable | null {
  if (keys === countKeys(value)) return null;
  const found = findRepeatedKey(text);
  return found === null ? null : { position: found.position, why: `the key ${JSON.stringify(found.key)} occurs twice` };
}

/** What no table can hold, and its position in the text. */
export interface Unwritable {
  readonly position: number;
  /** Continues a sentence whose subject is the text. */
  readonly why: string;
}

/** The first thing in a JSON text that can be read but not written again; null if there is none. */
export function findUnwritable(text: string, { levels }: Pick<JsonScan, 'levels'>): Unwritable | null {
  if (!text.isWellFormed()) return { position: text.search(LONE_SURROGATE), why: HALF_CHARACTER };
  const hasEscapes = text.includes('\\u');
  if (!hasEscapes && levels <= MAX_DEPTH) return null;
  let depth = 0;
  for (let position = 0; position < text.length; position += 1) {
    const character = text[position] as string;
    if (character === '"') {
      const end = findStringEnd(text, position);
      if (hasEscapes && !isWellFormed(text.slice(position, end + 1))) return { position, why: HALF_CHARACTER };
      position = end;
    } else if (character === '{' || character === '[') {
      depth += 1;
      if (depth > MAX_DEPTH) return { position, why: `it nests deeper than ${MAX_DEPTH} levels` };
    } else if (character === '}' || character === ']') depth -= 1;
  }
  return null;
}

const LONE_SURROGATE = /\p{Surrogate}/u;
const HALF_CHARACTER = 'it contains half of a character (a lone surrogate)';
/** A value of any depth can be parsed, but written only as deep as the stack allows; no real answer comes near this. */
const MAX_DEPTH = 1_000;
/** No integer of this length is beyond 2^53, and nothing without an exponent is infinite. */
const EXACT_CHARACTERS = 15;
const EXPONENT = /e/i;

function isWellFormed(json: string): boolean {
  return !json.includes('\\u') || (JSON.parse(json) as string).isWellFormed();
}

function findNumberEnd(text: string, start: number): number {
  let end = start + 1;
  while (NUMBER_CHARACTERS.includes(text[end] ?? ' ')) end += 1;
  return end;
}

const NUMBER_CHARACTERS = '0123456789.eE+-';

/** Integers beyond 2^53 lose their last digits; fractions are doubles by convention. */
function isRounded(text: string, start: number, end: number): boolean {
  const number = text.slice(start, end);
  if (number.length <= EXACT_CHARACTERS && !EXPONENT.test(number)) return false;
  const value = Number(number);
  if (!Number.isFinite(value)) return true;
  return /^-?\d+$/.test(number) && !Number.isSafeInteger(value) && BigInt(number) !== BigInt(value);
}

/** Keys of all objects in a value; of keys repeated in the text only the last remains. */
function countKeys(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  let count = 0;
  if (Array.isArray(value)) for (const item of value) count += countKeys(item);
  else
    for (const key in value) {
      count += 1;
      const item = (value as Record<string, unknown>)[key];
      if (typeof item === 'object') count += countKeys(item);
    }
  return count;
}

/** The first key that occurs twice in an object of the text; null if there is none. */
function findRepeatedKey(text: string): { readonly position: number; readonly key: string } | null {
  const scopes: Set<string>[] = [];
  for (let position = 0; position < text.length; position += 1) {
    const character = text[position];
    if (character === '{') scopes.push(new Set());
    else if (character === '}') scopes.pop();
    if (character !== '"') continue;
    const end = findStringEnd(text, position) + 1;
    COLON.lastIndex = end;
    if (COLON.test(text)) {
      const key = JSON.parse(text.slice(position, end)) as string;
      if (scopes.at(-1)?.has(key)) return { position, key };
      scopes.at(-1)?.add(key);
    }
    position = end - 1;
  }
  return null;
}

const COLON = /\s*:/y;
