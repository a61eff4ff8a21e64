import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { UsageError } from '../src/core/errors.ts';
import { readDailyLimits, readWorkerCeilings } from '../src/host/worker-ceilings.ts';
import { createDailyAllowance } from '../src/live/worker/daily-allowance.ts';
import { startProvider } from './helpers/redis-provider.ts';
import { startRedis, whyNoRedisServer } from './helpers/redis-server.ts';
import { runTestWorker, type WorkerProcessOptions } from './helpers/redis-worker-process.ts';
import { makeCall, makeState, openTestQueue, TestBooks } from './helpers/redis-world.ts';
import { wideTest } from './helpers/wide.ts';

const DAY_MS = 86_400_000;
const USAGE = { inputTokens: 100, cachedInputTokens: 0, cacheWriteTokens: 0, outputTokens: 10, reasoningTokens: 0 };

test('calls are limited per day; those without cost do not count, and midnight resets the count', () => {
  let nowMs = Date.parse('2026-11-22T23:00:00Z');
  const allowance = createDailyAllowance({ calls: 2, nanoUsd: null }, () => new Date(nowMs));
  const first = allowance.take(0);
  assert.ok(first !== null && allowance.take(0) !== null);
  assert.equal(allowance.take(0), null);
  first.giveBack();
  assert.ok(allowance.take(0) !== null);
  nowMs += DAY_MS;
  first.giveBack();
  assert.ok(allowance.take(0) !== null && allowance.take(0) !== null);
  assert.equal(allowance.take(0), null, 'a call of the day before gives this one nothing back');
  assert.equal(allowance.exceeded.exitCode, 5);
  assert.match(allowance.exceeded.message, /2 calls/);
});

test('dollars per day are reserved at the upper bound and charged by actual use', () => {
  const call = { model: 'gpt-4o-mini', bodyBytes: 1_000, outputTokens: 100 };
  const open = createDailyAllowance({ calls: null, nanoUsd: null }, () => new Date('2026-11-22T12:00:00Z'));
  assert.equal(open.boundOf({ ...call, outputTokens: null }), 0, 'without a limit nothing needs a bound');
  const allowance = createDailyAllowance({ calls: null, nanoUsd: 250_000 }, () => new Date('2026-11-22T12:00:00Z'));
  // 1,000 tokens at $0.15 and 100 at $0.60 per million.
  const bound = allowance.boundOf(call);
  assert.equal(bound, 210_000);
  const taken = allowance.take(210_000);
  assert.equal(allowance.take(210_000), null, 'what is reserved is not there for others');
  taken?.correct('gpt-4o-mini', USAGE);
  const second = allowance.take(210_000);
  assert.ok(second !== null, '21,000 are used, so that another one fits');
  second.correct('gpt-4o-mini', null);
  assert.equal(allowance.take(210_000), null, 'an answer without usage keeps its bound');
  assert.equal(allowance.boundOf({ ...call, outputTokens: null }), null);
  assert.equal(allowance.boundOf({ ...call, model: 'a model nobody knows' }), null);
});

test('ceilings come from the environment, and an unreadable one is refused instead of meaning no limit', () => {
  assert.deepEqual(readWorkerCeilings({ ROWMILL_WORKER_MODELS: 'gpt-4o-mini, gpt-6-luna', ROWMILL_WORKER_OUTPUT_TOKENS: '400' }), {
    models: new Set(['gpt-4o-mini', 'gpt-6-luna']),
    bodyBytes: 104_857_600,
    outputTokens: 400,
  });
  assert.deepEqual(readDailyLimits({ ROWMILL_WORKER_CALLS_PER_DAY: '1000', ROWMILL_WORKER_USD_PER_DAY: '2.50' }), {
    calls: 1000,
    nanoUsd: 2_500_000_000,
  });
  assert.deepEqual([readWorkerCeilings({}).models, readDailyLimits({})], [null, { calls: null, nanoUsd: null }]);
  for (const [name, value] of [
    ['ROWMILL_WORKER_OUTPUT_TOKENS', 'many'],
    ['ROWMILL_WORKER_BODY_BYTES', '0'],
    ['ROWMILL_WORKER_CALLS_PER_DAY', '1e3'],
    ['ROWMILL_WORKER_USD_PER_DAY', '-1'],
  ] as const) {
    assert.throws(
      () => [readWorkerCeilings({ [name]: value }), readDailyLimits({ [name]: value })],
      (error) => {
        return error instanceof UsageError && error.message.startsWith(name);
      },
    );
  }
});

describe('a worker over Redis', { skip: whyNoRedisServer() }, () => {
  async function runCalls(calls: number, dailyLimits: NonNullable<WorkerProcessOptions['dailyLimits']>) {
    const [redis, provider] = [await startRedis({ appendOnly: true }), await startProvider(2)];
    const keyFingerprint = makeState();
    const books = new TestBooks();
    const [draining, never] = [new AbortController(), new AbortController()];
    const common = { redisUrl: redis.url, providerUrl: provider.url, lockMs: 5_000, keyFingerprint, secret: null, concurrency: 2 };
    const worker = runTestWorker({ ...common, dailyLimits }, draining.signal, never.signal);
    const queue = await openTestQueue(redis.url, { keyFingerprint });
    try {
      await queue.attach(books);
      for (let number = 0; number < calls; number += 1) await queue.add(makeCall(number));
      await queue.drain();
      return { books, bill: provider.bill };
    } finally {
      await queue.close();
      draining.abort();
      await worker;
      await redis.stop();
      await provider.stop();
    }
  }

  wideTest('a worker that has used up its day stops the run with one sentence, and the other rows are untouched', async () => {
    const { books, bill } = await runCalls(20, { calls: 5 });
    assert.equal(bill.length, 5);
    assert.deepEqual([books.of('answered').length, books.of('given-back').length], [5, 15]);
    assert.equal(books.halts.length, 1);
    assert.deepEqual([books.halts[0]?.code, books.halts[0]?.exitCode], ['worker_limit', 5]);
    assert.match(books.halts[0]?.message ?? '', /5 calls.*until midnight UTC.*run the same command tomorrow/);
  });

  test('under a dollar limit, a call without a bound on its price is not made and fails its row', async () => {
    const { books, bill } = await runCalls(1, { nanoUsd: 1_000_000_000 });
    assert.equal(bill.length, 0);
    const [end] = books.ends;
    assert.ok(end?.status === 'answered');
    assert.match(end.line, /worker_refused.*no output cap, or no known price/);
  });
});
