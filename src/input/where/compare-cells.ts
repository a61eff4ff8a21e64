import { ExactNumber } from '../../core/exact/exact-number.ts';
import { isBlankCell, showCell } from '../request/cell-text.ts';

/** The number in a cell, as a number or written as text; null for anything else. */
function readNumber(value: unknown): number | null {
  if (typeof value === 'number' || value instanceof ExactNumber) return Number(value);
  return typeof value === 'string' && NUMBER.test(value) ? Number(value) : null;
}

const NUMBER = /^\s*[-+]?(\d+(\.\d*)?|\.\d+)(e[-+]?\d+)?\s*$/i;

/**
 * Whether two values are equal, whichever format they come from: a blank cell is no value; numbers are equal as numbers, beyond 2^53 if they
 * are written the same, and true and false equal their words.
 * @param isText whether one of them is a constant in quotes: then it is compared with the text of the other
 */
export function isEqual(left: unknown, right: unknown, isText: boolean): boolean {
  if (isBlankCell(left) || isBlankCell(right)) return isBlankCell(left) && isBlankCell(right);
  const [leftText, rightText] = [showCell(left), showCell(right)];
  if (isText || leftText === rightText) return leftText === rightText;
  if (typeof left === 'boolean' || typeof right === 'boolean') return leftText.toLowerCase() === rightText.toLowerCase();
  const [a, b] = [readNumber(left), readNumber(right)];
  return a !== null && a === b && Math.abs(a) <= Number.MAX_SAFE_INTEGER;
}

/** Negative if the first is smaller: numbers by value, also if one is text, other texts by their characters. Null if they have no order. */
export function orderCells(left: unknown, right: unknown): number | null {
  const [a, b] = [readNumber(left), readNumber(right)];
  if (a !== null && b !== null) return a - b;
  if (typeof left !== 'string' || typeof right !== 'string' || isBlankCell(left) || isBlankCell(right)) return null;
  return left < right ? -1 : left > right ? 1 : 0;
}

/** Whether a list contains a value, or the text of a cell another text. */
export function containsCell(left: unknown, right: unknown, isText: boolean): boolean {
  if (isBlankCell(left) || isBlankCell(right)) return false;
  return Array.isArray(left) ? left.some((item) => isEqual(item, right, isText)) : showCell(left).includes(showCell(right));
}
