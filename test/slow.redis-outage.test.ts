import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { startWorker } from './helpers/in-process-worker.ts';
import { type RedisServer, startRedis, whyNoRedisServer } from './helpers/redis-server.ts';
import { CANARY_KEY, makeRows, makeWorld, type World, type WorldOptions } from './helpers/run-world.ts';

/** A world whose live calls go over a Redis of its own. Its clock is a thousand times faster: ten minutes are six tenths of a second. */
async function makeRedisWorld(t: TestContext, options: WorldOptions = {}): Promise<{ world: World; redis: RedisServer }> {
  const redis = await startRedis();
  t.after(() => redis.stop());
  return { world: await makeWorld(t, { virtualTime: false, now: Date.now, ...options }), redis };
}

/** On fast time, unless workers take part: they live by the same clock as their Redis. */
function runLive(world: World, redis: RedisServer, isRealTime = false) {
  const realTime = {
    clock: () => new Date(),
    sleep: async (milliseconds: number, signal: AbortSignal) => sleep(milliseconds, undefined, { signal }),
  };
  return world.run({
    overrides: { cwd: world.directory, input: null, out: null, mode: 'live' },
    redis: { url: redis.url, secret: null },
    effects: { ...world.effects, random: Math.random, ...(isRealTime ? realTime : {}) },
  });
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 2));
}

/** No row is lost, and what was paid beyond the ledger's answers is counted as possibly billed. */
function assertBooked(world: World, summary: Awaited<ReturnType<typeof runLive>>['summary'], rows: number): void {
  assert.deepEqual([summary.exitCode, summary.rows.ok], [0, rows]);
  const bill = world.simulator.bill();
  assert.ok(bill.length <= summary.attempts.total, `${bill.length} on the bill, ${summary.attempts.total} attempts`);
  assert.ok(bill.length - new Set(bill.map(({ customId }) => customId)).size <= summary.attempts.unknown);
}

describe('an unavailable Redis', { skip: whyNoRedisServer() }, () => {
  test('unreachable for ten minutes with nothing in flight, it ends the run with exit 7, and nothing was paid for', async (t) => {
    const { world, redis } = await makeRedisWorld(t);
    const running = runLive(world, redis);
    const client = new Redis(redis.url);
    let jobs = 0;
    while (jobs === 0) jobs = (await client.keys('rowmill:*:wait')).length;
    client.disconnect();
    await redis.kill();
    const { summary } = await running;
    assert.equal(summary.exitCode, 7);
    assert.match(summary.verdict, /Redis could not be reached for ten minutes.*run the same command again/);
    assert.deepEqual([summary.rows.pending, world.simulator.bill().length], [12, 0]);
    assert.deepEqual([summary.rows.in, summary.rows.ok + summary.rows.failed + summary.rows.skipped], [12, 0]);
  });

  for (const [what, disturb] of [
    [
      'away for a while in the middle',
      (redis: RedisServer) =>
        redis
          .kill()
          .then(() => sleep(500))
          .then(() => redis.restart()),
    ],
    [
      'emptied in the middle',
      async (redis: RedisServer) => {
        const client = new Redis(redis.url);
        await client.flushall();
        client.disconnect();
      },
    ],
  ] as const) {
    test(`${what}, it delays the run; every row ends and everything that may be paid for twice is counted`, async (t) => {
      const { world, redis } = await makeRedisWorld(t, { rows: makeRows(60), latencyMs: 20 });
      const worker = await startWorker({ redisUrl: redis.url, baseUrl: world.simulator.url, apiKey: CANARY_KEY, concurrency: 4 });
      const running = runLive(world, redis, true);
      await until(() => world.simulator.bill().length >= 15);
      await disturb(redis);
      const { summary } = await running;
      await worker.drain();
      assertBooked(world, summary, 60);
    });
  }
});
