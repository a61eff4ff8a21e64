import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import fc from 'fast-check';
import { Redis } from 'ioredis';
import { block, correct, keepWithin, type RateState, type Rates, reserve, UNUSED } from '../src/live/limits/gcra.ts';
import { readAdvertisedLimits } from '../src/live/limits/rate-headers.ts';
import { type CallReference, type QueueLink, reserveCall, writeAttemptEnd } from '../src/live/redis/calls.ts';
import { makeJobKey, makeSharedKeys, makeStateKeys } from '../src/live/redis/keys.ts';
import { GIVE_BACK, REFUSE } from '../src/live/redis/limiter-scripts.ts';
import { writeJobLimits, writeToldLimits } from '../src/live/redis/limits.ts';
import { runScript } from '../src/live/redis/presence-scripts.ts';
import { borrowRedis, whyNoRedis } from './helpers/redis-server.ts';
import { makeState } from './helpers/redis-world.ts';
import { runsOf } from './helpers/wide.ts';

const SHARE = 0.98;
const BURST_SECONDS = 2;
/** Redis keeps whole microseconds. */
const ROUNDING_MS = 0.01;
const NOTHING_TOLD = readAdvertisedLimits(new Headers());

type Step =
  | { readonly do: 'reserve'; readonly tokens: number }
  | { readonly do: 'settle'; readonly used: number }
  | { readonly do: 'refuse'; readonly waitMs: number };

const steps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.oneof(
    { weight: 5, arbitrary: fc.record({ do: fc.constant('reserve' as const), tokens: fc.integer({ min: 0, max: 5_000 }) }) },
    {
      weight: 3,
      arbitrary: fc.record({ do: fc.constant('settle' as const), used: fc.integer({ min: 0, max: 5_000 }) }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('refuse' as const), waitMs: fc.integer({ min: 0, max: 3_000 }) }) },
  ),
  { minLength: 1, maxLength: 25 },
);

const limit = fc.option(fc.integer({ min: 1, max: 100_000 }));

describe('the limiter in Redis', { skip: whyNoRedis() }, () => {
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

  /** A queue with its job keys, its notice and one admitted worker, and nothing else. */
  async function makeLink(limits: { requests: number | null; tokens: number | null }) {
    const link: QueueLink = { redis, queueName: `{${makeState()}}`, secret: null };
    const shared = makeSharedKeys(link.queueName);
    await writeJobLimits(redis, shared.limits, { requestsPerMinute: limits.requests, tokensPerMinute: limits.tokens });
    await redis.hset(shared.states, 'state', 'sessionId|0-0|0');
    await redis.sadd(makeStateKeys(link.queueName, 'state').admitted, 'worker');
    let jobs = 0;
    const makeJob = async (): Promise<CallReference> => {
      jobs += 1;
      const job = { state: 'state', callId: `state-id-${jobs}`, customId: `id${jobs}` };
      await redis.hset(makeJobKey(link.queueName, job.callId), 'name', 'state');
      return job;
    };
    const ask = (job: CallReference, tokens: number, grant = job.callId, horizonMs = 1e12) =>
      reserveCall(link, job, { worker: 'worker', grant, tokens, horizonMs });
    return { link, shared, makeJob, ask };
  }

  test('it grants exactly when the limiter in memory does, after any history', async () => {
    const property = fc.asyncProperty(limit, limit, steps, async (requests, tokens, history) => {
      const { link, shared, makeJob, ask } = await makeLink({ requests, tokens });
      let [share, burstSeconds] = [SHARE, BURST_SECONDS];
      const rate = (perMinute: number | null) =>
        perMinute === null
          ? { perMinute, burst: 1 }
          : { perMinute: perMinute * share, burst: Math.max(1, (perMinute * burstSeconds) / 60) };
      const rates = (): Rates => ({ requests: rate(requests), tokens: rate(tokens) });
      let model: RateState = UNUSED;
      const open: { job: CallReference; mark: string; tokens: number }[] = [];
      const readTime = async () => {
        const [seconds, micros] = await redis.time();
        return Number(seconds) * 1000 + Number(micros) / 1000;
      };
      for (const step of history) {
        switch (step.do) {
          case 'reserve': {
            const job = await makeJob();
            const grant = await ask(job, step.tokens);
            const expected = reserve(model, rates(), step.tokens, grant.nowMicroseconds / 1000);
            model = expected.state;
            assert.equal(grant.status, 'go');
            assert.ok(Math.abs(grant.waitMs - expected.waitMs) <= 1 + ROUNDING_MS, `waits ${grant.waitMs}, not ${expected.waitMs}`);
            open.push({ job, mark: grant.mark, tokens: step.tokens });
            break;
          }
          case 'settle': {
            const done = open.shift();
            if (done === undefined) break;
            const tokensDelta = step.used - done.tokens;
            await writeAttemptEnd(link, done.job, { mark: done.mark, tokensDelta, delivery: null });
            model = correct(model, rates(), { requests: 0, tokens: tokensDelta });
            break;
          }
          case 'refuse': {
            const nowMs = await readTime();
            const isFirst = nowMs >= model.blockedUntilMs;
            const waitMs = (await runScript(redis, REFUSE, [shared.blocked, shared.limits], [step.waitMs, 0, 0.5, ''])) as number;
            // The block ended meanwhile: nobody can say whether before or after Redis looked.
            fc.pre(isFirst || (await readTime()) < model.blockedUntilMs);
            if (isFirst) {
              share = Math.max(0.5, share * 0.95);
              burstSeconds = Math.max(0.25, burstSeconds / 2);
            }
            const until = Number((await redis.get(shared.blocked)) ?? nowMs * 1000) / 1000;
            assert.ok(waitMs >= step.waitMs || !isFirst);
            model = block(model, until);
            break;
          }
          default:
            step satisfies never;
        }
        const [requestsUsed, tokensUsed] = await redis.mget(shared.requests, shared.tokens);
        if (requestsUsed !== null) near(Number(requestsUsed) / 1000, model.requestsUsedUntilMs);
        if (tokensUsed !== null) near(Number(tokensUsed) / 1000, model.tokensUsedUntilMs);
      }
    });
    await fc.assert(property, { numRuns: runsOf(40) });
  });

  test('it grants no more than the provider reports as left', async () => {
    const { link, shared, makeJob, ask } = await makeLink({ requests: 6_000, tokens: 6_000 });
    const job = await makeJob();
    const { mark } = await ask(job, 10);
    await writeAttemptEnd(link, job, { mark, tokensDelta: 0, delivery: null, remaining: { requests: 100, tokens: 50 } });
    const rates: Rates = { requests: { perMinute: 6_000 * SHARE, burst: 200 }, tokens: { perMinute: 6_000 * SHARE, burst: 200 } };
    const next = await ask(await makeJob(), 100);
    const expected = reserve(keepWithin(UNUSED, rates, { requests: 100, tokens: 50 }, 0), rates, 100, 0);
    // Milliseconds passed between the two steps in Redis.
    assert.ok(next.waitMs <= Math.ceil(expected.waitMs) && next.waitMs > 0, `${next.waitMs} of ${expected.waitMs}`);
    assert.ok(Number(await redis.get(shared.tokens)) > 0);
  });

  test('the burst that the provider allows is used, and tokens reserved in excess are free again', async () => {
    const { shared, makeJob, ask } = await makeLink({ requests: null, tokens: 6_000 });
    const told = (reset: string) =>
      readAdvertisedLimits(
        new Headers({ 'x-ratelimit-limit-tokens': '6000', 'x-ratelimit-remaining-tokens': '6000', 'x-ratelimit-reset-tokens': reset }),
      );
    assert.equal((await ask(await makeJob(), 200)).waitMs, 0);
    assert.equal((await ask(await makeJob(), 60, 'other', 0)).status, 'wait', 'two seconds of the limit, where nothing is told');
    await writeToldLimits(redis, shared.limits, told('1ms'));
    assert.equal((await ask(await makeJob(), 100)).waitMs, 0, 'three, where so much is left');
    assert.equal((await ask(await makeJob(), 100, 'other', 0)).status, 'wait');
    await runScript(redis, GIVE_BACK, [shared.tokens, shared.limits], [100]);
    assert.equal((await ask(await makeJob(), 100)).waitMs, 0);
  });

  test('no window exceeds the limit plus one burst', async () => {
    const { makeJob, ask } = await makeLink({ requests: 1_200, tokens: null });
    const leaves: number[] = [];
    for (let number = 0; number < 200; number += 1) {
      const grant = await ask(await makeJob(), 0);
      leaves.push(grant.nowMicroseconds / 1000 + grant.waitMs);
    }
    const windowMs = 2_000;
    for (const start of leaves) {
      const inside = leaves.filter((instant) => instant >= start && instant < start + windowMs).length;
      assert.ok(inside <= (1_200 * SHARE * windowMs) / 60_000 + (1_200 * BURST_SECONDS) / 60 + 1, `${inside} calls within two seconds`);
    }
  });

  test('asking twice for the same grant takes one place', async () => {
    const { shared, makeJob, ask } = await makeLink({ requests: 60, tokens: 600 });
    const job = await makeJob();
    const first = await ask(job, 100);
    const before = await redis.mget(shared.requests, shared.tokens);
    const second = await ask(job, 100);
    assert.equal(second.mark, first.mark);
    assert.deepEqual(await redis.mget(shared.requests, shared.tokens), before);
  });

  test('a waiting grant moves behind a refusal that arrives meanwhile', async () => {
    const { shared, makeJob, ask } = await makeLink({ requests: 60, tokens: null });
    const job = await makeJob();
    assert.equal((await ask(job, 0)).waitMs, 0);
    await runScript(redis, REFUSE, [shared.blocked, shared.limits], [5_000, 0, 0.5, '']);
    const moved = await ask(job, 0);
    assert.equal(moved.status, 'go');
    assert.ok(moved.waitMs > 4_000, `waits ${moved.waitMs}`);
  });

  test('beyond the horizon nothing is granted', async () => {
    const { shared, makeJob, ask } = await makeLink({ requests: 1, tokens: null });
    await ask(await makeJob(), 0);
    const before = await redis.get(shared.requests);
    const refused = await ask(await makeJob(), 0, 'other', 1_000);
    assert.equal(refused.status, 'wait');
    assert.ok(refused.waitMs > 50_000);
    assert.equal(await redis.get(shared.requests), before);
  });

  test('the remainders in the answers of all workers show how the provider charges, before it refuses', async () => {
    const told = 600_000;
    for (const [charge, tokenCharging] of [
      [100, 'actual'],
      [400, 'reserved'],
    ] as const) {
      const { link, shared, makeJob, ask } = await makeLink({ requests: null, tokens: null });
      await writeToldLimits(redis, shared.limits, { ...NOTHING_TOLD, tokensPerMinute: told });
      await redis.hset(shared.limits, 'tokenCharging', charge === 100 ? 'reserved' : 'actual');
      let startMicroseconds: number | null = null;
      for (let call = 0; call <= 60; call += 1) {
        const job = await makeJob();
        const { mark, nowMicroseconds } = await ask(job, 0);
        startMicroseconds ??= nowMicroseconds;
        const tokens = 40_000 - call * charge + ((nowMicroseconds - startMicroseconds) * told) / 60_000_000;
        await writeAttemptEnd(link, job, {
          ...{ mark, tokensDelta: 0, delivery: null },
          ...{ remaining: { requests: null, tokens: Math.floor(tokens) }, charge: { usedTokens: 100, cappedTokens: 400 } },
        });
      }
      assert.equal(await redis.hget(shared.limits, 'tokenCharging'), tokenCharging);
    }
  });

  test('three refusals about tokens show all workers that the provider charges reservations', async () => {
    const { shared } = await makeLink({ requests: null, tokens: 1_000 });
    for (let refusal = 0; refusal < 3; refusal += 1) {
      await redis.del(shared.blocked);
      await runScript(redis, REFUSE, [shared.blocked, shared.limits], [10, 1, 0.5, '']);
    }
    assert.equal(await redis.hget(shared.limits, 'tokenCharging'), 'reserved');
  });

  test('an unknown worker is granted nothing, nor is an unknown job', async () => {
    const { link, makeJob } = await makeLink({ requests: null, tokens: null });
    const job = await makeJob();
    assert.equal((await reserveCall(link, job, { worker: 'other', grant: 'g', tokens: 1 })).status, 'stranger');
    const forgotten = { ...job, callId: 'state-id-999' };
    assert.equal((await reserveCall(link, forgotten, { worker: 'worker', grant: 'g', tokens: 1 })).status, 'gone');
  });

  test('an attempt of a live worker is waited for, one of a dead worker is lost, and a third death holds the row', async () => {
    const { link, makeJob, ask } = await makeLink({ requests: null, tokens: null });
    const { admitted } = makeStateKeys(link.queueName, 'state');
    const job = await makeJob();
    for (let crash = 1; crash <= 3; crash += 1) {
      await redis.sadd(admitted, 'other');
      const { mark } = await reserveCall(link, job, { worker: 'other', grant: `g${crash}`, tokens: 1 });
      assert.equal((await ask(job, 1)).status, 'busy');
      await redis.srem(admitted, 'other');
      assert.equal((await ask(job, 1)).status, 'lost');
      await writeAttemptEnd(link, job, { mark, tokensDelta: 0, hasCrashed: true, delivery: null });
    }
    assert.equal((await ask(job, 1)).status, 'poison');
  });

  test('an end is delivered once, an answer each time, and then the job is done', async () => {
    const { link, makeJob, ask } = await makeLink({ requests: null, tokens: null });
    const job = await makeJob();
    const { mark } = await ask(job, 1);
    const unknown = { mark, tokensDelta: 0, delivery: { kind: 'unknown', text: '{}' } } as const;
    assert.notEqual(await writeAttemptEnd(link, job, unknown), '');
    assert.equal(await writeAttemptEnd(link, job, unknown), '');
    assert.notEqual(await writeAttemptEnd(link, job, { ...unknown, delivery: { kind: 'line', text: '{}' } }), '');
    assert.equal((await ask(job, 1)).status, 'done');
  });
});

function near(actual: number, expected: number): void {
  // Each step rounds to a whole microsecond.
  assert.ok(Math.abs(actual - expected) < 1, `${actual} is not ${expected}`);
}
