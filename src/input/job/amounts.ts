import type { StopRule, Threshold } from '../../core/job.ts';

const DECIMAL = /^(\d+)(?:\.(\d+))?(?:e([+-]\d+))?$/;

/** Dollars as integer nano-dollars, exactly as written; null if finer than a nano-dollar or too large to be counted exactly ($9,007,199). */
export function readNanoUsd(usd: number): number | null {
  const parts = DECIMAL.exec(String(usd));
  if (parts === null) return null;
  const [, whole = '', fraction = '', exponent = '0'] = parts;
  const shift = 9 + Number(exponent) - fraction.length;
  const digits = whole + fraction;
  const exact = shift >= 0 ? digits + '0'.repeat(shift) : digits.slice(0, shift);
  if (shift < 0 && !/^0*$/.test(digits.slice(shift))) return null;
  const nanoUsd = Number(exact);
  return Number.isSafeInteger(nanoUsd) ? nanoUsd : null;
}

const THRESHOLD = /^>?\s*(\d+(?:\.\d+)?)\s*(%?)$/;

/** `"> 1%"` (a share of the rows), `"> 5"` or 5 (a count): more than this fails. Null if it is neither. */
export function readThreshold(value: string | number): Threshold | null {
  const parts = THRESHOLD.exec(String(value).trim());
  if (parts === null) return null;
  const over = Number(parts[1]);
  if (parts[2] === '%') return over <= 100 ? { type: 'share', over: over / 100 } : null;
  return Number.isSafeInteger(over) ? { type: 'count', over } : null;
}

const STOP_LIMIT = /^>\s*(\d+(?:\.\d+)?)\s*%(?:\s+of\s+first\s+([1-9]\d{0,8}))?$/;

/** `"> 20% of first 200"`, `"> 20%"` or a count as in `readThreshold`. Null if it is none of them. */
export function readStopLimit(value: string | number): Pick<StopRule, 'over' | 'first'> | null {
  const parts = STOP_LIMIT.exec(String(value).trim());
  if (parts === null) {
    const over = readThreshold(value);
    return over === null ? null : { over, first: null };
  }
  const over = Number(parts[1]) / 100;
  return over <= 1 ? { over: { type: 'share', over }, first: parts[2] === undefined ? null : Number(parts[2]) } : null;
}

/** Any row at all. */
export const ANY_ROW: Threshold = { type: 'count', over: 0 };
