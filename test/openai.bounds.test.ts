import assert from 'node:assert/strict';
import * as http from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { startTimer } from '../src/host/real-effects.ts';
import { ApiError } from '../src/openai/api-error.ts';
import { createLargeAnswers } from '../src/openai/large-answers.ts';
import { createProvider, type Provider } from '../src/openai/provider.ts';
import { sendEndlessly } from './helpers/front.ts';

type Reply = (response: http.ServerResponse) => void;

const never = new AbortController().signal;
let reply: Reply = (response) => response.end();
let provider: Provider;
const server = http.createServer(async (request, response) => {
  for await (const _ of request);
  response.on('error', () => {});
  reply(response);
});

before(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
  provider = await createProvider({ apiKey: 'sk-test', baseUrl, clock: () => new Date('2026-11-29T12:00:00Z'), startTimer });
});
after(() => {
  server.closeAllConnections();
  server.close();
});

const json =
  (text: string | Buffer, { status = 200, headers = {} }: { status?: number; headers?: Record<string, string> } = {}): Reply =>
  (response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(text);
  };
const zipped = (text: string, status = 200) => json(gzipSync(text), { status, headers: { 'content-encoding': 'gzip' } });
const endless =
  (status: number): Reply =>
  (response) => {
    response.writeHead(status, { 'content-type': 'application/json' });
    sendEndlessly(response, Buffer.alloc(65_536, 0x20));
  };

const retrieve = () => provider.retrieveBatch('batch_1', never);
const list = () => provider.listBatches({ after: null, signal: never });
const callEndpoint = async () => {
  const body = '{"model":"m","messages":[],"max_completion_tokens":16}';
  const result = await provider.callEndpoint({ url: '/v1/chat/completions', body, customId: 'k', signal: never });
  if (result.status === 'failed') throw result.failure;
  return result;
};
const batch = (change: object) => JSON.stringify({ id: 'batch_1', status: 'completed', ...change });
const MB = 2 ** 20;
const answer = (content: string) => JSON.stringify({ choices: [{ message: { content }, finish_reason: 'stop' }] });

const failures: readonly (readonly [string, () => Promise<unknown>, Reply, code: string])[] = [
  ['a batch of nine megabytes', retrieve, json(batch({ x: 'x'.repeat(9 * MB) })), 'huge_answer'],
  ['a batch without an end', retrieve, endless(200), 'huge_answer'],
  ['a list that unpacks to a hundred times its size', list, zipped(`{"data":[${' '.repeat(9 * MB)}]}`), 'huge_answer'],
  ['a list of brackets', list, json('['.repeat(MB)), 'huge_answer'],
  ['a batch of many empty objects', retrieve, json(batch({ x: Array(600_000).fill({}) })), 'huge_answer'],
  ['a batch whose id has a megabyte', retrieve, json(batch({ id: 'b'.repeat(MB) })), 'unexpected_shape'],
  [
    'a file whose id has a megabyte',
    () => provider.retrieveFile('f', never),
    json(JSON.stringify({ id: 'f'.repeat(MB) })),
    'unexpected_shape',
  ],
  ['headers of 40 KB', retrieve, json(batch({}), { headers: { 'x-note': 'x'.repeat(40_000) } }), 'huge_headers'],
  ['a live answer of 300 KB to a cap of 16 tokens', callEndpoint, json(answer('x'.repeat(300_000))), 'huge_answer'],
  ['a live answer without an end', callEndpoint, endless(200), 'huge_answer'],
  ['a live answer that unpacks to a hundred times its size', callEndpoint, zipped(answer('x'.repeat(9 * MB))), 'huge_answer'],
  ['a live answer of brackets', callEndpoint, json(`{"choices":${'['.repeat(200_000)}`), 'huge_answer'],
];
for (const [what, ask, answered, code] of failures) {
  test(`${what} is not an answer`, async () => {
    reply = answered;
    const failure = await ask().then(
      () => assert.fail('it was taken'),
      (error: unknown) => error,
    );
    assert.ok(failure instanceof ApiError, String(failure));
    assert.deepEqual([failure.code, failure.kind], [code, 'unknown']);
    assert.ok(failure.message.length < 200, failure.message.slice(0, 300));
  });
}

const refusals: readonly (readonly [string, Reply])[] = [
  ['without an end', endless(500)],
  ['that unpacks to a hundred times its size', zipped(`{"error":{"message":"${'m'.repeat(9 * MB)}"}}`, 500)],
  ['of brackets', json('['.repeat(60_000), { status: 400 })],
  ['of whole brackets', json(`${'['.repeat(30_000)}${']'.repeat(30_000)}`, { status: 400 })],
  ['that nests its details', json(`${'{"detail":'.repeat(5_000)}1${'}'.repeat(5_000)}`, { status: 400 })],
  [
    'whose message, code and type are long',
    json(`{"error":{"message":"${'m'.repeat(50_000)}","code":"${'c'.repeat(5_000)}"}}`, { status: 400 }),
  ],
];
for (const [what, answered] of refusals) {
  test(`only the beginning of a refusal ${what} is read`, async () => {
    for (const ask of [retrieve, callEndpoint]) {
      reply = answered;
      const failure = await ask().then(
        () => assert.fail('it was taken'),
        (error: unknown) => error,
      );
      assert.ok(failure instanceof ApiError, String(failure));
      assert.ok(failure.message.length < 600 && failure.code.length <= 100, failure.message.slice(0, 100));
    }
  });
}

test('implausible fields of a batch are dropped', async () => {
  reply = json(
    batch({
      status: 'S'.repeat(MB),
      created_at: 1e300,
      expires_at: -5,
      request_counts: { total: 1e300, completed: -3, failed: 1.5 },
      output_file_id: 'o'.repeat(MB),
      metadata: Object.fromEntries(Array.from({ length: 1_000 }, (_, index) => [`m${index}`, 'v'.repeat(1_000)])),
      errors: { data: [{ code: 'c'.repeat(5_000), message: 'm'.repeat(50_000), line: -1 }] },
      usage: { total_tokens: 1, note: 'u'.repeat(5_000) },
    }),
  );
  const found = await retrieve();
  assert.deepEqual(found.counts, { total: 0, completed: 0, failed: 0 });
  assert.deepEqual([found.createdSeconds, found.expiresSeconds, found.outputFileId, found.usage], [0, null, null, null]);
  assert.deepEqual([found.status.length, Object.keys(found.metadata).length, found.metadata.m0?.length], [40, 16, 512]);
  assert.deepEqual(
    found.errors.map(({ code, message, line }) => [code, message.length, line]),
    [['unknown_error', 2_000, null]],
  );
});

test('a model with an id of a megabyte is ignored', async () => {
  reply = json(JSON.stringify({ data: [{ id: 'a' }, { id: 'm'.repeat(MB) }, { id: 7 }, null] }));
  assert.deepEqual(await provider.listModels(never), [{ id: 'a', endsOn: undefined }]);
});

for (const [header, askedMs] of [
  ['1e300', null],
  ['-5', null],
  ['99999999999999999999999', null],
  ['86400', 86_400_000],
  ['1.5', 1_500],
] as const) {
  test(`Retry-After: ${header} asks to wait ${askedMs}`, async () => {
    reply = json('{"error":{"message":"slow down"}}', { status: 429, headers: { 'retry-after': header } });
    const failure = (await callEndpoint().catch((error: unknown) => error)) as ApiError;
    assert.deepEqual(
      [failure.kind, failure.askedMs, failure.retryAfterMs],
      ['wait', askedMs, askedMs === null ? null : Math.min(askedMs, 60_000)],
    );
  });
}

test('large answers are read one after the other, and abandoned waiting delays none', async () => {
  const answers = createLargeAnswers();
  const order: string[] = [];
  const endFirst = await answers.takeTurn(never);
  const leaving = new AbortController();
  const left = answers.takeTurn(leaving.signal);
  const third = answers.takeTurn(never).then((end) => {
    order.push('third');
    end();
  });
  leaving.abort(new Error('no more'));
  await assert.rejects(left, /no more/);
  assert.deepEqual(order, []);
  endFirst();
  await third;
  assert.deepEqual(order, ['third']);
});
