import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Event } from '../src/core/event.ts';
import type { ShardStatus } from '../src/ledger/events/fold.ts';
import { createFold } from '../src/ledger/events/fold-events.ts';

function fold(events: readonly Event[]): ReturnType<typeof createFold>['fold'] {
  const inProgress = createFold();
  for (const [position, event] of events.entries()) {
    inProgress.apply({ ...event, seq: position + 1, at: new Date(Date.UTC(2026, 10, 21, 12, 0, position)).toISOString() });
  }
  return inProgress.fold;
}

const shard = '000001';
const written: Event = {
  type: 'shard-written',
  shard,
  rows: 2,
  bytes: 10,
  tokens: 6,
  sha256: 'abc',
  model: 'm',
  url: '/v1/chat/completions',
  customIds: [],
};
const intent = (attempt: number): Event => ({ type: 'create-intent', shard, attempt, fileId: 'file-1', keyFingerprint: 'key' });
const done = (attempt: number, batchId: string): Event => ({ type: 'create-done', shard, attempt, batchId, how: 'response' });
const started = (run: string): Event => ({ type: 'run-started', run, job: 'labels', simulated: false, estimateNanoUsd: null });
const collected = (batchId: string, status: string): Event => ({
  type: 'batch-collected',
  batchId,
  status,
  missing: [],
  rejected: [],
  usage: null,
});

test('a shard passes through its states step by step', () => {
  const steps: readonly [Event, ShardStatus][] = [
    [written, 'written'],
    [{ type: 'upload-intent', shard, filename: 'a.jsonl' }, 'uploading'],
    [{ type: 'upload-done', shard, fileId: 'file-1' }, 'uploaded'],
    [intent(1), 'creating'],
    [{ type: 'create-unknown', shard, attempt: 1, why: 'reset' }, 'create-unknown'],
    [{ type: 'create-absent', shard, attempt: 1, looks: 3 }, 'uploaded'],
    [intent(2), 'creating'],
    [{ type: 'create-refused', shard, attempt: 2, code: 'token_limit_exceeded', message: '' }, 'uploaded'],
    [intent(3), 'creating'],
    [done(3, 'batch_1'), 'submitted'],
    [collected('batch_1', 'failed'), 'uploaded'],
    [intent(4), 'creating'],
    [done(4, 'batch_2'), 'submitted'],
    [collected('batch_2', 'expired'), 'collected'],
  ];
  for (let length = 1; length <= steps.length; length++) {
    const state = fold(steps.slice(0, length).map(([event]) => event)).shards.get(shard);
    assert.equal(state?.status, steps[length - 1]?.[1], `after ${length} steps`);
  }
  const end = fold(steps.map(([event]) => event));
  assert.deepEqual(
    { ...end.shards.get(shard), uploadIntentAt: null, createIntentAt: null },
    {
      id: shard,
      number: 1,
      rows: 2,
      bytes: 10,
      longestBytes: 10,
      tokens: 6,
      answerCaps: 0,
      terms: null,
      probe: [],
      sha256: 'abc',
      model: 'm',
      url: '/v1/chat/completions',
      run: '',
      attemptEpoch: 0,
      generation: 0,
      status: 'collected',
      uploadIntentAt: null,
      filename: 'a.jsonl',
      fileId: 'file-1',
      createAttempt: 4,
      createIntentAt: null,
      createState: '',
      batchId: 'batch_2',
      keyFingerprint: 'key',
      refusedCode: null,
    },
  );
  assert.deepEqual(
    [...end.batches.values()].map(({ id, status, isCollected, shard: of }) => [id, status, isCollected, of]),
    [
      ['batch_1', 'failed', true, shard],
      ['batch_2', 'expired', true, shard],
    ],
  );
  assert.equal(fold([written, { type: 'shard-retired', shard, why: 'too large' }]).shards.get(shard)?.status, 'retired');
});

test('a batch belongs to the run, attempt epoch and generation of its create-intent', () => {
  const state = fold([
    started('run-1'),
    written,
    { type: 'run-ended', run: 'run-1', exitCode: 7 },
    started('run-2'),
    intent(1),
    { type: 'retry-opened', keys: ['key'], set: {} },
    { type: 'generation-started', generation: 1 },
    done(1, 'batch_1'),
    { type: 'batch-extra', batchId: 'batch_2', shard },
    { type: 'batch-extra', batchId: 'batch_3', shard: null },
  ]);
  const belongings = [...state.batches.values()].map(({ id, run, attemptEpoch, generation, isExtra }) => [
    id,
    run,
    attemptEpoch,
    generation,
    isExtra,
  ]);
  assert.deepEqual(belongings, [
    ['batch_1', 'run-2', 2, 0, false],
    ['batch_2', 'run-2', 2, 0, true],
    ['batch_3', 'run-2', 3, 1, true],
  ]);
  assert.deepEqual(
    [state.attemptEpoch, state.lastRetryEpoch, state.generation, state.epochRuns],
    [3, 3, 1, ['', 'run-1', 'run-2', 'run-2']],
  );
});

test('runs are open until they end, and only the open one is current', () => {
  const open = fold([started('run-1'), { type: 'run-ended', run: 'run-1', exitCode: 3 }, started('run-2')]);
  assert.equal(open.currentRun?.id, 'run-2');
  assert.deepEqual(
    open.runs.map(({ id, exitCode, endedAt }) => [id, exitCode, endedAt]),
    [
      ['run-1', 3, '2026-11-21T12:00:01.000Z'],
      ['run-2', null, null],
    ],
  );
  assert.equal(fold([started('run-1'), { type: 'run-ended', run: 'run-1', exitCode: 0 }]).currentRun, null);
});

test('parameters set by a retry are stored by key, and removed when the key is retried without them', () => {
  const set = { max_output_tokens: 400 };
  const state = fold([
    { type: 'retry-opened', keys: ['a', 'b'], set },
    { type: 'retry-opened', keys: ['b', 'c'], set: {} },
  ]);
  assert.deepEqual([...state.retrySets], [['a', set]]);
});

test('the latest limit of a model counts, and events about unknown things change nothing', () => {
  const state = fold([
    { type: 'limit-learned', model: 'm', enqueuedTokens: 90_000 },
    { type: 'limit-learned', model: 'm', enqueuedTokens: 200_000 },
    { type: 'upload-done', shard: '000009', fileId: 'f' },
    { type: 'batch-status', batchId: 'nobody', status: 'completed' },
    { type: 'cancel-done', batchId: 'nobody', status: 'cancelled' },
    collected('nobody', 'completed'),
  ]);
  assert.deepEqual([...state.learnedLimits], [['m', 200_000]]);
  assert.deepEqual([state.shards.size, state.batches.size], [0, 0]);
});
