import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { publishFile } from './durable-files.ts';
import type { EventOf } from './response-file.ts';

const CHUNK_CHARACTERS = 1 << 19;
/** In UTF-8, per UTF-16 unit. */
export const MAX_BYTES_PER_CHARACTER = 3;

/** A request file being filled. */
export interface ShardWriter {
  readonly shard: string;
  readonly rows: number;
  /**
   * Bytes of the file so far, newlines included: at most, because text that waits to be encoded is taken at three bytes a character.
   * Measuring every line by itself would cost a tenth of the packing.
   */
  readonly bytesAtMost: number;
  /** Estimated prompt tokens so far. */
  readonly tokens: number;
  /** Adds a request line (without newline). A promise comes back when the disk is behind: wait for it before the next line. */
  add(line: string, customId: string, tokens: number): Promise<void> | undefined;
  /** Makes the file durable under its name, then announces it; from then on its keys are in flight. */
  finish(meta: { readonly model: string; readonly url: string }): Promise<void>;
  /** Drops the file: nothing of it was announced. */
  abandon(): Promise<void>;
}

export interface ShardWriterOptions {
  readonly shard: string;
  readonly temporaryPath: string;
  readonly finalPath: string;
  readonly announce: (event: EventOf<'shard-written'>) => Promise<void>;
}

/** Opens a request file for writing; lines go to the disk in joined chunks of half a million characters. */
export function openShardWriter(options: ShardWriterOptions): ShardWriter {
  const { shard } = options;
  const { O_WRONLY, O_CREAT, O_EXCL } = fs.constants;
  const opening = open(options.temporaryPath, O_WRONLY | O_CREAT | O_EXCL, 0o600);
  // A failure is told by the write that waits for the file, not by an unhandled rejection before it.
  opening.catch(() => undefined);
  const digest = createHash('sha256');
  const customIds: string[] = [];
  let lines: string[] = [];
  let heldCharacters = 0;
  let bytes = 0;
  let tokens = 0;
  let writing: Promise<void> = Promise.resolve();
  let isWriting = false;

  function startWrite(): Promise<void> {
    const chunk = Buffer.from(lines.join(''));
    lines = [];
    heldCharacters = 0;
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
    await handle.appendFile(chunk);
    isWriting = false;
  }

  async function closeWith(finish: (handle: FileHandle) => Promise<void>): Promise<void> {
    const handle = await opening;
    try {
      await finish(handle);
    } finally {
      await handle.close();
    }
  }

  return {
    shard,
    get rows() {
      return customIds.length;
    },
    get bytesAtMost() {
      return bytes + heldCharacters * MAX_BYTES_PER_CHARACTER;
    },
    get tokens() {
      return tokens;
    },
    add(line, customId, lineTokens) {
      lines.push(line, '\n');
      customIds.push(customId);
      heldCharacters += line.length + 1;
      tokens += lineTokens;
      if (heldCharacters < CHUNK_CHARACTERS) return undefined;
      // One chunk may be on its way while the next fills up.
      if (isWriting) return writing.then(() => (heldCharacters < CHUNK_CHARACTERS ? undefined : startWrite()));
      startWrite();
      return undefined;
    },
    async finish(meta) {
      await startWrite();
      await closeWith(async (handle) => {
        await handle.chmod(0o600);
        await handle.sync();
      });
      publishFile(options.temporaryPath, options.finalPath);
      await options.announce({
        type: 'shard-written',
        shard,
        rows: customIds.length,
        bytes,
        tokens,
        sha256: digest.digest('hex'),
        ...meta,
        customIds,
      });
    },
    async abandon() {
      await writing.catch(() => undefined);
      await closeWith(async () => undefined);
      fs.rmSync(options.temporaryPath, { force: true });
    },
  };
}
