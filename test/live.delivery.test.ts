import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addDelivery } from '../src/core/delivery.ts';
import { makeKey, type Request } from '../src/core/request.ts';
import { CALLS_PER_KEY_AND_MINUTE, createCallDelivery, type Delivered, type LiveCache } from '../src/live/cache-slots.ts';
import { readJob } from '../src/live/worker/read-job.ts';

const url = '/v1/chat/completions';
const makeRequest = (text: string): Request => {
  const messages = [
    { role: 'system', content: 'Rules.' },
    { role: 'user', content: text },
  ];
  const body = JSON.stringify({ model: 'gpt-5.6-luna', messages });
  const key = makeKey(url, body);
  return { key, customId: key, url, body };
};
const endOfRules = ({ body }: Request) => body.indexOf('Rules.') + 'Rules.'.length;
const never = new AbortController().signal;
const readKey = ({ body }: { readonly body: string }): string | undefined => JSON.parse(body).prompt_cache_key;

function makeDelivery(change: Partial<LiveCache> = {}) {
  let nowMs = 0;
  const cache: LiveCache = { findEnd: endOfRules, keyPrefix: 'k', calls: 1_000, ...change };
  const delivery = createCallDelivery({ serviceTier: null, cache: () => cache }, () => nowMs);
  return { delivery, pass: (ms: number) => (nowMs += ms) };
}

test('a worker accepts a call under the key of its content, however it is delivered, and no other content', () => {
  const request = makeRequest('hello');
  const ceilings = { models: null, bodyBytes: 10_000, outputTokens: null };
  const read = (body: string) =>
    readJob({ custom_id: request.key, path: url, body }, { state: 's', customId: request.key, secret: null, ceilings });
  const sent = addDelivery(request, { serviceTier: 'flex', cache: { end: endOfRules(request), key: 'k-1' } });
  assert.notEqual(sent, request.body);
  assert.equal(read(sent).status, 'request');
  for (const other of [
    sent.replace('hello', 'transfer'),
    sent.replace('"flex"', '"priority"'),
    sent.replace('Rules.', 'No rules.'),
    sent.replace('{"service_tier"', '{"store":true,"service_tier"'),
  ]) {
    assert.equal(read(other).status, 'refused', other);
  }
});

test('calls wait for the one that writes their key, and then find it', async () => {
  const { delivery } = makeDelivery({ calls: CALLS_PER_KEY_AND_MINUTE });
  const first = await delivery.take(makeRequest('1'), never);
  let second: Delivered | null = null;
  const waiting = delivery.take(makeRequest('2'), never).then((delivered) => (second = delivered));
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(second, null);
  first.end(true);
  assert.equal(readKey(await waiting), readKey(first));
});

test('a failed call has written nothing: the next one writes instead', async () => {
  const { delivery } = makeDelivery({ calls: 2 });
  const first = await delivery.take(makeRequest('1'), never);
  const waiting = delivery.take(makeRequest('2'), never);
  first.end(false);
  const second = await waiting;
  assert.equal(readKey(second), 'k-1');
  let third: Delivered | null = null;
  const after = delivery.take(makeRequest('3'), never).then((delivered) => (third = delivered));
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(third, null, 'it waits for the second one');
  second.end(true);
  await after;
});

test('a key serves fourteen calls a minute; when all are used up calls write nothing, and a minute later they are available again', async () => {
  const { delivery, pass } = makeDelivery({ calls: 2 * CALLS_PER_KEY_AND_MINUTE });
  const keys: (string | undefined)[] = [];
  for (let call = 1; call <= 2 * CALLS_PER_KEY_AND_MINUTE + 3; call += 1) {
    const delivered = await delivery.take(makeRequest(String(call)), never);
    delivered.end(true);
    keys.push(readKey(delivered));
  }
  const count = (key: string | undefined) => keys.filter((one) => one === key).length;
  assert.deepEqual([count('k-1'), count('k-2'), count(undefined)], [CALLS_PER_KEY_AND_MINUTE, CALLS_PER_KEY_AND_MINUTE, 3]);
  pass(60_001);
  assert.equal(readKey(await delivery.take(makeRequest('late'), never)), 'k-1');
});

test('simultaneous calls never share a place', async () => {
  const { delivery } = makeDelivery();
  const many = await Promise.all(Array.from({ length: 30 }, (_, n) => delivery.take(makeRequest(String(n)), never)));
  assert.equal(new Set(many.map(readKey)).size, 30);
});

test('a request without the shared prefix, and one whose cache is left to the provider, are sent without a key', async () => {
  const { delivery } = makeDelivery({ findEnd: () => null });
  const alone = await delivery.take(makeRequest('1'), never);
  assert.deepEqual([readKey(alone), JSON.parse(alone.body).prompt_cache_options], [undefined, { mode: 'explicit' }]);
  const plain = createCallDelivery({ serviceTier: null, cache: () => null }, () => 0);
  const request = makeRequest('1');
  assert.equal((await plain.take(request, never)).body, request.body);
  assert.equal(plain.takeInTurn(request), request.body);
});

test('calls made by workers get keys in turn, so that those of one key are far apart', () => {
  const { delivery } = makeDelivery({ calls: 28 });
  const keys = Array.from({ length: 4 }, (_, n) => readKey({ body: delivery.takeInTurn(makeRequest(String(n))) }));
  assert.deepEqual(keys, ['k-1', 'k-2', 'k-1', 'k-2']);
});

test('a waiting call ends with the run', async () => {
  const { delivery } = makeDelivery({ calls: 2 });
  const ending = new AbortController();
  const first = await delivery.take(makeRequest('1'), ending.signal);
  const waiting = delivery.take(makeRequest('2'), ending.signal);
  ending.abort(new Error('ended'));
  first.end(false);
  await assert.rejects(waiting, /ended/);
});
