import { parentPort, workerData } from 'node:worker_threads';
import { openFiles } from './read-table.ts';
import { encodeRows } from './row-chunk.ts';
import type { ThreadInput, ThreadOutput } from './table-thread.ts';

/** The thread of `readInThread`: sends the rows of a table in chunks, and at the end the sha256 of what it has read. */

const { spec, files, credit } = workerData as ThreadInput;
const { signal } = new AbortController();

function send(output: ThreadOutput): void {
  parentPort?.postMessage(output, output.chunk === null ? [] : [output.chunk.buffer]);
}

function spendCredit(): void {
  while (Atomics.load(credit, 0) === 0) Atomics.wait(credit, 0, 0);
  Atomics.sub(credit, 0, 1);
}

let sha256 = '';
const table = await openFiles(spec, files, signal);
for await (const rows of table.readRows(signal, (hex) => (sha256 = hex))) {
  spendCredit();
  send({ chunk: encodeRows(rows, false), sha256: null });
}
send({ chunk: null, sha256 });
