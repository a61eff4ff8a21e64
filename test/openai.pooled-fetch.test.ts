import assert from 'node:assert/strict';
import * as net from 'node:net';
import { test } from 'node:test';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { Agent } from 'undici';
import type { FailureKind } from '../src/openai/api-error.ts';
import { classifyFailure, findTransport } from '../src/openai/classify.ts';
import { openOwnServerWay } from '../src/openai/transport/own-server-way.ts';
import { fetchPooled } from '../src/openai/transport/pooled-fetch.ts';

/** What a call came to: status, headers and text of an answer, or how the connection failed. */
type Seen =
  | { readonly status: number; readonly headers: Readonly<Record<string, string>>; readonly text: string }
  | { readonly failure: string; readonly kind: FailureKind };

type Serve = (socket: net.Socket) => void;

const JSON_TEXT = JSON.stringify({ id: 'chatcmpl-1', text: 'größer '.repeat(40) });

function head(status: string, ...headers: string[]): string {
  return [`HTTP/1.1 ${status}`, ...headers, '', ''].join('\r\n');
}

function whole(status: string, body: string | Buffer, ...headers: string[]): Serve {
  const bytes = Buffer.from(body);
  return (socket) => {
    socket.write(head(status, `content-length: ${bytes.length}`, ...headers));
    socket.write(bytes);
  };
}

function packed(encoding: string, body: Buffer): Serve {
  return whole('200 OK', body, `content-encoding: ${encoding}`);
}

const ANSWERS: Readonly<Record<string, Serve>> = {
  'an answer': whole('200 OK', JSON_TEXT, 'content-type: application/json', 'x-request-id: req_1'),
  'an answer in parts': (socket) => {
    const bytes = Buffer.from(JSON_TEXT);
    socket.write(head('200 OK', 'transfer-encoding: chunked'));
    for (const part of [bytes.subarray(0, 20), bytes.subarray(20)])
      socket.write(Buffer.concat([Buffer.from(`${part.length.toString(16)}\r\n`), part, Buffer.from('\r\n')]));
    socket.write('0\r\n\r\n');
  },
  'an answer that ends with the connection': (socket) => socket.end(`${head('200 OK', 'connection: close')}${JSON_TEXT}`),
  'an answer after a hint': (socket) => socket.write(`${head('103 Early Hints', 'link: x')}${head('200 OK', 'content-length: 2')}{}`),
  'a header told twice': whole('200 OK', '{}', 'x-a: 1', 'x-a: 2', 'x-ratelimit-remaining-tokens: 7'),
  'a header with letters beyond ASCII': whole('200 OK', '{}', 'x-a: gr\u00f6\u00dfer', 'x-b: fine'),
  'a header that is no UTF-8': (socket) =>
    socket.write(Buffer.from(`${head('200 OK', 'content-length: 2', 'x-a: \xff\xfe', 'x-b: \x01')}{}`, 'latin1')),
  'no content': (socket) => socket.write(head('204 No Content')),
  gzip: packed('gzip', gzipSync(JSON_TEXT)),
  'gzip in capitals': packed('GZIP', gzipSync(JSON_TEXT)),
  'gzip without its end': packed('gzip', gzipSync(JSON_TEXT).subarray(0, -8)),
  deflate: packed('deflate', deflateSync(JSON_TEXT)),
  brotli: packed('br', brotliCompressSync(JSON_TEXT)),
  'a packing nobody knows': packed('zippy', Buffer.from(JSON_TEXT)),
  'a redirect': whole('302 Found', '', 'location: http://127.0.0.1:1/'),
  'a refusal': whole('429 Too Many Requests', '{"error":{"message":"slow"}}', 'retry-after: 3'),
  'a refusal with gzip': whole('500 Oh', gzipSync('{"error":{}}'), 'content-encoding: gzip'),
  'no answer': (socket) => void socket.destroy(),
  'a reset': (socket) => void socket.resetAndDestroy(),
  'no HTTP': (socket) => socket.end('220 mail.example ready\r\n'),
  'half a head': (socket) => socket.end('HTTP/1.1 200 OK\r\ncontent-le'),
  'half a body': (socket) => socket.end(`${head('200 OK', 'content-length: 100')}{"a":`),
  'more headers than Node reads': whole('200 OK', '{}', `x-long: ${'a'.repeat(20_000)}`),
};

const call = { method: 'POST', body: '{"model":"m"}', patienceMs: 20_000 };

async function see(send: () => Promise<Pick<Response, 'status' | 'headers' | 'text'>>): Promise<Seen> {
  try {
    const response = await send();
    const text = await response.text();
    return { status: response.status, headers: Object.fromEntries(response.headers), text };
  } catch (error) {
    const { kind } = classifyFailure(error, new Date(), { type: 'live', baseUrl: 'http://127.0.0.1' });
    return { failure: findTransport(error)?.code ?? 'no code', kind };
  }
}

/** Codes of failures differ by client; what they mean does not. */
const meaningOf = (seen: Seen) => ('failure' in seen ? seen.kind : seen);

test('every answer and every broken connection is the same through the pool and through Node’s client as through fetch', {
  timeout: 60_000,
}, async (t) => {
  let serve: Serve = () => {};
  const asked: string[] = [];
  const server = net.createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', (data) => {
      asked.push(data.toString());
      serve(socket);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as net.AddressInfo).port}/v1/chat/completions?a=1`;
  const headers = { authorization: 'Bearer sk' };
  const { signal } = new AbortController();
  const agent = new Agent();
  const own = await openOwnServerWay().openSpending(() => {});
  t.after(async () => {
    await agent.destroy();
    server.close();
  });
  for (const [title, answer] of Object.entries(ANSWERS)) {
    serve = answer;
    const expected = await see(() => fetch(url, { method: 'POST', body: call.body, headers, redirect: 'manual', signal }));
    const seen = await see(() => fetchPooled(agent, url, { ...call, headers: new Headers(headers), signal }));
    assert.deepEqual(seen, expected, title);
    const seenByOwn = await see(() => own(url, { ...call, headers: new Headers(headers), signal }));
    assert.deepEqual(meaningOf(seenByOwn), meaningOf(expected), title);
  }
  assert.equal(asked.length, 3 * Object.keys(ANSWERS).length, 'none asks twice');
  for (const request of asked)
    assert.match(request, /^POST \/v1\/chat\/completions\?a=1 HTTP\/1\.1\r\n(.*\r\n)*authorization: Bearer sk\r\n/);
});
