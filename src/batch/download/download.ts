import { type FileHandle, open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { onDiskLater } from '../../core/disk/disk-error.ts';
import { ApiError } from '../../openai/api-error.ts';
import { createPatience } from '../backoff.ts';
import type { BatchContext } from '../context.ts';
import { type AnswerBounds, type Asked, boundFreely, measureAnswers } from './answer-bounds.ts';

/** A download without a byte for this long is restarted. */
const STALL_MS = 60_000;
/** A file that differs from the size named by the provider is fetched this often before it is accepted as it is. */
const MAX_SIZE_TRIES = 4;
const MAX_NOT_FOUND = 4;
/** How much is read of lines that are skipped. */
const MAX_LEFT_OUT_BYTES = 64 * 2 ** 20;
const NEWLINE = 10;

export interface DownloadOptions {
  readonly fileId: string;
  readonly name: string;
  /** Whose answers they are: the size of its requests bounds what is read. */
  readonly asked: Asked;
}

/** A file on disk. */
export interface Download {
  readonly path: string;
  /** What was skipped because no answer can be that long, in words; null if the file is complete. */
  readonly cut: string | null;
}

/** Streams a file to disk until it is complete. @returns null if the provider has no such file (any more) */
export async function download(context: BatchContext, options: DownloadOptions): Promise<Download | null> {
  const path = context.ledger.createTemporaryResponsePath(options.name);
  const patience = createPatience(context, `the download of ${options.name}`);
  let notFound = 0;
  for (let sizeTries = 1; ; ) {
    try {
      const { bytes } = await context.provider.retrieveFile(options.fileId, context.signal);
      const { received, cut } = await writeContent(context, options, path);
      if (cut !== null || received === bytes || bytes < 0 || sizeTries >= MAX_SIZE_TRIES) return { path, cut };
      sizeTries += 1;
      await patience.waitAfter(new ApiError(`${received} of ${bytes} bytes arrived`, { kind: 'wait', code: 'short_download' }));
    } catch (error) {
      if (!(error instanceof ApiError) || error.kind === 'stop') throw error;
      if (error.status === 404) notFound += 1;
      if (notFound >= MAX_NOT_FOUND || (error.kind === 'permanent' && error.status !== 404)) return null;
      await patience.waitAfter(error);
    }
  }
}

/** @throws ApiError of kind `again` if the body broke off or stalled; DiskError */
async function writeContent(
  context: BatchContext,
  { fileId, name, asked }: DownloadOptions,
  path: string,
): Promise<{ readonly received: number; readonly cut: string | null }> {
  const body = await context.provider.openContent(fileId, context.signal);
  // Reported to whoever reads.
  body.on('error', () => {});
  const shown = join(dirname(path), name);
  try {
    const handle = await onDiskLater(shown, () => open(path, 'w', 0o600));
    try {
      const lines = createLineWriter({ handle, shown }, boundFreely(asked), () => measureAnswers(context, asked));
      const chunks = body[Symbol.asyncIterator]();
      for (;;) {
        const stopPatience = context.startTimer(STALL_MS, () => body.destroy());
        const chunk = await readChunk(context, chunks).finally(stopPatience);
        if (chunk === null || !(await lines.write(chunk))) break;
      }
      return { received: lines.received, cut: await lines.finish() };
    } finally {
      await handle.close();
    }
  } finally {
    // The rest, after a cut, is not read from the connection.
    body.destroy();
  }
}

/** @returns null at the end */
async function readChunk(context: BatchContext, chunks: AsyncIterator<Uint8Array>): Promise<Uint8Array | null> {
  try {
    const { value, done } = await chunks.next();
    return done === true ? null : value;
  } catch {
    context.signal.throwIfAborted();
    throw new ApiError('the download broke off', { kind: 'again', code: 'broken_download' });
  }
}

/** Where lines are written, and the name to report if the disk fails. */
interface Target {
  readonly handle: FileHandle;
  readonly shown: string;
}

/** Writes lines; one longer than its bound is skipped, and at the bound of the file it ends with the last whole line. */
function createLineWriter({ handle, shown }: Target, free: AnswerBounds, measure: () => Promise<AnswerBounds>) {
  let bounds = free;
  let isMeasured = false;
  let received = 0;
  let written = 0;
  let lineStart = 0;
  let isLeavingOut = false;
  let leftOut = 0;
  let isEndless = false;

  /** Whether a size exceeds the bound; the requests are measured only if it exceeds what every row may have. */
  async function isBeyond(bytes: number, which: keyof AnswerBounds): Promise<boolean> {
    if (bytes <= bounds[which]) return false;
    if (!isMeasured) bounds = await measure();
    isMeasured = true;
    return bytes > bounds[which];
  }

  async function append(bytes: Uint8Array): Promise<void> {
    for (let done = 0; done < bytes.byteLength; ) {
      const { bytesWritten } = await onDiskLater(shown, () => handle.write(bytes, done, bytes.byteLength - done, written + done));
      done += bytesWritten;
    }
    written += bytes.byteLength;
  }

  /** Processes one line. */
  async function take(part: Uint8Array, isEnd: boolean): Promise<void> {
    if (!isLeavingOut && (await isBeyond(written + part.byteLength - lineStart, 'lineBytes'))) {
      isLeavingOut = true;
      leftOut += 1;
      written = lineStart;
    }
    if (!isLeavingOut) await append(part);
    if (isEnd) {
      isLeavingOut = false;
      lineStart = written;
    }
  }

  return {
    get received() {
      return received;
    },
    /** @returns false if no more is wanted */
    async write(chunk: Uint8Array): Promise<boolean> {
      received += chunk.byteLength;
      if ((await isBeyond(written, 'fileBytes')) || received - written > MAX_LEFT_OUT_BYTES) {
        isEndless = true;
        return false;
      }
      if (!isLeavingOut && written + chunk.byteLength - lineStart <= bounds.lineBytes) {
        // No line of it can be too long: the usual case.
        const endsAt = chunk.lastIndexOf(NEWLINE);
        if (endsAt >= 0) lineStart = written + endsAt + 1;
        await append(chunk);
        return true;
      }
      for (let start = 0; start < chunk.length; ) {
        const newline = chunk.indexOf(NEWLINE, start);
        const end = newline < 0 ? chunk.length : newline + 1;
        await take(chunk.subarray(start, end), newline >= 0);
        start = end;
      }
      return true;
    },
    /** @returns what was skipped, in words; null for nothing */
    async finish(): Promise<string | null> {
      if (isEndless) written = lineStart;
      await onDiskLater(shown, () => handle.truncate(written));
      const kilobytes = (bytes: number) => `${Math.ceil(bytes / 1024)} KB`;
      if (isEndless)
        return `it is longer than all answers to its requests can be (${kilobytes(bounds.fileBytes)}): the complete lines before that are kept`;
      if (leftOut === 0) return null;
      return `${leftOut} of its lines are longer than an answer to their request can be (${kilobytes(bounds.lineBytes)}): they are left out`;
    },
  };
}
