import * as zlib from 'node:zlib';
import type { Compressors } from 'hyparquet';
import { decompressLz4, decompressLz4Raw, decompressZstd } from 'hyparquet-compressors';

/** Node has zstd since 22.15; the types of Node 20 lack it. */
const { zstdDecompressSync } = zlib as { zstdDecompressSync?: (input: Uint8Array, options: zlib.ZlibOptions) => Buffer };

/** How pages are decompressed, never to more bytes than the header declares; snappy is part of hyparquet. */
export const COMPRESSORS: Compressors = {
  GZIP: (input, bytes) => zlib.gunzipSync(input, bound(bytes)),
  BROTLI: (input, bytes) => zlib.brotliDecompressSync(input, bound(bytes)),
  ZSTD: (input, bytes) => zstdDecompressSync?.(input, bound(bytes)) ?? decompressZstd(input, new Uint8Array(bytes)),
  LZ4: decompressLz4,
  LZ4_RAW: decompressLz4Raw,
};

function bound(bytes: number): zlib.ZlibOptions {
  return { maxOutputLength: Math.max(1, bytes) };
}
