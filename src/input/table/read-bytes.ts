import fs from 'node:fs';
import { open } from 'node:fs/promises';
import { createGunzip } from 'node:zlib';
import { readPieces } from '../../core/disk/read-pieces.ts';
import { untilAborted } from '../../core/disk/until-aborted.ts';
import { UsageError } from '../../core/errors.ts';

/** A file of a table: its path and its name in messages. */
export interface TableFile {
  readonly path: string;
  readonly shown: string;
}

/** Receives the bytes as they are read from disk. */
export type OnBytes = (bytes: Buffer) => void;

/** A gzip file larger than this must not expand to more than `MAX_GZIP_RATIO` times its size: real tables stay below 50. */
const GZIP_FREE_BYTES = 64 * 1024 * 1024;
const MAX_GZIP_RATIO = 200;
const CHUNK_BYTES = 128 * 1024;

/**
 * Streams a file's bytes, decompressed if they are gzip (recognised by the first bytes, not by the name). A piece is valid until the next one is requested.
 * @throws UsageError if the gzip data is broken, or a decompression bomb; the signal's reason when it is aborted
 */
export function readBytes(file: TableFile, signal: AbortSignal, onBytes?: OnBytes): AsyncGenerator<Buffer> {
  return untilAborted(() => streamBytes(file, signal, onBytes), signal);
}

async function* streamBytes(file: TableFile, signal: AbortSignal, onBytes?: OnBytes): AsyncGenerator<Buffer> {
  const { magic, sizeBytes } = await readMagic(file.path);
  if (magic !== 0x1f8b) {
    for await (const chunk of readPieces(file.path, CHUNK_BYTES)) {
      signal.throwIfAborted();
      onBytes?.(chunk);
      yield chunk;
    }
    return;
  }
  const raw = fs.createReadStream(file.path, { signal, highWaterMark: CHUNK_BYTES });
  const gunzip = createGunzip({ chunkSize: CHUNK_BYTES });
  raw.on('error', (error) => gunzip.destroy(error));
  if (onBytes !== undefined) raw.on('data', onBytes as (chunk: string | Buffer) => void);
  raw.pipe(gunzip);
  let unpackedBytes = 0;
  try {
    for await (const chunk of gunzip as AsyncIterable<Buffer>) {
      unpackedBytes += chunk.length;
      if (unpackedBytes > Math.max(GZIP_FREE_BYTES, sizeBytes * MAX_GZIP_RATIO))
        throw new UsageError(`${file.shown}: unpacks to more than ${MAX_GZIP_RATIO} times its size; unpack it yourself if that is right`, {
          code: 'table',
        });
      yield chunk;
    }
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(`${file.shown}: broken gzip data (${(error as Error).message})`, { code: 'table', cause: error });
  } finally {
    raw.destroy();
  }
}

async function readMagic(path: string): Promise<{ magic: number; sizeBytes: number }> {
  await using handle = await open(path);
  const { size } = await handle.stat();
  const head = Buffer.alloc(2);
  await handle.read(head, 0, 2, 0);
  return { magic: head.readUInt16BE(0), sizeBytes: size };
}
