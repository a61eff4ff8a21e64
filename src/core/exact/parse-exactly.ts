import { makeNumber } from './exact-number.ts';
import { findStringEnd } from './string-end.ts';

/**
 * The value of a JSON text, with numbers as written in it.
 * @param text valid JSON, nested no deeper than the stack allows
 */
export function parseExactly(text: string): unknown {
  let at = 0;

  /** The next character that is not whitespace. */
  function peek(): string {
    SPACES.lastIndex = at;
    SPACES.test(text);
    at = SPACES.lastIndex;
    return text[at] as string;
  }

  function readString(): string {
    const start = at;
    at = findStringEnd(text, at) + 1;
    return JSON.parse(text.slice(start, at)) as string;
  }

  function readList(): unknown[] {
    const items: unknown[] = [];
    at += 1;
    while (peek() !== ']') {
      items.push(readValue());
      if (peek() === ',') at += 1;
    }
    at += 1;
    return items;
  }

  function readObject(): object {
    const entries: [string, unknown][] = [];
    at += 1;
    while (peek() !== '}') {
      const key = readString();
      peek();
      at += 1;
      entries.push([key, readValue()]);
      if (peek() === ',') at += 1;
    }
    at += 1;
    return Object.fromEntries(entries);
  }

  function readValue(): unknown {
    const first = peek();
    if (first === '"') return readString();
    if (first === '[') return readList();
    if (first === '{') return readObject();
    const start = at;
    while (!ENDS_WORD.includes(text[at] ?? ' ')) at += 1;
    const word = text.slice(start, at);
    return first === '-' || (first >= '0' && first <= '9') ? makeNumber(word) : JSON.parse(word);
  }

  return readValue();
}

const SPACES = /\s*/y;
const ENDS_WORD = ',]} \t\r\n';
