import { ExactNumber } from '../../core/exact/exact-number.ts';
import { isBlankCell, showCell } from '../request/cell-text.ts';

/** The number a cell is, as a number or written in text; null for anything else. */
function readNumber(value: unknown): number | null {
  if (typeof value === 'number' || value instanceof ExactNumber) return Number(value);
  return typeof value === 'string' && NUMBER.test(value) ? Number(value) : null;
}

const NUMBER = /^\s*[-+]?(\d+(\.\d*)?|\.\d+)(e[-+]?\d+)?\s*$/i;

const isNumber = (value: unknown) => typeof value === 'number' || value instanceof ExactNumber;

/**
 * Whether two cells say the same, whichever format they come from: a number equals its text, true and false theirs, and a blank cell is no value.
 * Texts are equal when they are the same, and numbers beyond 2^53 when they are written alike.
 */
export function isEqualCell(left: unknown, right: unknown): boolean {
  if (isBlankCell(left) || isBlankCell(right)) return isBlankCell(left) && isBlankCell(right);
  if (typeof left === 'boolean' || typeof right === 'boolean') return showCell(left).toLowerCase() === showCell(right).toLowerCase();
  if (!isNumber(left) && !isNumber(right)) return showCell(left) === showCell(right);
  const [a, b] = [readNumber(left), readNumber(right)];
  if (a === null || b === null || a !== b) return false;
  return Math.abs(a) <= Number.MAX_SAFE_INTEGER || showCell(left) === showCell(right);
}

/** Negative where the first is smaller: numbers by what they are, also where a text is one, other texts by their characters. Null where they have no order. */
export function orderCells(left: unknown, right: unknown): number | null {
  const [a, b] = [readNumber(left), readNumber(right)];
  if (a !== null && b !== null) return a - b;
  if (typeof left !== 'string' || typeof right !== 'string' || isBlankCell(left) || isBlankCell(right)) return null;
  return left < right ? -1 : left > right ? 1 : 0;
}

/** Whether a list has a value, or the text of a cell another text. */
export function containsCell(left: unknown, right: unknown): boolean {
  if (isBlankCell(left) || isBlankCell(right)) return false;
  return Array.isArray(left) ? left.some((item) => isEqualCell(item, right)) : showCell(left).includes(showCell(right));
}
