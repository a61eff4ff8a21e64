import { UsageError } from '../../core/errors.ts';
import { findUnwritable } from '../answer/exact-json.ts';
import type { TableFile } from './read-bytes.ts';

/** A JSON object of a table and the line it starts on, from 1. The record has no prototype: `__proto__` is a key like any other. */
export interface JsonRecord {
  readonly record: Readonly<Record<string, unknown>>;
  readonly line: number;
}

/** A record above this is no row of a table. */
export const MAX_RECORD_BYTES = 64 * 1024 * 1024;

/** Reads the text of one record. @throws UsageError with file, line and column */
export function readJsonRecord(text: string, file: TableFile, line: number, column = 1): JsonRecord {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw damagedJson(file, line, column, `not valid JSON: ${(error as Error).message}`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    const found = Array.isArray(value) ? 'a list' : value === null ? 'null' : `a ${typeof value}`;
    throw damagedJson(file, line, column, `each record must be a JSON object, not ${found}`);
  }
  const unwritable = findUnwritable(text);
  if (unwritable !== null) {
    const at = placeWithin(text, unwritable.position, { line, column });
    throw damagedJson(file, at.line, at.column, `the record cannot be written again: ${unwritable.why}`);
  }
  const inexact = findInexactNumber(text);
  if (inexact !== null) throw damagedJson(file, line, column, `the number ${inexact} cannot be kept exactly; write it in quotes`);
  return { record: Object.setPrototypeOf(value, null) as Readonly<Record<string, unknown>>, line };
}

/** The line and column of a position in a text that begins at `start`. */
function placeWithin(text: string, position: number, start: { readonly line: number; readonly column: number }) {
  const before = text.slice(0, position);
  const lineStart = before.lastIndexOf('\n') + 1;
  const lines = before.split('\n').length - 1;
  return { line: start.line + lines, column: lines === 0 ? start.column + position : position - lineStart + 1 };
}

/** A place in a JSON table. */
export function damagedJson(file: TableFile, line: number, column: number, message: string): UsageError {
  return new UsageError([{ place: { file: file.shown, line, column }, message }], { code: 'table' });
}

const SUSPECT = /\d{16}|\d[eE]\+?\d{3}/;
const STRINGS_AND_NUMBERS = /"(?:[^"\\]+|\\.)*"|-?\d[\d.eE+-]*/g;

/** A whole number that a JavaScript number would round, or a number beyond its range; null when every number survives. */
function findInexactNumber(text: string): string | null {
  if (!SUSPECT.test(text)) return null;
  for (const [token] of text.matchAll(STRINGS_AND_NUMBERS)) {
    if (token.startsWith('"')) continue;
    const value = Number(token);
    const isExact = Number.isFinite(value) && (!/^-?\d+$/.test(token) || String(value) === token || BigInt(token) === BigInt(value));
    if (!isExact) return token.slice(0, 40);
  }
  return null;
}

const LF = 10;

/** Streams the records of a JSONL text: one object per line, blank lines skipped. @throws UsageError with file and line */
export async function* readJsonLines(chunks: AsyncIterable<Buffer>, file: TableFile): AsyncGenerator<readonly JsonRecord[]> {
  let pieces: Buffer[] = [];
  let pieceBytes = 0;
  let line = 1;
  const readLines = (bytes: Buffer): JsonRecord[] => {
    const records: JsonRecord[] = [];
    for (const text of bytes.toString('utf8').split('\n')) {
      if (text.trim() !== '') records.push(readJsonRecord(text, file, line));
      line++;
    }
    return records;
  };
  for await (const chunk of chunks) {
    const end = chunk.lastIndexOf(LF);
    if (end === -1) {
      pieces.push(chunk);
      pieceBytes += chunk.length;
      if (pieceBytes > MAX_RECORD_BYTES) throw damagedJson(file, line, 1, 'a record of more than 64 MB; is this JSONL?');
      continue;
    }
    const whole = Buffer.concat([...pieces, chunk.subarray(0, end)]);
    pieces = [Buffer.from(chunk.subarray(end + 1))];
    pieceBytes = chunk.length - end - 1;
    const records = readLines(whole);
    if (records.length > 0) yield records;
  }
  const records = readLines(Buffer.concat(pieces));
  if (records.length > 0) yield records;
}
