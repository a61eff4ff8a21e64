import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AppError, EXIT } from '../src/core/errors.ts';
import { readEntry, writeEnd } from '../src/live/redis/ends.ts';
import { makeJobId, makeQueueName, makeStateKeys, readJobId } from '../src/live/redis/keys.ts';
import { isSealed, makeSeal } from '../src/live/redis/seal.ts';
import { compareEntryIds } from '../src/live/worker/presence.ts';

const customId = 'abcdefghijklmnopqrst-_';
const jobId = makeJobId('state', customId, 1795319162306);

function entry(kind: string, text: string, seal = ''): readonly string[] {
  return ['kind', kind, 'job', jobId, 'text', text, 'seal', seal];
}

const read = (flat: readonly string[], secret: string | null = null) => readEntry('1-0', flat, { state: 'state', secret });

test('an end is read from the stream as it was written', () => {
  const ends = [
    { status: 'unknown', why: 'gone', bodyBytes: 12 },
    { status: 'back', code: 'stopped' },
    { status: 'reject', why: 'no' },
  ] as const;
  for (const end of ends) {
    const reading = read(entry(end.status, writeEnd(end)));
    assert.deepEqual(reading, { type: 'end', entryId: '1-0', callId: jobId, customId, end, report: null });
  }
  const error = new AppError('the key is refused', { code: 'invalid_api_key', exitCode: EXIT.refused });
  const halt = read(entry('halt', writeEnd({ status: 'halt', error })));
  assert.ok(halt.type === 'end' && halt.end.status === 'halt');
  assert.deepEqual([halt.end.error.message, halt.end.error.code, halt.end.error.exitCode], [error.message, error.code, error.exitCode]);
});

test('an answer must be one line about its own call', () => {
  assert.equal(read(entry('line', `{"id":"1","custom_id":"${customId}"}`)).type, 'end');
  assert.equal(read(entry('line', `{"id":"1","custom_id":"zzzzzzzzzzzzzzzzzzzzzz"}`)).type, 'forged');
  assert.equal(read(entry('line', `{"custom_id":"${customId}"}\n{"custom_id":"zzzzzzzzzzzzzzzzzzzzzz"}`)).type, 'forged');
});

test('an entry that no worker of ours writes counts as forged', () => {
  assert.equal(read(entry('unknown', 'not JSON')).type, 'forged');
  assert.equal(read(entry('pay', '{}')).type, 'forged');
  assert.equal(read(['kind', 'back', 'job', 'other-state-1', 'text', '{}', 'seal', '']).type, 'forged');
  assert.equal(read([]).type, 'forged');
  const text = writeEnd({ status: 'back', code: 'stopped' });
  assert.equal(read(entry('back', text), 'shared').type, 'forged');
  assert.equal(read(entry('back', text, makeSeal('shared', ['state', jobId, 'back', text])), 'shared').type, 'end');
  assert.equal(read(entry('unknown', text, makeSeal('shared', ['state', jobId, 'back', text])), 'shared').type, 'forged');
});

test('the parts of a seal cannot be shifted into each other', () => {
  assert.notEqual(makeSeal('s', ['ab', 'c']), makeSeal('s', ['a', 'bc']));
  assert.equal(isSealed('s', ['a'], makeSeal('s', ['a'])), true);
  assert.equal(isSealed('s', ['a'], undefined), false);
  assert.equal(isSealed(null, ['a'], undefined), true);
});

test('queues of other keys, models and base URLs have other names', () => {
  const identity = { model: 'gpt-6-luna', keyFingerprint: 'a', baseUrl: 'https://api.openai.com/v1' };
  const names = [
    identity,
    { ...identity, model: 'ft:gpt/4:x' },
    { ...identity, keyFingerprint: 'b' },
    { ...identity, baseUrl: 'http://127.0.0.1:1/v1' },
  ].map(makeQueueName);
  assert.equal(new Set(names).size, 4);
  // BullMQ refuses colons; the braces keep all keys of a queue on one node of a cluster.
  for (const name of names) assert.match(name, /^\{[^:{}]+\}$/);
  assert.match(makeStateKeys(names[0] as string, 'state').done, /^rowmill-calls:\{[^}]+\}:state:done$/);
});

test('job ids are parsed as they were made', () => {
  assert.equal(readJobId('state', jobId), customId);
  assert.equal(readJobId('stat', jobId), null);
  assert.equal(readJobId('state', 'state-'), null);
});

test('entries of a stream are in the order of their ids', () => {
  const ids = ['9-10', '10-2', '9-9', '10-10'];
  assert.deepEqual(ids.toSorted(compareEntryIds), ['9-9', '9-10', '10-2', '10-10']);
});
