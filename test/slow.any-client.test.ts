import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import { startSimulator } from '../src/simulator/start.ts';

const KEY = { authorization: 'Bearer any' };

/** Writes raw bytes and gives the status line that comes back, or an empty text when the server just hangs up. */
async function sendRaw(url: string, text: string): Promise<string> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.end(text);
  let answer = '';
  for await (const chunk of socket) answer += String(chunk);
  return answer.split('\r\n', 1)[0] ?? '';
}

const makeRaw = (target: string, method = 'GET') =>
  `${method} ${target} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer any\r\nConnection: close\r\n\r\n`;

const ask = (schema: object) => ({
  model: 'gpt-6-luna',
  messages: [{ role: 'user', content: 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!' }],
  response_format: { type: 'json_schema', json_schema: { name: 'x', schema } },
});
const field = (schema: object) => ({ type: 'object', properties: { a: schema }, required: ['a'], additionalProperties: false });

const TARGETS: readonly (readonly [target: string, status: RegExp])[] = [
  ['//', / 404 /],
  ['///', / 404 /],
  ['//@', / 404 /],
  ['http://[', / 404 /],
  ['/v1/batches/%E0%A4%A', / 404 /],
  ['/v1/files/%/content', / 404 /],
  ['/v1/models/%ff', / 404 /],
  ['*', / 404 /],
  ['/v1/batches?limit=%E0%A4%A', / 200 | 400 /],
];

const SCHEMAS: readonly (readonly [what: string, schema: object, status: number])[] = [
  ['that is itself', { $ref: '#' }, 400],
  ['of two that are each other', { $ref: '#/$defs/a', $defs: { a: { $ref: '#/$defs/b' }, b: { $ref: '#/$defs/a' } } }, 400],
  ['whose alternatives are itself', { anyOf: [{ $ref: '#' }, { $ref: '#' }] }, 400],
  ['of an object in itself', { type: 'object', properties: { a: { $ref: '#' } } }, 400],
  ['that doubles at each step', { type: 'object', properties: { a: { $ref: '#' }, b: { $ref: '#' } } }, 400],
  ['with a stray percent sign', { $ref: '#/%' }, 200],
  ['of a billion items', field({ type: 'array', items: { type: 'string' }, minItems: 1e9 }), 400],
  ['of a billion letters', field({ type: 'string', minLength: 1e9 }), 400],
  ['of a pattern that repeats a billion times', field({ type: 'string', pattern: '^a{1000000000}$' }), 400],
  ['of a pattern that never ends matching', field({ type: 'string', pattern: '^(a+)+$' }), 200],
];

test('any request of any client gets an answer, and the simulator keeps running', async (t) => {
  const simulator = await startSimulator({ port: 0 });
  t.after(() => simulator.close());
  for (const [target, status] of TARGETS) assert.match(await sendRaw(simulator.url, makeRaw(target)), status, target);
  assert.match(await sendRaw(simulator.url, 'nonsense\r\n\r\n'), / 400 /);
  for (const [what, schema, status] of SCHEMAS) {
    const startedAt = performance.now();
    const response = await fetch(`${simulator.url}/chat/completions`, {
      method: 'POST',
      headers: { ...KEY, 'content-type': 'application/json' },
      body: JSON.stringify(ask(schema)),
      // A bound, not a measure: an answer that never comes fails the test.
      signal: AbortSignal.timeout(60_000),
    });
    const text = await response.text();
    assert.equal(response.status, status, `a schema ${what}: ${text.slice(0, 300)} after ${performance.now() - startedAt} ms`);
  }
  for (const body of ['[', 'null', '"x"', `${'['.repeat(200_000)}`, `{"messages": ${'['.repeat(50_000)}${']'.repeat(50_000)}}`]) {
    const response = await fetch(`${simulator.url}/chat/completions`, { method: 'POST', headers: KEY, body });
    assert.ok(response.status >= 400 && response.status <= 500, `${body.slice(0, 20)}: ${response.status}`);
    await response.text();
  }
  const models = await fetch(`${simulator.url}/models`, { headers: KEY });
  assert.equal(models.status, 200);
});
