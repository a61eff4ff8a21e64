import { crc32 } from 'node:zlib';
import type { Row } from '../../core/row.ts';

/**
 * Rows of a CSV table as bytes, to be kept. A head, then lines and lengths of texts as numbers of 32 bits, then all texts. Chunks are as long
 * as a multiple of such a number, so that they can lie behind each other.
 */
export interface ChunkHead {
  readonly rows: number;
  /** Of what follows the head. */
  readonly bodyBytes: number;
  readonly crc: number;
}

const NUMBER_BYTES = 4;
const HEAD_NUMBERS = 3;
export const HEAD_BYTES: number = HEAD_NUMBERS * NUMBER_BYTES;
/** Rows whose texts are one string when they are read: so few that it is gone before the collector takes it for long-lived. */
const GROUP_ROWS = 32;

/** @param hasKeys whether the keys of the rows' requests are kept as well */
export function encodeRows(rows: readonly Row[], hasKeys: boolean): Uint8Array<ArrayBuffer> {
  const numbers = new Uint32Array(countNumbers(rows.length, rows[0]?.cells.length ?? 0));
  const texts: string[] = [];
  let textBytes = 0;
  let count = 0;
  for (let start = 0; start < rows.length; start += GROUP_ROWS) {
    const bytesAt = count++;
    let text = rows[start]?.file ?? '';
    numbers[count++] = text.length;
    for (const { line, cells, key } of rows.slice(start, start + GROUP_ROWS)) {
      const kept = (hasKeys ? key : null) ?? '';
      numbers[count++] = line;
      numbers[count++] = kept.length;
      text += kept;
      for (const cell of cells as readonly string[]) {
        numbers[count++] = cell.length;
        text += cell;
      }
    }
    numbers[bytesAt] = Buffer.byteLength(text);
    textBytes += numbers[bytesAt];
    texts.push(text);
  }
  const bodyBytes = Math.ceil((numbers.byteLength + textBytes) / NUMBER_BYTES) * NUMBER_BYTES;
  const chunk = Buffer.from(new ArrayBuffer(HEAD_BYTES + bodyBytes));
  chunk.set(new Uint8Array(numbers.buffer), HEAD_BYTES);
  let end = HEAD_BYTES + numbers.byteLength;
  for (const text of texts) end += chunk.write(text, end);
  const crc = makeCrc(rows.length, bodyBytes, chunk.subarray(HEAD_BYTES));
  numbersOf(chunk, HEAD_NUMBERS).set([rows.length, bodyBytes, crc]);
  return chunk;
}

/** Reads the first bytes of a chunk. */
export function readHead(bytes: Uint8Array): ChunkHead {
  const [rows = 0, bodyBytes = 0, crc = 0] = numbersOf(bytes, HEAD_NUMBERS);
  return { rows, bodyBytes, crc };
}

/** @param width cells of each row. @returns null when the bytes are not those of the head */
export function decodeRows(
  head: ChunkHead,
  body: Buffer,
  { width, firstIndex }: { readonly width: number; readonly firstIndex: number },
): readonly Row[] | null {
  if (body.length !== head.bodyBytes || makeCrc(head.rows, head.bodyBytes, body) !== head.crc) return null;
  const numbers = numbersOf(body, countNumbers(head.rows, width));
  const rows: Row[] = [];
  let count = 0;
  let textEnd = numbers.byteLength;
  let text = '';
  let start = 0;
  let file = '';
  const take = () => {
    const end = start + (numbers[count++] as number);
    const taken = text.slice(start, end);
    start = end;
    return taken;
  };
  while (rows.length < head.rows) {
    if (rows.length % GROUP_ROWS === 0) {
      const textStart = textEnd;
      textEnd += numbers[count++] as number;
      text = body.toString('utf8', textStart, textEnd);
      start = 0;
      file = take();
    }
    const index = firstIndex + rows.length;
    const line = numbers[count++] as number;
    const key = take();
    const cells: string[] = [];
    for (let cell = 0; cell < width; cell += 1) cells.push(take());
    rows.push({ index, file, line, cells, record: null, key: key === '' ? null : key });
  }
  return rows;
}

function makeCrc(rows: number, bodyBytes: number, body: Uint8Array): number {
  return crc32(body, crc32(new Uint8Array(Uint32Array.of(rows, bodyBytes).buffer)));
}

/** Of each group the bytes of its text and the length of the file's name; of each row its line, and the lengths of its key and its cells. */
function countNumbers(rows: number, width: number): number {
  return Math.ceil(rows / GROUP_ROWS) * 2 + rows * (2 + width);
}

/** The numbers at the start of memory that begins where a number may. */
function numbersOf(bytes: Uint8Array, count: number): Uint32Array {
  return new Uint32Array(bytes.buffer, bytes.byteOffset, Math.min(count, Math.floor(bytes.length / NUMBER_BYTES)));
}
