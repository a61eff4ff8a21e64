import assert from 'node:assert/strict';
import { createReadStream } from 'node:fs';
import { test } from 'node:test';
import { hashFile } from '../src/core/disk/hash-file.ts';
import { untilAborted } from '../src/core/disk/until-aborted.ts';
import { readBytes } from '../src/input/table/read-bytes.ts';

const FILE = process.execPath;
const reason = new Error('interrupted');

/** Ways to read a file, each until the signal is aborted: before it begins, or at its first chunk. */
const READERS: Readonly<Record<string, (abort: AbortController) => Promise<unknown>>> = {
  'a stream': (abort) =>
    readAll(
      untilAborted(() => createReadStream(FILE, { signal: abort.signal }), abort.signal),
      abort,
    ),
  'a table': (abort) => readAll(readBytes({ path: FILE, shown: FILE }, abort.signal), abort),
  'a hash': (abort) => {
    abort.abort(reason);
    return hashFile(FILE, abort.signal);
  },
};

async function readAll(chunks: AsyncIterable<unknown>, abort: AbortController): Promise<void> {
  for await (const _chunk of chunks) abort.abort(reason);
}

for (const [what, read] of Object.entries(READERS)) {
  test(`${what} that is interrupted ends with the reason`, async () => {
    await assert.rejects(read(new AbortController()), (error) => error === reason);
    const abort = new AbortController();
    abort.abort(reason);
    await assert.rejects(read(abort), (error) => error === reason);
  });
}
