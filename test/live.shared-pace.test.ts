import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Redis } from 'ioredis';
import { readReport, writeReport } from '../src/live/redis/ends.ts';
import { makeSharedKeys } from '../src/live/redis/keys.ts';
import { REFUSE } from '../src/live/redis/limiter-scripts.ts';
import { type SharedLimits, writeJobLimits } from '../src/live/redis/limits.ts';
import { runScript } from '../src/live/redis/presence-scripts.ts';
import { createSharedPace } from '../src/live/runner/pace.ts';
import { startProvider } from './helpers/redis-provider.ts';
import { borrowRedis, startRedis, whyNoRedis, whyNoRedisServer } from './helpers/redis-server.ts';
import { runTestWorker } from './helpers/redis-worker-process.ts';
import { makeCall, makeState, openTestQueue, TestBooks } from './helpers/redis-world.ts';
import { wideTest } from './helpers/wide.ts';

test('a worker’s report about a call is read as it was written, and anything else is not a report', () => {
  for (const report of [
    { durationMs: 412, usedTokens: 120 },
    { durationMs: 0, usedTokens: null },
  ]) {
    assert.deepEqual(readReport(writeReport(report)), report);
  }
  for (const text of ['', 'kind', '1', '1|2|3', '|2', '-1|2', 'x|2', '1|2 ']) {
    assert.equal(readReport(text), null, text);
  }
});

describe('the pace of all workers', { skip: whyNoRedis() }, () => {
  let server: { readonly url: string; stop(): Promise<void> };
  let redis: Redis;
  before(async () => {
    server = await borrowRedis();
    redis = new Redis(server.url);
  });
  after(async () => {
    redis.disconnect();
    await server.stop();
  });

  async function makePace(limits: SharedLimits) {
    const shared = makeSharedKeys(`{${makeState()}}`);
    await writeJobLimits(redis, shared.limits, limits);
    const pace = createSharedPace({
      redis,
      shared,
      delayedKey: `${shared.limits}:delayed`,
      limits,
      nowMs: () => performance.now(),
      warn: () => {},
    });
    return { pace, shared, view: () => pace.view({ waiting: 5, isFull: false }) };
  }

  test('shows the lower of the limits, refusals, latencies, and what calls wait for', async () => {
    const { pace, shared, view } = await makePace({ requestsPerMinute: 60, tokensPerMinute: 10_000 });
    await redis.hset(shared.limits, 'toldTokens', 6_000);
    for (const durationMs of [100, 200, 900]) pace.onReport({ durationMs, usedTokens: 50 });
    await pace.refresh();
    assert.deepEqual([view().requestsPerMinute, view().tokensPerMinute, view().waitingFor], [60, 6_000, null]);
    assert.deepEqual([view().requestsLastMinute, view().tokensLastMinute, view().latencyMs], [3, 150, { p50: 200, p95: 900 }]);
    await redis.set(shared.tokens, String((Date.now() + 60_000) * 1_000));
    await pace.refresh();
    assert.equal(view().waitingFor, 'tokens');
    await runScript(redis, REFUSE, [shared.blocked, shared.limits], [30_000, 0, 0.5, '']);
    await pace.refresh();
    assert.deepEqual([view().waitingFor, view().refusals], ['back-off', 1]);
    assert.ok(view().blockedMs > 20_000);
    assert.equal(pace.view({ waiting: 0, isFull: true }).waitingFor, null);
  });
});

describe('a queue with a worker', { skip: whyNoRedisServer() }, () => {
  wideTest('shows the rate of calls', async () => {
    const [redis, provider] = [await startRedis({ appendOnly: true }), await startProvider(5)];
    const keyFingerprint = makeState();
    const [draining, never] = [new AbortController(), new AbortController()];
    const common = { redisUrl: redis.url, providerUrl: provider.url, lockMs: 5_000, keyFingerprint, secret: null, concurrency: 4 };
    const worker = runTestWorker(common, draining.signal, never.signal);
    const queue = await openTestQueue(redis.url, { keyFingerprint, limits: { requestsPerMinute: 6_000, tokensPerMinute: null } });
    try {
      await queue.attach(new TestBooks());
      for (let number = 0; number < 20; number += 1) await queue.add(makeCall(number));
      await queue.drain();
      const { pace } = queue.view;
      assert.deepEqual([pace?.requestsLastMinute, pace?.tokensLastMinute, pace?.requestsPerMinute], [20, 200, 6_000]);
      assert.ok((pace?.latencyMs?.p50 ?? 0) >= 5);
    } finally {
      await queue.close();
      draining.abort();
      await worker;
      await redis.stop();
      await provider.stop();
    }
  });
});
