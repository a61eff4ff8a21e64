import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { open } from 'node:fs/promises';
import { findControlsOfJson } from '../core/answer/control-characters.ts';
import { onDiskLater } from '../core/disk/disk-error.ts';
import { publishFile, removeQuietly } from './disk/durable-files.ts';
import type { EventOf } from './response-file.ts';

/** Bytes written at once. */
const CHUNK_BYTES = 1 << 19;
const NEWLINE = 10;
/** In UTF-8, per UTF-16 unit. */
export const MAX_BYTES_PER_CHARACTER = 3;

/** A request file being filled. */
export interface ShardWriter {
  readonly shard: string;
  readonly rows: number;
  /** Of the file so far, newlines included. */
  readonly bytes: number;
  /** Estimated prompt tokens so far. */
  readonly tokens: number;
  /** Adds a request line (without newline). Returns a promise if the disk is behind: wait for it before the next line. */
  add(line: string, customId: string, tokens: number): Promise<void> | undefined;
  /** Makes the file durable under its name, then announces it; from then on its keys are in flight. */
  finish(meta: Pick<EventOf<'shard-written'>, 'model' | 'url' | 'probe' | 'terms'>): Promise<void>;
  /** Discards the file: nothing of it was announced. */
  abandon(): Promise<void>;
}

export interface ShardWriterOptions {
  readonly shard: string;
  readonly temporaryPath: string;
  readonly finalPath: string;
  /** Throws if this process may no longer write: a shard with this number may belong to another one by then. */
  readonly assertWritable: () => void;
  readonly announce: (event: EventOf<'shard-written'>) => Promise<void>;
}

/** Opens a request file for writing. Lines are encoded into existing memory, and written to disk in large chunks. */
export function openShardWriter(options: ShardWriterOptions): ShardWriter {
  const { shard } = options;
  const { O_WRONLY, O_CREAT, O_EXCL } = fs.constants;
  const opening = onDiskLater(options.finalPath, () => open(options.temporaryPath, O_WRONLY | O_CREAT | O_EXCL, 0o600));
  // A failure is reported by the write that waits for the file, not by an unhandled rejection before it.
  opening.catch(() => undefined);
  const digest = createHash('sha256');
  const customIds: string[] = [];
  const controls: Record<string, string> = {};
  let memory = Buffer.allocUnsafeSlow(CHUNK_BYTES * 2);
  let heldBytes = 0;
  /** Fills the next chunk while `memory` is being written to disk. */
  let spare = Buffer.allocUnsafeSlow(CHUNK_BYTES * 2);
  let bytes = 0;
  let longestBytes = 0;
  let tokens = 0;
  let writing: Promise<void> = Promise.resolve();
  let isWriting = false;
  let isClosed = false;

  function hold(line: string): void {
    const mostBytes = heldBytes + line.length * MAX_BYTES_PER_CHARACTER + 1;
    if (mostBytes > memory.length) {
      const larger = Buffer.allocUnsafeSlow(mostBytes);
      memory.copy(larger, 0, 0, heldBytes);
      memory = larger;
    }
    const lineBytes = memory.write(line, heldBytes) + 1;
    heldBytes += lineBytes;
    memory[heldBytes - 1] = NEWLINE;
    longestBytes = Math.max(longestBytes, lineBytes);
  }

  function startWrite(): Promise<void> {
    const chunk = memory.subarray(0, heldBytes);
    [memory, spare] = [spare, memory];
    heldBytes = 0;
    bytes += chunk.length;
    digest.update(chunk);
    isWriting = true;
    const before = writing;
    writing = write(before, chunk);
    writing.catch(() => undefined);
    return writing;
  }

  async function write(before: Promise<void>, chunk: Buffer): Promise<void> {
    await before;
    const handle = await opening;
    await onDiskLater(options.finalPath, () => handle.appendFile(chunk));
    isWriting = false;
  }

  /** Once, whatever goes wrong; a file that could not be opened need not be closed. */
  async function close(): Promise<void> {
    const handle = await opening.catch(() => null);
    if (!isClosed) await handle?.close();
    isClosed = true;
  }

  return {
    shard,
    get rows() {
      return customIds.length;
    },
    get bytes() {
      return bytes + heldBytes;
    },
    get tokens() {
      return tokens;
    },
    add(line, customId, lineTokens) {
      hold(line);
      customIds.push(customId);
      const found = findControlsOfJson(line);
      if (found !== '') controls[customId] = found;
      tokens += lineTokens;
      if (heldBytes < CHUNK_BYTES) return undefined;
      // One chunk may be written while the next fills up.
      if (isWriting) return writing.then(() => (heldBytes < CHUNK_BYTES ? undefined : startWrite()));
      startWrite();
      return undefined;
    },
    async finish(meta) {
      try {
        await startWrite();
        const handle = await opening;
        await onDiskLater(options.finalPath, async () => {
          await handle.chmod(0o600);
          await handle.sync();
        });
      } finally {
        await close();
      }
      options.assertWritable();
      publishFile(options.temporaryPath, options.finalPath);
      await options.announce({
        type: 'shard-written',
        shard,
        rows: customIds.length,
        bytes,
        longestBytes,
        tokens,
        sha256: digest.digest('hex'),
        ...meta,
        customIds,
        controls,
      });
    },
    async abandon() {
      await writing.catch(() => undefined);
      await close();
      removeQuietly(options.temporaryPath);
    },
  };
}
