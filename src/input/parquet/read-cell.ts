import { isUtf8 } from 'node:buffer';
import type { SchemaElement, TimeUnit } from 'hyparquet';
import { parseFloat16 } from 'hyparquet/src/convert.js';
import { makeNumber } from '../../core/exact/exact-number.ts';
import { formatDay, formatInstant, formatTimeOfDay } from './format-time.ts';

/** Turns a stored value into a cell. @throws Error if it is not a value of its type */
export type ReadCell = (stored: never) => unknown;

/**
 * How a column's values are converted. Numbers keep all their digits, decimals also trailing zeros; dates and times are
 * ISO 8601 with as much of the time zone as the file contains; bytes that are not declared as text become base64.
 * @param isPlainText whether bytes without a declared type are text, as Impala writes them
 */
export function chooseReadCell(element: SchemaElement, isPlainText: boolean): ReadCell {
  const { logical_type: logical, converted_type: converted, type } = element;
  switch (logical?.type) {
    case 'DECIMAL':
      return readDecimal(logical.scale);
    case 'DATE':
      return formatDay;
    case 'TIME':
      return readTime(logical.unit, logical.isAdjustedToUTC);
    case 'TIMESTAMP':
      return readTimestamp(logical.unit, logical.isAdjustedToUTC);
    case 'UUID':
      return readUuid;
    case 'FLOAT16':
      return (bytes: Uint8Array) => shorten(parseFloat16(bytes) as number, FLOAT16);
    case 'STRING':
    case 'ENUM':
    case 'JSON':
      return readText;
    case 'INTEGER':
      return logical.isSigned ? readWhole : readUnsigned;
    default:
  }
  switch (converted) {
    case 'DECIMAL':
      return readDecimal(element.scale ?? 0);
    case 'DATE':
      return formatDay;
    case 'TIME_MILLIS':
      return readTime('MILLIS', true);
    case 'TIME_MICROS':
      return readTime('MICROS', true);
    case 'TIMESTAMP_MILLIS':
      return readTimestamp('MILLIS', true);
    case 'TIMESTAMP_MICROS':
      return readTimestamp('MICROS', true);
    case 'UTF8':
    case 'ENUM':
    case 'JSON':
      return readText;
    case 'UINT_8':
    case 'UINT_16':
    case 'UINT_32':
    case 'UINT_64':
      return readUnsigned;
    case 'INTERVAL':
      return readInterval;
    default:
  }
  switch (type) {
    case 'BOOLEAN':
      return Boolean;
    case 'FLOAT':
      return (value: number) => shorten(value, FLOAT32);
    case 'DOUBLE':
      return keepNumber;
    case 'INT96':
      return readInt96;
    case 'BYTE_ARRAY':
      return isPlainText ? readText : readBytes;
    case 'FIXED_LEN_BYTE_ARRAY':
      return readBytes;
    default:
      return readWhole;
  }
}

/** Whether a column holds bytes without a declared type. */
export function isBinary({ type, logical_type: logical, converted_type: converted }: SchemaElement): boolean {
  return (type === 'BYTE_ARRAY' || type === 'FIXED_LEN_BYTE_ARRAY') && logical === undefined && converted === undefined;
}

function asBuffer({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}

function readText(bytes: Uint8Array): string {
  if (!isUtf8(bytes)) throw new Error('a text is not UTF-8');
  return asBuffer(bytes).toString('utf8');
}

function readBytes(bytes: Uint8Array): string {
  return asBuffer(bytes).toString('base64');
}

function readUuid(bytes: Uint8Array): string {
  return asBuffer(bytes)
    .toString('hex')
    .replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

/** Beyond 2^53 the digits are kept. */
function readWhole(value: number | bigint): unknown {
  return typeof value === 'number' ? value : makeNumber(String(value));
}

function readUnsigned(value: number | bigint): unknown {
  return typeof value === 'number' ? value >>> 0 : readWhole(BigInt.asUintN(64, value));
}

/** JSON has no number for NaN and infinities: they become text. */
function keepNumber(value: number): unknown {
  if (Object.is(value, -0)) return makeNumber('-0');
  return Number.isFinite(value) ? value : String(value);
}

/** Enough digits for every value of a smaller type, and whether a number converts back to that value. */
interface SmallFloat {
  readonly digits: readonly number[];
  readonly round: (value: number) => number;
}

const FLOAT32: SmallFloat = { digits: [6, 7, 8, 9], round: Math.fround };
/** 11 significant bits: five digits are enough. */
const FLOAT16: SmallFloat = { digits: [3, 4, 5], round: roundToFloat16 };

/** The shortest number that equals this value in its own type: 0.1, not 0.10000000149011612. A whole number stays itself: 65504, not 65500. */
function shorten(value: number, { digits, round }: SmallFloat): unknown {
  if (!Number.isFinite(value) || value === 0) return keepNumber(value);
  if (Number.isSafeInteger(value)) return value;
  for (const count of digits) {
    const short = Number(value.toPrecision(count));
    if (round(short) === value) return short;
  }
  return value;
}

function roundToFloat16(value: number): number {
  const exponent = Math.max(-14, Math.floor(Math.log2(Math.abs(value))));
  const step = 2 ** (exponent - 10);
  return Math.round(value / step) * step;
}

function readDecimal(scale: number): ReadCell {
  return (stored: number | bigint | Uint8Array) => {
    const unscaled = typeof stored === 'object' ? readBigEndian(stored) : BigInt(stored);
    const digits = String(unscaled < 0n ? -unscaled : unscaled).padStart(scale + 1, '0');
    const sign = unscaled < 0n ? '-' : '';
    const whole = digits.length - scale;
    return makeNumber(
      scale > 0 ? `${sign}${digits.slice(0, whole)}.${digits.slice(whole)}` : `${sign}${digits}${'0'.repeat(unscaled === 0n ? 0 : -scale)}`,
    );
  };
}

/** In two's complement. */
function readBigEndian(bytes: Uint8Array): bigint {
  const hex = asBuffer(bytes).toString('hex');
  return hex === '' ? 0n : BigInt.asIntN(bytes.length * 8, BigInt(`0x${hex}`));
}

const NANOS_PER: Readonly<Record<TimeUnit, bigint>> = { MILLIS: 1_000_000n, MICROS: 1_000n, NANOS: 1n };

function readTime(unit: TimeUnit, isUtc: boolean): ReadCell {
  return (value: number | bigint) => formatTimeOfDay(BigInt(value) * NANOS_PER[unit]) + (isUtc ? 'Z' : '');
}

function readTimestamp(unit: TimeUnit, isUtc: boolean): ReadCell {
  return (value: bigint) => formatInstant(value * NANOS_PER[unit], isUtc);
}

const JULIAN_DAY_OF_1970 = 2_440_588;
const NANOS_PER_DAY = 86_400_000_000_000n;

/** A Julian day and the nanoseconds of that day, in an unknown time zone. */
function readInt96(bytes: Uint8Array): string {
  const parts = asBuffer(bytes);
  const nanos = BigInt(parts.readInt32LE(8) - JULIAN_DAY_OF_1970) * NANOS_PER_DAY + parts.readBigInt64LE(0);
  // Spark counts 64-bit microseconds, and distant days wrap around.
  const beyondMicros = nanos % 1000n;
  return formatInstant(BigInt.asIntN(64, (nanos - beyondMicros) / 1000n) * 1000n + beyondMicros, false);
}

/** Months, days and milliseconds, as an ISO 8601 duration. */
function readInterval(bytes: Uint8Array): string {
  const parts = asBuffer(bytes);
  const [months, days, milliseconds] = [parts.readUInt32LE(0), parts.readUInt32LE(4), parts.readUInt32LE(8)];
  return `P${months}M${days}DT${milliseconds / 1000}S`;
}
