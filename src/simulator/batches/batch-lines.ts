import type { FileHandle } from 'node:fs/promises';

const READ_BYTES = 1 << 17;

/** A line of an input file: its position in the file, not counting blank lines at the end. */
export interface LineIndex {
  /** Offset in bytes of each line's first byte, and after the last one the end of the file. */
  readonly offsets: Float64Array;
  readonly count: number;
}

/** A line without its line break, its number from 1, and its place in the file in bytes; `end` is that of the line break. */
export interface NumberedLine {
  readonly text: string;
  readonly number: number;
  readonly offset: number;
  readonly end: number;
}

/** Reads a file line by line, in chunks. */
export async function* readLines(file: FileHandle): AsyncGenerator<NumberedLine> {
  let rest: Buffer = Buffer.alloc(0);
  let restOffset = 0;
  let number = 0;
  let readOffset = 0;
  for (;;) {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(READ_BYTES), 0, READ_BYTES, readOffset);
    const seen: Buffer = rest.length === 0 ? buffer.subarray(0, bytesRead) : Buffer.concat([rest, buffer.subarray(0, bytesRead)]);
    let start = 0;
    for (let end = seen.indexOf(10); end >= 0; end = seen.indexOf(10, start)) {
      number += 1;
      yield { text: seen.toString('utf8', start, end), number, offset: restOffset + start, end: restOffset + end };
      start = end + 1;
    }
    rest = seen.subarray(start);
    restOffset += start;
    readOffset += bytesRead;
    if (bytesRead === 0) break;
  }
  if (rest.length > 0) yield { text: rest.toString('utf8'), number: number + 1, offset: restOffset, end: restOffset + rest.length };
}

/** Reads the lines `first` to `last` (not included, from 0) of an indexed file at once. */
export async function readLineRange(file: FileHandle, index: LineIndex, first: number, last: number): Promise<readonly string[]> {
  const start = index.offsets[first] ?? 0;
  const length = (index.offsets[last] ?? 0) - start;
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, start);
  return buffer.toString('utf8', 0, bytesRead).split('\n', last - first);
}

/** Cuts the lines into chunks of limited lines and bytes; a longer line is a chunk of its own. Pairs of first and last (not included). */
export function cutChunks(index: LineIndex, most: { readonly lines: number; readonly bytes: number }): (readonly [number, number])[] {
  const chunks: (readonly [number, number])[] = [];
  let first = 0;
  for (let line = 0; line < index.count; line += 1) {
    const bytes = (index.offsets[line + 1] ?? 0) - (index.offsets[first] ?? 0);
    if (line > first && (line - first >= most.lines || bytes > most.bytes)) {
      chunks.push([first, line]);
      first = line;
    }
  }
  if (index.count > first) chunks.push([first, index.count]);
  return chunks;
}
