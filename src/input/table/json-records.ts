import { UsageError } from '../../core/errors.ts';
import { parseExactly } from '../../core/exact/parse-exactly.ts';
import { scanJson } from '../../core/exact/scan-json.ts';
import { findRepetition, findUnwritable } from '../answer/exact-json.ts';
import type { BadRecord } from './bad-rows.ts';
import { findJsonFault } from './json-fault.ts';
import type { TableFile } from './read-bytes.ts';

/** A JSON object of a table and the line it starts on, from 1. */
export interface JsonRecord {
  /** It has no prototype: `__proto__` is a key like any other. Null if there is a fault. */
  readonly record: Readonly<Record<string, unknown>> | null;
  readonly line: number;
  /** Its text, unchanged. */
  readonly text: string;
  /** Why the text is not a record; null if it is. */
  readonly fault: BadRecord | null;
}

/** A longer record is not a row of a table. */
export const MAX_RECORD_BYTES = 64 * 1024 * 1024;

/** Reads the text of one record. Nothing in it is changed or left out: what could not be written again is a fault. */
export function readJsonRecord(text: string, file: TableFile, line: number, column = 1): JsonRecord {
  const refuse = (message: string, at: { readonly line: number; readonly column: number } = { line, column }): JsonRecord => {
    return { record: null, line, text, fault: { line, place: { file: file.shown, ...at }, message, raw: text.slice(0, RAW_CHARACTERS) } };
  };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    const { position, why } = findJsonFault(text);
    return refuse(`not valid JSON: ${why}`, placeWithin(text, position, { line, column }));
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    const found = Array.isArray(value) ? 'a list' : value === null ? 'null' : `a ${typeof value}`;
    return refuse(`each record must be a JSON object, not ${found}`);
  }
  const scan = scanJson(text);
  const unwritable = findUnwritable(text, scan) ?? findRepetition(text, value, scan);
  if (unwritable !== null)
    return refuse(`the record cannot be written again: ${unwritable.why}`, placeWithin(text, unwritable.position, { line, column }));
  const exact = scan.hasOddNumber ? parseExactly(text) : value;
  return { record: Object.setPrototypeOf(exact, null) as Readonly<Record<string, unknown>>, line, text, fault: null };
}

/** More than is ever shown of a bad record. */
const RAW_CHARACTERS = 1_024;

/** The line and column of a position in a text that starts at `start`. */
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

const LF = 10;

/** Streams the records of a JSONL text: one object per line, blank lines skipped. @throws UsageError if a line is so long that this is not a table */
export async function* readJsonLines(chunks: AsyncIterable<Buffer>, file: TableFile, firstLine = 1): AsyncGenerator<readonly JsonRecord[]> {
  let pieces: Buffer[] = [];
  let pieceBytes = 0;
  let line = firstLine;
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
      pieces.push(Buffer.from(chunk));
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
