import { damagedJson, type JsonRecord, MAX_RECORD_BYTES, readJsonRecord } from './json-records.ts';
import type { TableFile } from './read-bytes.ts';

const QUOTE = 34;
const BACKSLASH = 92;
const COMMA = 44;
const LF = 10;
const OPENING = new Set([91, 123]);
const CLOSING = new Set([93, 125]);
const ARRAY_START = 91;
const ARRAY_END = 93;

/** What the scanner expects outside of an element. */
type Expecting = 'array' | 'first' | 'element' | 'comma' | 'end';

/**
 * Streams the elements of one JSON array without holding more than one of them: brackets and strings are followed byte by byte,
 * and each element is then parsed by itself.
 * @throws UsageError if the array itself is broken; an element that is not a record is a fault at its place
 */
export async function* readJsonArray(chunks: AsyncIterable<Buffer>, file: TableFile, firstLine = 1): AsyncGenerator<readonly JsonRecord[]> {
  let expecting: Expecting = 'array';
  let line = firstLine;
  let column = 0;
  let depth = 0;
  let isString = false;
  let isEscaped = false;
  let element: { pieces: Buffer[]; bytes: number; line: number; column: number } | null = null;
  for await (const chunk of chunks) {
    const records: JsonRecord[] = [];
    let start = 0;
    for (let index = 0; index < chunk.length; index++) {
      const byte = chunk[index] ?? 0;
      column++;
      if (element !== null) {
        if (isString) {
          if (isEscaped) isEscaped = false;
          else if (byte === BACKSLASH) isEscaped = true;
          else if (byte === QUOTE) isString = false;
        } else if (byte === QUOTE) isString = true;
        else if (OPENING.has(byte)) depth++;
        else if (depth > 0 && CLOSING.has(byte)) depth--;
        else if (depth === 0 && (byte === COMMA || byte === ARRAY_END)) {
          const text = Buffer.concat([...element.pieces, chunk.subarray(start, index)]).toString('utf8');
          records.push(readJsonRecord(text, file, element.line, element.column));
          element = null;
          expecting = byte === COMMA ? 'element' : 'end';
        }
      } else if (!isSpace(byte)) {
        if (expecting === 'array') {
          if (byte !== ARRAY_START)
            throw damagedJson(file, line, column, 'a JSON table is one array of objects, or one object per line (format: jsonl)');
          expecting = 'first';
        } else if (expecting === 'end') throw damagedJson(file, line, column, 'text after the end of the array');
        else if (byte === ARRAY_END && expecting === 'first') expecting = 'end';
        else if (byte === ARRAY_END || byte === COMMA) throw damagedJson(file, line, column, 'a comma without an element next to it');
        else {
          element = { pieces: [], bytes: 0, line, column };
          start = index;
          depth = OPENING.has(byte) ? 1 : 0;
          isString = byte === QUOTE;
        }
      }
      if (byte === LF) {
        line++;
        column = 0;
      }
    }
    if (element !== null) {
      element.pieces.push(Buffer.from(chunk.subarray(start)));
      element.bytes += chunk.length - start;
      if (element.bytes > MAX_RECORD_BYTES) throw damagedJson(file, element.line, element.column, 'an element of more than 64 MB');
      start = 0;
    }
    if (records.length > 0) yield records;
  }
  if (element !== null) throw damagedJson(file, element.line, element.column, 'the element that starts here does not end');
  if (expecting !== 'end') throw damagedJson(file, line, Math.max(column, 1), 'the array does not end');
}

function isSpace(byte: number): boolean {
  return byte === 32 || byte === 9 || byte === LF || byte === 13;
}
