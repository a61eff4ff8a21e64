import { open } from 'node:fs/promises';

const CHUNK_BYTES = 1 << 20;
const NEWLINE = 10;

/** Whole lines of a file; only the file's very last chunk may end without a newline. */
export interface LineChunk {
  /** Valid until the next chunk is asked for. */
  readonly bytes: Buffer;
  /** Where `bytes` begins in the file. */
  readonly offsetBytes: number;
}

/**
 * Reads a file in chunks of whole lines of about 1 MB, so that memory does not grow with the file (only with its longest line).
 * @param options.endBytes reading stops there, even inside a line
 */
export async function* readLineChunks(
  file: string,
  options: { readonly startBytes?: number; readonly endBytes?: number; readonly signal: AbortSignal },
): AsyncGenerator<LineChunk> {
  const endBytes = options.endBytes ?? Number.POSITIVE_INFINITY;
  const handle = await open(file, 'r');
  try {
    let buffer = Buffer.allocUnsafe(CHUNK_BYTES);
    let offsetBytes = options.startBytes ?? 0;
    let filled = 0;
    for (;;) {
      options.signal.throwIfAborted();
      if (filled === buffer.length) buffer = Buffer.concat([buffer, Buffer.allocUnsafe(buffer.length)]);
      const wanted = Math.min(buffer.length - filled, endBytes - offsetBytes - filled);
      const { bytesRead } = wanted > 0 ? await handle.read(buffer, filled, wanted, offsetBytes + filled) : { bytesRead: 0 };
      if (bytesRead === 0) break;
      const lastNewline = buffer.subarray(filled, filled + bytesRead).lastIndexOf(NEWLINE);
      const wholeBytes = lastNewline < 0 ? 0 : filled + lastNewline + 1;
      filled += bytesRead;
      if (wholeBytes === 0) continue;
      yield { bytes: buffer.subarray(0, wholeBytes), offsetBytes };
      buffer.copyWithin(0, wholeBytes, filled);
      offsetBytes += wholeBytes;
      filled -= wholeBytes;
    }
    if (filled > 0) yield { bytes: buffer.subarray(0, filled), offsetBytes };
  } finally {
    await handle.close();
  }
}

/** Calls `visit` with the bounds of every line of a chunk, newline excluded. */
export function forEachLine(bytes: Buffer, visit: (start: number, end: number) => void): void {
  for (let start = 0; start < bytes.length; ) {
    const newline = bytes.indexOf(NEWLINE, start);
    const end = newline < 0 ? bytes.length : newline;
    visit(start, end);
    start = end + 1;
  }
}
