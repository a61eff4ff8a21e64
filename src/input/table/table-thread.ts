import { on } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { InputSpec } from '../../core/job.ts';
import type { TableFile } from './read-bytes.ts';
import type { InputTable } from './read-table.ts';
import { decodeRows, HEAD_BYTES, readHead } from './row-chunk.ts';
import { skipRows } from './table-format.ts';

/** What the thread is given. */
export interface ThreadInput {
  readonly spec: InputSpec;
  readonly files: readonly TableFile[];
  /** How many chunks it may send, in shared memory: it waits while there are none. */
  readonly credit: Int32Array;
}

/** What it sends: chunks of rows, then the hash of what it has read. */
export type ThreadOutput =
  | { readonly chunk: Uint8Array<ArrayBuffer>; readonly sha256: null }
  | { readonly chunk: null; readonly sha256: string };

/** Chunks that may wait to be taken: enough for both threads to be busy. */
const CHUNKS_AHEAD = 4;
/** What a parser holds for long is little: a small young generation serves it as well as a large one. */
const LIMITS = { maxYoungGenerationSizeMb: 8 };

/**
 * Parses a CSV table in a thread of its own, beside what is done with its rows. Where that fails, whatever the reason, the rest is read here:
 * a damaged table is told of as if there were no thread.
 */
export function readInThread(table: InputTable, input: Omit<ThreadInput, 'credit'>): InputTable['readRows'] {
  const width = table.columns.length;
  return async function* readRows(signal, onSha256) {
    let taken = 0;
    const credit = new Int32Array(new SharedArrayBuffer(4));
    credit[0] = CHUNKS_AHEAD;
    const data: ThreadInput = { ...input, credit };
    const worker = new Worker(new URL('./table-worker.js', import.meta.url), {
      workerData: data,
      execArgv: [],
      env: {},
      resourceLimits: LIMITS,
    });
    // Whatever it is, it shows in what does not come.
    worker.on('error', () => {});
    try {
      for await (const [{ chunk, sha256 }] of on(worker, 'message', { signal, close: ['exit'] }) as AsyncIterable<[ThreadOutput]>) {
        if (chunk === null) {
          onSha256?.(sha256);
          return;
        }
        const rows = decodeRows(readHead(chunk), Buffer.from(chunk.buffer, HEAD_BYTES), { width, firstIndex: taken });
        if (rows === null) break;
        Atomics.add(credit, 0, 1);
        Atomics.notify(credit, 0);
        taken += rows.length;
        yield rows;
      }
    } catch {
      signal.throwIfAborted();
    } finally {
      await worker.terminate();
    }
    yield* skipRows(table.readRows(signal, onSha256), taken);
  };
}
