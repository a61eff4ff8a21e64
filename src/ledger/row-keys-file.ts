import fs from 'node:fs';
import path from 'node:path';
import { crc32 } from 'node:zlib';
import { VERSION } from '../core/version.ts';
import { makeTemporaryPath, openForReading, openPrivateFile, readBytesAt, removeQuietly, writeFully } from './disk/durable-files.ts';

/** What the keys were computed from. */
export interface RowKeysSource {
  /** The sha256 (hex) of the table's bytes. */
  readonly input: string;
  /** Identifies everything else that determines a row's request. */
  readonly job: string;
}

/** The keys of a table's rows as an earlier process found them. */
export interface StoredRowKeys extends RowKeysSource {
  /** Passes on the key of each row, in order; null for a row without one. @returns false if the file is damaged: then no key is to be used */
  read(take: (key: string | null) => void): boolean;
}

/** The keys of a table's rows, stored by a run for later ones: the file `keys`. */
export interface RowKeysFile {
  /** Null if there are none, or none that this version wrote. */
  open(): StoredRowKeys | null;
  /**
   * Writes keys as they are found. The file is derived and never synced: a failing disk, or a key that does not fit, costs a later run time
   * and nothing else. For a small table none is written.
   */
  createWriter(): RowKeysWriter;
}

export interface RowKeysWriter {
  add(key: string | null): void;
  /** Replaces earlier keys. */
  finish(source: RowKeysSource): void;
  abandon(): void;
}

/** The first line of the file, padded with spaces; the keys follow. */
interface Header extends RowKeysSource {
  readonly version: string;
  readonly rows: number;
  /** Of the keys. */
  readonly crc: number;
}

const HEADER_BYTES = 512;
const KEY_CHARACTERS = 22;
const NO_KEY = ' '.repeat(KEY_CHARACTERS);
/** Rendering fewer rows than this takes less time than opening a file. */
const CHUNK_BYTES = KEY_CHARACTERS << 13;

/**
 * @param randomId names the file while it is written
 * @param assertWritable called before it gets its name. @throws whatever it throws
 */
export function openRowKeysFile(directory: string, randomId: () => string, assertWritable: () => void = () => {}): RowKeysFile {
  const file = path.join(directory, 'keys');
  return {
    open() {
      const header = tryOnDisk(() => withFile(file, readHeader));
      if (header === null) return null;
      const { input, job } = header;
      return { input, job, read: (take) => tryOnDisk(() => withFile(file, (descriptor) => readKeys(descriptor, header, take))) ?? false };
    },
    createWriter: () => createWriter(file, makeTemporaryPath(file, randomId()), assertWritable),
  };
}

function readHeader(descriptor: number): Header | null {
  const header = JSON.parse(readBytesAt(descriptor, { offsetBytes: 0, lengthBytes: HEADER_BYTES }).toString('latin1')) as Header;
  const isWhole = fs.fstatSync(descriptor).size === HEADER_BYTES + header.rows * KEY_CHARACTERS;
  return header.version === VERSION && isWhole ? header : null;
}

function readKeys(descriptor: number, { rows, crc }: Header, take: (key: string | null) => void): boolean {
  const end = HEADER_BYTES + rows * KEY_CHARACTERS;
  let sum = 0;
  for (let offsetBytes = HEADER_BYTES; offsetBytes < end; ) {
    const bytes = readBytesAt(descriptor, { offsetBytes, lengthBytes: Math.min(CHUNK_BYTES, end - offsetBytes) });
    if (bytes.length === 0) return false;
    sum = crc32(bytes, sum);
    const text = bytes.toString('latin1');
    for (let start = 0; start < text.length; start += KEY_CHARACTERS) {
      const key = text.slice(start, start + KEY_CHARACTERS);
      take(key === NO_KEY ? null : key);
    }
    offsetBytes += bytes.length;
  }
  return sum === crc;
}

function createWriter(file: string, temporaryPath: string, assertWritable: () => void): RowKeysWriter {
  const memory = Buffer.allocUnsafe(CHUNK_BYTES);
  let descriptor: number | null = null;
  let held = 0;
  let rows = 0;
  let crc = 0;
  let isGivenUp = false;

  function close(): void {
    if (descriptor !== null) fs.closeSync(descriptor);
    descriptor = null;
  }

  function giveUp(): void {
    if (descriptor !== null) removeQuietly(temporaryPath);
    isGivenUp = true;
    close();
  }

  function flush(): void {
    const bytes = memory.subarray(0, held);
    const { O_WRONLY, O_CREAT, O_EXCL } = fs.constants;
    const isWritten = tryOnDisk(() => {
      descriptor ??= openPrivateFile(temporaryPath, O_WRONLY | O_CREAT | O_EXCL);
      writeFully(descriptor, bytes, HEADER_BYTES + (rows * KEY_CHARACTERS - held));
      return true;
    });
    if (isWritten === null) giveUp();
    crc = crc32(bytes, crc);
    held = 0;
  }

  return {
    add(key) {
      if (key !== null && key.length !== KEY_CHARACTERS) giveUp();
      if (held === CHUNK_BYTES && !isGivenUp) flush();
      if (isGivenUp) return;
      held += memory.write(key ?? NO_KEY, held, 'latin1');
      rows += 1;
    },
    finish({ input, job }) {
      // Without a file, the table is small.
      if (descriptor !== null) flush();
      if (descriptor === null) return;
      const header: Header = { input, job, version: VERSION, rows, crc };
      const published = tryOnDisk(() => {
        writeFully(descriptor as number, Buffer.from(`${JSON.stringify(header).padEnd(HEADER_BYTES - 1)}\n`), 0);
        assertWritable();
        fs.renameSync(temporaryPath, file);
        return true;
      });
      if (published === null) giveUp();
      close();
    },
    abandon: giveUp,
  };
}

function withFile<Result>(file: string, step: (descriptor: number) => Result): Result {
  const descriptor = openForReading(file);
  try {
    return step(descriptor);
  } finally {
    fs.closeSync(descriptor);
  }
}

/** Null if the disk fails, or there is something other than such a file. */
function tryOnDisk<Result>(step: () => Result): Result | null {
  try {
    return step();
  } catch {
    return null;
  }
}
