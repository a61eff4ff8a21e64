import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeKey } from '../src/core/request.ts';
import { makeSeal } from '../src/live/redis/seal.ts';
import { readJob, type WorkerCeilings } from '../src/live/worker/read-job.ts';

const path = '/v1/chat/completions';
const body = JSON.stringify({ model: 'gpt-test', messages: [{ role: 'user', content: 'hello' }], max_completion_tokens: 100 });
const key = makeKey(path, body);
const OPEN: WorkerCeilings = { models: null, bodyBytes: 1_000, outputTokens: null };

function read(data: unknown, changes: { customId?: string; secret?: string | null; ceilings?: Partial<WorkerCeilings> } = {}) {
  const ceilings = { ...OPEN, ...changes.ceilings };
  return readJob(data, { state: 'state', customId: changes.customId ?? key, secret: changes.secret ?? null, ceilings });
}

test('a job whose content matches its key becomes a request', () => {
  const reading = read({ custom_id: key, path, body });
  assert.deepEqual(reading, { status: 'request', request: { key, customId: key, url: path, body }, model: 'gpt-test', outputTokens: 100 });
});

test('a repeated row keeps the key of its content, and a re-ask may have other content', () => {
  const repeated = `${key}-o2`;
  assert.equal(read({ custom_id: repeated, path, body }, { customId: repeated }).status, 'request');
  const reask = `${key}-r1`;
  const other = body.replace('hello', 'once more');
  assert.equal(read({ custom_id: reask, path, body: other }, { customId: reask }).status, 'request');
});

test('jobs that anyone with access to Redis could have written are refused', () => {
  const other = body.replace('hello', 'transfer everything');
  const cases: readonly [string, unknown, Parameters<typeof read>[1]?][] = [
    ['no object', 'call me'],
    ['nothing', null],
    ['a missing field', { custom_id: key, path }],
    ['a field that is no text', { custom_id: key, path, body: JSON.parse(body) }],
    ['an unknown field', { custom_id: key, path, body, baseUrl: 'http://elsewhere' }],
    ['a header', { custom_id: key, path, body, headers: {} }],
    ['another content under the key', { custom_id: key, path, body: other }],
    ['another path under the key', { custom_id: key, path: '/v1/embeddings', body }],
    ['a path outside the list', { custom_id: `${key}-r1`, path: '/v1/files', body }, { customId: `${key}-r1` }],
    ['an address for a path', { custom_id: `${key}-r1`, path: 'http://elsewhere/v1/chat/completions', body }, { customId: `${key}-r1` }],
    ['a path with steps upwards', { custom_id: `${key}-r1`, path: '/v1/chat/completions/../files', body }, { customId: `${key}-r1` }],
    ['an id that is none of ours', { custom_id: 'job-1', path, body }, { customId: 'job-1' }],
    ['an id other than the job says', { custom_id: key, path, body }, { customId: `${key}-r1` }],
    ['a body that is not JSON', { custom_id: `${key}-r1`, path, body: '{' }, { customId: `${key}-r1` }],
    ['a body without a model', { custom_id: `${key}-r1`, path, body: '{}' }, { customId: `${key}-r1` }],
    ['a body above the ceiling', { custom_id: key, path, body }, { ceilings: { bodyBytes: 20 } }],
    ['a model that is not allowed', { custom_id: key, path, body }, { ceilings: { models: new Set(['gpt-other']) } }],
    ['an output cap above the ceiling', { custom_id: key, path, body }, { ceilings: { outputTokens: 99 } }],
    ['no seal where one is shared', { custom_id: key, path, body }, { secret: 'shared' }],
    ['a seal of another secret', { custom_id: key, path, body, seal: makeSeal('other', ['state', key, path, body]) }, { secret: 'shared' }],
    ['a seal of another state', { custom_id: key, path, body, seal: makeSeal('shared', ['else', key, path, body]) }, { secret: 'shared' }],
  ];
  for (const [what, data, changes] of cases) {
    const reading = read(data, changes);
    assert.equal(reading.status, 'refused', what);
    assert.doesNotMatch(reading.status === 'refused' ? reading.why : '', /hello|transfer/, 'a reason repeats no content');
  }
});

test('the output cap of a body may reach the ceiling, over all its votes', () => {
  const ceilings = { outputTokens: 200 };
  const of = (fields: object) => {
    const text = JSON.stringify({ model: 'gpt-test', ...fields });
    const customId = makeKey(path, text);
    return read({ custom_id: customId, path, body: text }, { customId, ceilings }).status;
  };
  assert.equal(of({ max_completion_tokens: 200 }), 'request');
  assert.equal(of({ max_completion_tokens: 100, n: 2 }), 'request');
  assert.equal(of({ max_completion_tokens: 100, n: 3 }), 'refused');
  assert.equal(of({ max_tokens: 1, max_completion_tokens: 500 }), 'refused');
  assert.equal(of({}), 'refused', 'without a cap the model may write as much as it can');
});

test('with a shared secret a sealed job passes', () => {
  const seal = makeSeal('shared', ['state', key, path, body]);
  assert.equal(read({ custom_id: key, path, body, seal }, { secret: 'shared' }).status, 'request');
});

test('image data enters a key as its hash, as it does in the runner', () => {
  const image = JSON.stringify({ model: 'gpt-test', messages: [{ image_url: { url: 'data:image/png;base64,aGVsbG8=' } }] });
  const customId = makeKey(path, image);
  assert.equal(read({ custom_id: customId, path, body: image }, { customId }).status, 'request');
  const swapped = image.replace('aGVsbG8=', 'd29ybGQ=');
  assert.equal(read({ custom_id: customId, path, body: swapped }, { customId }).status, 'refused');
});
