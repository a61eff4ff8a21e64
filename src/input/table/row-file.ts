import { constants } from 'node:fs';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import type { Row } from '../../core/row.ts';
import { decodeRows, encodeRows, HEAD_BYTES, readHead } from './row-chunk.ts';

/**
 * A file of chunks of CSV rows. It is never synced, which is what the crc of a chunk is for; and it ends with a seal, without which it was not
 * finished.
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

const { O_CREAT, O_NOFOLLOW = 0, O_NONBLOCK = 0, O_RDONLY, O_TRUNC, O_WRONLY } = constants;
/** A link in the file's place is not followed, a FIFO not waited for. */
const NO_OTHER_KIND = O_NOFOLLOW | O_NONBLOCK;

/** A seal has as many ASCII characters. */
const SEAL_BYTES = 128;

/** Read at once. */
const READ_BYTES = 1 << 20;

/** Removes a file, and what a killed process left of one. */
export async function removeRowFile(path: string): Promise<void> {
  // It is derived: what cannot be removed is not used either.
  await Promise.all([path, `${path}.part`].map((file) => rm(file, { force: true }).catch(() => undefined)));
}

/** Begins a file, mode 0600, that takes the place of an older one when it is finished. A disk that refuses it costs the file, nothing else. */
export async function writeRowFile(path: string): Promise<RowFileWriter> {
  const partPath = `${path}.part`;
  let handle: FileHandle | null = await open(partPath, O_WRONLY | O_CREAT | O_TRUNC | NO_OTHER_KIND, 0o600).catch(() => null);

  async function drop(): Promise<void> {
    if (handle === null) return;
    const dropped = handle;
    handle = null;
    await dropped.close();
    await rm(partPath, { force: true });
  }

  /** The write under way: one may be, while the next chunk is made. */
  let writing: Promise<void> = Promise.resolve();

  async function write(bytes: Uint8Array): Promise<void> {
    const written = await handle?.write(bytes).catch(() => null);
    if (written?.bytesWritten !== bytes.length) await drop();
  }

  return {
    async add(rows, hasKeys) {
      await writing;
      if (handle !== null) writing = write(encodeRows(rows, hasKeys));
    },
    async finish(seal) {
      await writing;
      await write(Buffer.from(seal, 'latin1'));
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
  const opened = await open(path, O_RDONLY | NO_OTHER_KIND).catch(() => null);
  if (opened === null) return null;
  const handle: FileHandle = opened;
  const found = await handle.stat();
  if (!found.isFile()) {
    await handle.close();
    return null;
  }
  const { size } = found;
  const endBytes = size - SEAL_BYTES;
  let memory = Buffer.allocUnsafeSlow(Math.min(READ_BYTES, size));
  /** What the memory holds of the file. */
  let held = { startBytes: 0, endBytes: 0 };
  let position = 0;
  let rowsRead = 0;
  let isAtEnd = false;

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
      return isAtEnd;
    },
    async readChunk() {
      isAtEnd = position === endBytes;
      if (isAtEnd) return null;
      const head = readHead(await read(HEAD_BYTES));
      if (position + head.bodyBytes > endBytes) return null;
      const rows = decodeRows(head, await read(head.bodyBytes), { width, firstIndex: rowsRead });
      rowsRead += head.rows;
      return rows;
    },
    [Symbol.asyncDispose]: () => handle.close(),
  };
}
