import { findStringEnd } from './string-end.ts';

/** What the text of a JSON value shows and the value does not. */
export interface JsonScan {
  /** In all its objects; a repeated key counts twice. */
  readonly keys: number;
  /** The nesting depth of lists and objects. */
  readonly levels: number;
  /** Whether a number in it is written differently than JavaScript writes its value: `1.10`, `1e3`, `-0`, with many digits. */
  readonly hasOddNumber: boolean;
}

const [QUOTE, MINUS, POINT, ZERO, NINE, COLON] = [34, 45, 46, 48, 57, 58];
const [OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] = [91, 93, 123, 125];
/** This many digits survive conversion to a double and back. */
const EXACT_CHARACTERS = 15;

/** Reads a JSON text from end to end, skipping over its strings: takes a third of the time of parsing. @param text valid JSON */
export function scanJson(text: string): JsonScan {
  let keys = 0;
  let depth = 0;
  let levels = 0;
  let hasOddNumber = false;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) at = findStringEnd(text, at);
    else if (code === COLON) keys += 1;
    else if (code === MINUS || (code >= ZERO && code <= NINE)) {
      const end = findNumberEnd(text, at);
      hasOddNumber ||= isOddNumber(text, at, end);
      at = end - 1;
    } else if (code === OPEN_OBJECT || code === OPEN_LIST) {
      depth += 1;
      if (depth > levels) levels = depth;
    } else if (code === CLOSE_OBJECT || code === CLOSE_LIST) depth -= 1;
  }
  return { keys, levels, hasOddNumber };
}

/** A number is followed by a comma, a bracket, a blank or the end, none of which are its characters. */
function findNumberEnd(text: string, start: number): number {
  let end = start + 1;
  for (let code = text.charCodeAt(end); isNumberCode(code); code = text.charCodeAt(end)) end += 1;
  return end;
}

function isNumberCode(code: number): boolean {
  return (code >= ZERO && code <= NINE) || code === POINT || code === 101 || code === 69 || code === MINUS || code === 43;
}

function isOddNumber(text: string, start: number, end: number): boolean {
  const length = end - start;
  if (length === 1) return false;
  let isWhole = true;
  for (let at = start + 1; at < end; at += 1) {
    const code = text.charCodeAt(at);
    if (code >= ZERO && code <= NINE) continue;
    if (code !== POINT) return isOdd(text.slice(start, end));
    isWhole = false;
  }
  if (length > EXACT_CHARACTERS) return isOdd(text.slice(start, end));
  if (isWhole) return length === 2 && text.startsWith('-0', start);
  if (text.charCodeAt(end - 1) === ZERO) return true;
  // Below a millionth a number is written with an exponent.
  return text.startsWith('.00000', text.indexOf('.', start)) && isOdd(text.slice(start, end));
}

function isOdd(number: string): boolean {
  return String(Number(number)) !== number;
}
