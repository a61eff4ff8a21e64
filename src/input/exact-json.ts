/**
 * What reading a JSON text and writing it again would change without a word, or could not do; null when its value says exactly what the text
 * says. The text must be valid JSON.
 */
export function findSilentChange(text: string): string | null {
  if (!text.isWellFormed()) return 'it holds half of a character (a lone surrogate)';
  const scopes: (Set<string> | null)[] = [];
  let isKeyNext = false;
  for (let position = 0; position < text.length; position += 1) {
    const character = text[position] as string;
    if (character === '"') {
      const end = findStringEnd(text, position);
      const raw = text.slice(position, end + 1);
      if (raw.includes('\\u') && !(JSON.parse(raw) as string).isWellFormed()) return 'it holds half of a character (a lone surrogate)';
      const keys = scopes.at(-1);
      if (isKeyNext && keys != null) {
        const key = raw.includes('\\') ? (JSON.parse(raw) as string) : raw.slice(1, -1);
        if (keys.has(key)) return `the key ${JSON.stringify(key)} stands in it twice`;
        keys.add(key);
        isKeyNext = false;
      }
      position = end;
    } else if (character === '{' || character === '[') {
      if (scopes.length === MAX_DEPTH) return `it nests deeper than ${MAX_DEPTH} levels`;
      isKeyNext = character === '{';
      scopes.push(isKeyNext ? new Set() : null);
    } else if (character === '}' || character === ']') {
      scopes.pop();
      isKeyNext = false;
    } else if (character === ',') isKeyNext = scopes.at(-1) !== null;
    else if (character === '-' || (character >= '0' && character <= '9')) {
      const number = NUMBER.exec(text.slice(position, position + MAX_NUMBER_CHARACTERS))?.[0] ?? character;
      if (isRounded(number)) return `the number ${number} cannot be kept exactly`;
      position += number.length - 1;
    }
  }
  return null;
}

/** A value is parsed at any depth, but written only as deep as the stack allows; no answer is meant to come near this. */
const MAX_DEPTH = 1_000;
const NUMBER = /^-?\d+(\.\d+)?([eE][+-]?\d+)?/;
const MAX_NUMBER_CHARACTERS = 400;

/** Integers beyond 2^53 lose their last digits; fractions are doubles by custom. */
function isRounded(number: string): boolean {
  const value = Number(number);
  if (!Number.isFinite(value)) return true;
  return /^-?\d+$/.test(number) && !Number.isSafeInteger(value) && BigInt(number) !== BigInt(value);
}

function findStringEnd(text: string, start: number): number {
  let end = text.indexOf('"', start + 1);
  while (isEscaped(text, end)) end = text.indexOf('"', end + 1);
  return end;
}

function isEscaped(text: string, position: number): boolean {
  let backslashes = 0;
  while (text[position - 1 - backslashes] === '\\') backslashes += 1;
  return backslashes % 2 === 1;
}
