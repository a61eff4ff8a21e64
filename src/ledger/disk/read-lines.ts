import { onDiskLater } from '../../core/disk/disk-error.ts';
import { LedgerError } from '../../core/errors.ts';
import { openHandleForReading } from './durable-files.ts';

const CHUNK_BYTES = 1 << 20;
const NEWLINE = 10;
/** More than a whole batch file may have: data without a newline for this long is damaged. */
const LONGEST_LINE_BYTES = 2 ** 28;

/** Whole lines of a file; only the file's very last chunk may end without a newline. */
export interface LineChunk {
  /** Valid until the next chunk is requested. */
  readonly bytes: Buffer;
  /** The offset of `bytes` in the file. */
  readonly offsetBytes: number;
}

/**
 * Reads a file in chunks of whole lines of about 1 MB, so that memory does not grow with the file (only with its longest line). The next chunk
 * is read while one is processed.
 * @param options.endBytes reading stops there, even inside a line
 * @throws LedgerError for a line longer than any can be
 */
export async function* readLineChunks(
  file: string,
  options: { readonly startBytes?: number; readonly endBytes?: number; readonly signal: AbortSignal },
): AsyncGenerator<LineChunk> {
  const endBytes = options.endBytes ?? Number.POSITIVE_INFINITY;
  const handle = await openHandleForReading(file);
  /** Fills the rest of a buffer from the file, after what it holds. @returns how many bytes there were */
  async function read({ buffer, filled, offsetBytes }: Held): Promise<number> {
    const wanted = Math.min(buffer.length - filled, endBytes - offsetBytes - filled);
    return wanted > 0 ? (await onDiskLater(file, () => handle.read(buffer, filled, wanted, offsetBytes + filled))).bytesRead : 0;
  }
  try {
    let held: Held = { buffer: Buffer.allocUnsafe(CHUNK_BYTES), filled: 0, offsetBytes: options.startBytes ?? 0 };
    let spare: Buffer = Buffer.allocUnsafe(CHUNK_BYTES);
    let reading = read(held);
    for (;;) {
      const bytesRead = await reading;
      options.signal.throwIfAborted();
      if (bytesRead === 0) break;
      const { buffer, offsetBytes } = held;
      const filled = held.filled + bytesRead;
      const wholeBytes = buffer.subarray(held.filled, filled).lastIndexOf(NEWLINE) + 1 + held.filled;
      const hasLine = wholeBytes > held.filled;
      const rest = buffer.subarray(hasLine ? wholeBytes : 0, filled);
      if (rest.length > LONGEST_LINE_BYTES) {
        const place = `from byte ${offsetBytes + (hasLine ? wholeBytes : 0)} on it has no end of a line for ${LONGEST_LINE_BYTES} bytes`;
        throw new LedgerError(`${place}; restore the file from a backup, or cut it there`, { file, line: 0 });
      }
      if (spare.length <= rest.length) spare = Buffer.allocUnsafe(rest.length * 2);
      rest.copy(spare);
      held = { buffer: spare, filled: rest.length, offsetBytes: offsetBytes + (hasLine ? wholeBytes : 0) };
      reading = read(held);
      // It is awaited later, or not at all.
      reading.catch(() => undefined);
      if (hasLine) yield { bytes: buffer.subarray(0, wholeBytes), offsetBytes };
      spare = buffer;
    }
    if (held.filled > 0) yield { bytes: held.buffer.subarray(0, held.filled), offsetBytes: held.offsetBytes };
  } finally {
    await handle.close();
  }
}

/** What was read from a file and not yielded yet. */
interface Held {
  readonly buffer: Buffer;
  readonly filled: number;
  /** Its offset in the file. */
  readonly offsetBytes: number;
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
