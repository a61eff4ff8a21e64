/** The bounds of a JSON text. */
export interface JsonBounds {
  readonly levels: number;
  /** Members, items, lists and objects together. */
  readonly values: number;
}

/** No real answer comes near it. Parsed, a list or an object takes up to twenty times the bytes of its brackets. */
export const ANSWER_BOUNDS: JsonBounds = { levels: 2_000, values: 2_000_000 };
/** Below this nothing can be too large: a text of brackets alone is parsed to some ten megabytes. */
const SHORT_CHARACTERS = 256 * 1024;

/** Whether a long text would exceed its bounds once parsed; invalid JSON is left to the parser. */
export function isBeyondBounds(text: string, { levels, values }: JsonBounds): boolean {
  if (text.length <= Math.min(levels, SHORT_CHARACTERS)) return false;
  let depth = 0;
  let count = 0;
  for (let position = 0; position < text.length; position += 1) {
    switch (text.charCodeAt(position)) {
      case QUOTE:
        position = findEnd(text, position);
        break;
      case OPEN_LIST:
      case OPEN_OBJECT:
        depth += 1;
        count += 1;
        if (depth > levels || count > values) return true;
        break;
      case CLOSE_LIST:
      case CLOSE_OBJECT:
        depth -= 1;
        break;
      case COMMA:
        count += 1;
        break;
    }
  }
  return count > values;
}

const [QUOTE, COMMA, OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] = [0x22, 0x2c, 0x5b, 0x5d, 0x7b, 0x7d];

/** Where the string that begins there ends; the end of the text if it is not closed. */
function findEnd(text: string, start: number): number {
  for (let end = start; ; ) {
    end = text.indexOf('"', end + 1);
    if (end < 0) return text.length;
    let escapes = 0;
    while (text[end - 1 - escapes] === '\\') escapes += 1;
    if (escapes % 2 === 0) return end;
  }
}
