import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFileSync, truncateSync, writeFileSync } from 'node:fs';
import * as http from 'node:http';
import * as https from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { getDefaultHighWaterMark, setDefaultHighWaterMark } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Agent } from 'undici';
import { DiskError } from '../src/core/disk/disk-error.ts';
import { startTimer } from '../src/host/real-effects.ts';
import { createProvider } from '../src/openai/provider.ts';
import { openOwnServerWay } from '../src/openai/transport/own-server-way.ts';
import { fetchPooled, type PooledCall, type PooledResponse } from '../src/openai/transport/pooled-fetch.ts';
import { openUploadBody } from '../src/openai/transport/upload-body.ts';
import { makeTemporaryFolder } from './helpers/package.ts';
import { projectRoot } from './helpers/project-root.ts';

const PIECE = 128 * 1024;
/** Beside the edges of a piece, more than Linux buffers between two sockets, so that the sender has to wait for the receiver. */
const SIZES = [1, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE, 16 * 2 ** 20 + 7];
const TLS = join(projectRoot, 'test', 'tls');
const [key, cert] = ['key', 'crt'].map((ending) => readFileSync(join(TLS, `localhost.${ending}`)));

interface Received {
  readonly headers: http.IncomingHttpHeaders;
  readonly body: Buffer;
}

/** A server that reads on when the sender has nowhere to put more. */
async function startLateServer(t: TestContext, server: http.Server | https.Server) {
  const received: Received[] = [];
  let asked = 0;
  const waitForStall = async () => {
    for (let before = -1; before !== asked; ) {
      before = asked;
      await sleep(30);
    }
  };
  async function* count(pieces: AsyncIterable<Uint8Array>) {
    for await (const piece of pieces) {
      asked += 1;
      yield piece;
    }
  }
  const take = async (request: http.IncomingMessage, response: http.ServerResponse) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) {
      chunks.push(chunk);
      if (chunks.length === 1) await waitForStall();
    }
    received.push({ headers: request.headers, body: Buffer.concat(chunks) });
    response.end('{}');
  };
  // One that breaks off is not received.
  server.on('request', (request, response) => void take(request, response).catch(() => {}));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  return { port: (server.address() as AddressInfo).port, received, count };
}

type Send = (url: string, call: PooledCall) => Promise<PooledResponse>;
const openPool = (): Send => {
  const pool = new Agent({ connect: { ca: cert } as object });
  return (url, call) => fetchPooled(pool, url, call);
};

const WAYS = {
  'the pool': { scheme: 'http', start: () => http.createServer(), open: async () => openPool() },
  'the pool over TLS': {
    scheme: 'https',
    start: () => https.createServer({ key, cert } as https.ServerOptions),
    open: async () => openPool(),
  },
  'the way to a server in this process': {
    scheme: 'http',
    start: () => http.createServer(),
    open: () => openOwnServerWay().openSpending(() => {}),
  },
};

for (const [name, { scheme, start, open }] of Object.entries(WAYS)) {
  test(`a file arrives byte for byte at a server that reads late, by ${name}`, async (t) => {
    const { port, received, count } = await startLateServer(t, start());
    const send = await open();
    // As a program may do that uses the library: what sockets hold back is not left to it.
    const usual = getDefaultHighWaterMark(false);
    setDefaultHighWaterMark(false, 64 * PIECE);
    t.after(() => setDefaultHighWaterMark(false, usual));
    const path = join(makeTemporaryFolder(t), 'shard.jsonl');
    for (const size of SIZES) {
      const content = randomBytes(size);
      writeFileSync(path, content);
      const { headers, pieces } = openUploadBody({ path, filename: 'a.jsonl' }, { purpose: 'batch' });
      const call = {
        method: 'POST',
        headers: new Headers(headers),
        body: count(pieces),
        signal: new AbortController().signal,
        patienceMs: 30_000,
      };
      assert.equal(await (await send(`${scheme}://localhost:${port}/v1/files`, call)).text(), '{}');
      const { headers: got, body } = received.pop() as Received;
      assert.equal(got['content-length'], String(body.length));
      const start = body.indexOf('\r\n\r\n') + 4;
      assert.ok(body.subarray(start, start + size).equals(content), `${size} bytes`);
      const form = await new Response(body, { headers: { 'content-type': got['content-type'] as string } }).formData();
      const file = form.get('file') as File;
      assert.deepEqual([[...form.keys()], file.name, file.size, form.get('purpose')], [['file', 'purpose'], 'a.jsonl', size, 'batch']);
    }
  });
}

for (const [name, { scheme, start, open }] of Object.entries(WAYS)) {
  test(`a file that becomes shorter while it is sent is not waited for, by ${name}`, async (t) => {
    const { port, received } = await startLateServer(t, start());
    const send = await open();
    const path = join(makeTemporaryFolder(t), 'shard.jsonl');
    writeFileSync(path, randomBytes(4 * PIECE));
    const { headers, pieces } = openUploadBody({ path, filename: 'a.jsonl' }, {});
    truncateSync(path, PIECE);
    const call = { method: 'POST', headers: new Headers(headers), body: pieces, signal: new AbortController().signal, patienceMs: 30_000 };
    await assert.rejects(send(`${scheme}://localhost:${port}/v1/files`, call), /became shorter/);
    assert.deepEqual(received, []);
  });
}

test('a file that cannot be read is an error of the disk, not a lost answer', async (t) => {
  const { port, received } = await startLateServer(t, http.createServer());
  const provider = await createProvider({ apiKey: 'sk-test', baseUrl: `http://localhost:${port}/v1`, clock: () => new Date(), startTimer });
  const folder = makeTemporaryFolder(t);
  const { signal } = new AbortController();
  // A folder can be opened, and fails as it is read.
  for (const [path, errno] of [
    [join(folder, 'none.jsonl'), 'ENOENT'],
    [folder, 'EISDIR'],
  ] as const) {
    await assert.rejects(
      provider.uploadFile({ path, filename: 'a.jsonl', signal }),
      (error) => error instanceof DiskError && error.errno === errno,
    );
  }
  assert.deepEqual(received, []);
});
