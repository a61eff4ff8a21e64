import { randomBytes } from 'node:crypto';
import { statSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { onDisk, onDiskLater } from '../../core/disk/disk-error.ts';

/** A form with one file, as `multipart/form-data` (RFC 7578). */
export interface UploadBody {
  readonly headers: Readonly<Record<'content-type' | 'content-length', string>>;
  /** To be read once. A piece holds until the next but one is asked for. Ends with a DiskError if the file cannot be read. */
  readonly pieces: AsyncIterable<Uint8Array>;
}

/** More than undici's sockets and ours hold back (64 KiB): they ask for the next piece when this one has left. */
const PIECE_BYTES = 128 * 1024;

/**
 * Reads the file while it is sent, into the same two pieces of memory. `fetch` copies each piece of a form, and the copies stay until garbage
 * is collected, up to 64 MB of them.
 * @throws DiskError if there is no such file
 */
export function openUploadBody(
  file: { readonly path: string; readonly filename: string },
  fields: Readonly<Record<string, string>>,
): UploadBody {
  const boundary = `rowmill-${randomBytes(16).toString('hex')}`;
  const formatPart = (disposition: string, content: string) =>
    `--${boundary}\r\nContent-Disposition: form-data; ${disposition}\r\n${content}`;
  const head = Buffer.from(formatPart(`name="file"; filename="${file.filename}"`, 'Content-Type: application/octet-stream\r\n\r\n'));
  const others = Object.entries(fields).map(([name, value]) => formatPart(`name="${name}"`, `\r\n${value}\r\n`));
  const tail = Buffer.from(`\r\n${others.join('')}--${boundary}--\r\n`);
  const { size } = onDisk(file.path, () => statSync(file.path));
  return {
    headers: { 'content-type': `multipart/form-data; boundary=${boundary}`, 'content-length': String(head.length + size + tail.length) },
    pieces: (async function* () {
      yield head;
      let left = size;
      for await (const piece of readPieces(file.path)) {
        left -= piece.length;
        yield piece;
      }
      // Whoever waits for as much as was announced would wait for ever.
      if (left > 0) throw new Error(`${file.path} became shorter while it was sent`);
      yield tail;
    })(),
  };
}

/** Every piece but the last is full, so that a socket is full with it. */
async function* readPieces(path: string): AsyncGenerator<Uint8Array> {
  const handle = await onDiskLater(path, () => open(path));
  try {
    const memory = [Buffer.allocUnsafeSlow(PIECE_BYTES), Buffer.allocUnsafeSlow(PIECE_BYTES)] as const;
    for (let [piece, spare] = memory, filled = PIECE_BYTES; filled === PIECE_BYTES; [piece, spare] = [spare, piece]) {
      filled = await onDiskLater(path, () => fill(piece, handle));
      yield piece.subarray(0, filled);
    }
  } finally {
    await handle.close();
  }
}

/** @returns how many bytes were read; fewer than there is room for only at the end */
async function fill(piece: Buffer, handle: FileHandle): Promise<number> {
  let filled = 0;
  for (let read = -1; read !== 0 && filled < piece.length; filled += read) {
    read = (await handle.read(piece, filled, piece.length - filled)).bytesRead;
  }
  return filled;
}
