import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import type { Row } from '../core/row.ts';

/**
 * A file of CSV rows, read in a tenth of the time of parsing them: for each chunk of rows their lines and the lengths of their texts as numbers
 * of 32 bits, then all texts. It is never synced, so every chunk has a crc; and it ends with a seal, without which it was not finished.
 */
export interface RowFileReader extends AsyncDisposable {
  readonly seal: string;
  /** The next chunk; null at the end, and where the file is damaged. */
  readChunk(): Promise<readonly Row[] | null>;
  /** Whether all there is was read. */
  readonly isAtEnd: boolean;
}

export interface RowFileWriter {
  /** Takes rows of one file of the table. */
  add(rows: readonly Row[], hasKeys: boolean): Promise<void>;
  /** Gives the file its name. */
  finish(seal: string): Promise<void>;
  /** Drops a file that is not finished. */
  abandon(): Promise<void>;
}

/** A seal has as many ASCII characters. */
export const SEAL_BYTES = 128;

/** A chunk begins with the number of its rows, the bytes of its text, and the crc of all that follows. */
const HEAD_NUMBERS = 3;
const NUMBER_BYTES = 4;
const HEAD_BYTES = HEAD_NUMBERS * NUMBER_BYTES;
/** Read at once. */
const READ_BYTES = 1 << 20;

/** Begins a file, mode 0600, that takes the place of an older one when it is finished. A disk that refuses it costs the file, nothing else. */
export async function writeRowFile(path: string): Promise<RowFileWriter> {
  const partPath = `${path}.part`;
  let handle: FileHandle | null = await open(partPath, 'w', 0o600).catch(() => null);

  async function drop(): Promise<void> {
    if (handle === null) return;
    const dropped = handle;
    handle = null;
    await dropped.close();
    await rm(partPath, { force: true });
  }

  /** The write under way: one may be, while the next chunk is made. */
  let writing: Promise<void> = Promise.resolve();

  async function write(parts: readonly Uint8Array[]): Promise<void> {
    const wanted = parts.reduce((sum, part) => sum + part.length, 0);
    const written = await handle?.writev(parts).catch(() => null);
    if (written?.bytesWritten !== wanted) await drop();
  }

  return {
    async add(rows, hasKeys) {
      await writing;
      if (handle !== null) writing = write(encodeChunk(rows, hasKeys));
    },
    async finish(seal) {
      await writing;
      await write([Buffer.from(seal, 'latin1')]);
      if (handle === null) return;
      await handle.close();
      handle = null;
      await rename(partPath, path).catch(() => rm(partPath, { force: true }));
    },
    async abandon() {
      await writing;
      await drop();
    },
  };
}

/** Opens a file whose rows have `width` cells; null when there is none that was finished. */
export async function openRowFile(path: string, width: number): Promise<RowFileReader | null> {
  const opened = await open(path, 'r').catch(() => null);
  if (opened === null) return null;
  const handle: FileHandle = opened;
  const { size } = await handle.stat();
  const endBytes = size - SEAL_BYTES;
  let memory = Buffer.allocUnsafeSlow(READ_BYTES);
  /** What the memory holds of the file. */
  let held = { startBytes: 0, endBytes: 0 };
  let position = 0;
  let rowsRead = 0;

  /** Valid until the next read. @returns fewer bytes than wanted where the file ends */
  async function read(wanted: number): Promise<Buffer> {
    if (position + wanted > held.endBytes) {
      if (memory.length < wanted) memory = Buffer.allocUnsafeSlow(wanted * 2);
      const { bytesRead } = await handle.read(memory, 0, memory.length, position);
      held = { startBytes: position, endBytes: position + bytesRead };
    }
    const start = position - held.startBytes;
    position = Math.min(position + wanted, held.endBytes);
    return memory.subarray(start, position - held.startBytes);
  }

  const seal = endBytes < 0 ? '' : (await handle.read(Buffer.alloc(SEAL_BYTES), 0, SEAL_BYTES, endBytes)).buffer.toString('latin1');
  return {
    seal,
    get isAtEnd() {
      return position === endBytes;
    },
    async readChunk() {
      if (position === endBytes) return null;
      const [rows = 0, textBytes = 0, crc = 0] = numbersOf(await read(HEAD_BYTES), HEAD_NUMBERS);
      const bytes = countNumbers(rows, width) * NUMBER_BYTES + textBytes;
      if (position + bytes > endBytes) return null;
      const body = await read(bytes);
      if (crc32(body) !== crc) return null;
      const chunk = decodeChunk(body, { rows, width, firstIndex: rowsRead });
      rowsRead += rows;
      return chunk;
    },
    [Symbol.asyncDispose]: () => handle.close(),
  };
}

/** Rows whose texts are one string when they are read: so few that it is gone before the collector takes it for long-lived. */
const GROUP_ROWS = 32;

/** Of each group the bytes of its text and the length of the file's name; of each row its line, and the lengths of its key and its cells. */
function countNumbers(rows: number, width: number): number {
  return Math.ceil(rows / GROUP_ROWS) * 2 + rows * (2 + width);
}

function encodeChunk(rows: readonly Row[], hasKeys: boolean): readonly Uint8Array[] {
  const numbers = new Uint32Array(countNumbers(rows.length, rows[0]?.cells.length ?? 0));
  const texts: Buffer[] = [];
  let count = 0;
  for (let start = 0; start < rows.length; start += GROUP_ROWS) {
    const bytesAt = count++;
    let text = rows[start]?.file ?? '';
    numbers[count++] = text.length;
    for (const { line, cells, key } of rows.slice(start, start + GROUP_ROWS)) {
      const known = (hasKeys ? key : null) ?? '';
      numbers[count++] = line;
      numbers[count++] = known.length;
      text += known;
      for (const cell of cells as readonly string[]) {
        numbers[count++] = cell.length;
        text += cell;
      }
    }
    const bytes = Buffer.from(text);
    numbers[bytesAt] = bytes.length;
    texts.push(bytes);
  }
  const numberBytes = new Uint8Array(numbers.buffer);
  const unaligned = texts.reduce((sum, text) => sum + text.length, 0) % NUMBER_BYTES;
  // Numbers of the next chunk are to lie where numbers of 32 bits can be read.
  if (unaligned > 0) texts.push(Buffer.alloc(NUMBER_BYTES - unaligned));
  const textBytes = texts.reduce((sum, text) => sum + text.length, 0);
  const crc = texts.reduce((sum, text) => crc32(text, sum), crc32(numberBytes));
  return [new Uint8Array(Uint32Array.of(rows.length, textBytes, crc).buffer), numberBytes, ...texts];
}

function decodeChunk(body: Buffer, shape: { readonly rows: number; readonly width: number; readonly firstIndex: number }): readonly Row[] {
  const numbers = numbersOf(body, countNumbers(shape.rows, shape.width));
  const rows: Row[] = [];
  let count = 0;
  let text = '';
  let start = 0;
  let textStart = numbers.byteLength;
  const take = () => {
    const end = start + (numbers[count++] as number);
    const taken = text.slice(start, end);
    start = end;
    return taken;
  };
  let file = '';
  while (rows.length < shape.rows) {
    if (rows.length % GROUP_ROWS === 0) {
      const textEnd = textStart + (numbers[count++] as number);
      text = body.toString('utf8', textStart, textEnd);
      textStart = textEnd;
      start = 0;
      file = take();
    }
    const index = shape.firstIndex + rows.length;
    const line = numbers[count++] as number;
    const key = take();
    const cells: string[] = [];
    for (let cell = 0; cell < shape.width; cell += 1) cells.push(take());
    rows.push({ index, file, line, cells, record: null, key: key === '' ? null : key });
  }
  return rows;
}

/** The numbers a piece of memory begins with; fewer where it is shorter. */
function numbersOf(bytes: Buffer, count: number): Uint32Array {
  return new Uint32Array(bytes.buffer, bytes.byteOffset, Math.min(count, Math.floor(bytes.length / NUMBER_BYTES)));
}
