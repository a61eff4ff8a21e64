import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import * as http from 'node:http';
import * as net from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { openOwnServerWay } from '../src/openai/transport/own-server-way.ts';
import { openUploadBody } from '../src/openai/transport/upload-body.ts';
import { makeTemporaryFolder } from './helpers/package.ts';

const BODY = '{"text":"größer"}';
const MORE_THAN_SOCKETS_HOLD = 32 * 2 ** 20;
const REFUSED = 'HTTP/1.1 413 Too Large\r\ncontent-length: 2\r\n\r\n{}';

async function listen(t: TestContext, server: net.Server): Promise<string> {
  const sockets: net.Socket[] = [];
  server.on('connection', (socket) => sockets.push(socket));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as net.AddressInfo).port}/v1`;
}

/** A server of one's own, and how often it was connected to. */
async function serve(t: TestContext, answer: (request: Request, response: http.ServerResponse) => void) {
  const server = http.createServer(async (message, response) => {
    const chunks: Uint8Array[] = [];
    for await (const chunk of message) chunks.push(chunk as Uint8Array);
    const headers = message.headers as Record<string, string>;
    const body = chunks.length === 0 ? null : Buffer.concat(chunks);
    answer(new Request('http://127.0.0.1/', { method: message.method ?? '', headers, body }), response);
  });
  let connections = 0;
  server.on('connection', () => {
    connections += 1;
  });
  return { url: await listen(t, server), countConnections: () => connections };
}

function makeCall(signal = new AbortController().signal) {
  return { method: 'POST', headers: new Headers({ a: 'b' }), body: BODY, signal, patienceMs: 20_000 };
}

test('calls arrive complete, including those with a file, over one connection', async (t) => {
  const asked: Request[] = [];
  const { url, countConnections } = await serve(t, (request, response) => {
    asked.push(request);
    response.end('{}');
  });
  const way = openOwnServerWay();
  const spend = await way.openSpending(() => {});
  const path = join(makeTemporaryFolder(t), 'in.jsonl');
  writeFileSync(path, BODY);
  const { headers, pieces } = openUploadBody({ path, filename: 'in.jsonl' }, { purpose: 'batch' });
  const upload = { ...makeCall(), headers: new Headers(headers), body: pieces };
  const answers = [() => way.fetch(url), () => spend(url, upload), () => spend(url, makeCall())];
  for (const ask of answers) assert.equal(await (await ask()).text(), '{}');
  const [read, uploaded, spent] = asked as [Request, Request, Request];
  assert.deepEqual([read.method, read.body], ['GET', null]);
  const received = await uploaded.formData();
  assert.deepEqual([await (received.get('file') as File).text(), received.get('purpose')], [BODY, 'batch']);
  assert.deepEqual([spent.method, spent.headers.get('a'), await spent.text()], ['POST', 'b', BODY]);
  assert.equal(countConnections(), 1);
});

test('a file that is refused before it has arrived is closed', { timeout: 10_000 }, async (t) => {
  // It reads no further.
  const server = net.createServer((socket) => void socket.once('readable', () => socket.write(REFUSED)));
  const url = await listen(t, server);
  const spend = await openOwnServerWay().openSpending(() => {});
  const path = join(makeTemporaryFolder(t), 'in.jsonl');
  writeFileSync(path, Buffer.alloc(MORE_THAN_SOCKETS_HOLD));
  const { headers, pieces } = openUploadBody({ path, filename: 'in.jsonl' }, {});
  let close = () => {};
  const closed = new Promise<void>((resolve) => {
    close = resolve;
  });
  async function* watch() {
    try {
      yield* pieces;
    } finally {
      close();
    }
  }
  const refused = await spend(url, { ...makeCall(), headers: new Headers(headers), body: watch() });
  assert.deepEqual([refused.status, await refused.text()], [413, '{}']);
  await closed;
});

test('without the right to send nothing is sent, over a new connection or an existing one', async (t) => {
  let arrived = 0;
  const { url } = await serve(t, (_, response) => {
    arrived += 1;
    response.end('{}');
  });
  let isLost = true;
  const spend = await openOwnServerWay().openSpending(() => {
    if (isLost) throw new Error('the place is lost');
  });
  await assert.rejects(spend(url, makeCall()), { message: 'the place is lost' });
  isLost = false;
  await (await spend(url, makeCall())).text();
  isLost = true;
  await assert.rejects(spend(url, makeCall()), { message: 'the place is lost' });
  assert.equal(arrived, 1);
});

test('a signal ends a call with its reason, whenever it fires', async (t) => {
  let arrive: (response: http.ServerResponse) => void = () => {};
  const { url } = await serve(t, (_, response) => arrive(response));
  const spend = await openOwnServerWay().openSpending(() => {});
  const reason = new Error('enough');
  const early = AbortSignal.abort(reason);
  await assert.rejects(spend(url, makeCall(early)), reason);

  const connecting = new AbortController();
  const unconnected = spend(url, makeCall(connecting.signal));
  connecting.abort(reason);
  await assert.rejects(unconnected, reason);

  const waiting = new AbortController();
  arrive = () => waiting.abort(reason);
  await assert.rejects(spend(url, makeCall(waiting.signal)), reason);

  const reading = new AbortController();
  arrive = (response) => response.write('{');
  const response = await spend(url, makeCall(reading.signal));
  await assert.rejects(async () => {
    for await (const _ of response.body) reading.abort(reason);
  }, reason);
});
