import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { FORMATS, NewerFormatError } from '../src/core/formats.ts';
import { VERSION } from '../src/core/version.ts';
import { startTimer } from '../src/host/real-effects.ts';
import {
  makeGroupId,
  makeJobId,
  makeQueueName,
  makeRegistryKey,
  makeSharedKeys,
  makeStateKeys,
  makeWorkerName,
  REDIS_PREFIX,
  readNotice,
  readWorkerName,
  refuseRunner,
  writeNotice,
} from '../src/live/redis/keys.ts';
import { createDailyAllowance } from '../src/live/worker/daily-allowance.ts';
import { runWorker } from '../src/live/worker/worker.ts';
import { borrowRedis, whyNoRedis } from './helpers/redis-server.ts';
import { makeCall, makeState, openTestQueue, TestBooks } from './helpers/redis-world.ts';

const NOTICE = { sessionId: 'e1', collected: '5-0', isStopping: false };
const NEWER_NOTICE = 'e1|0-0|0|9|9.1.0|and|what|comes|later';
const NEWER_WORKER = 'w9~9~9.1.0.4';
const SENTENCE =
  /was started by rowmill 9\.1\.0 with Redis protocol 9, but this is rowmill [\d.]+, which knows Redis protocol 2: use rowmill 9\.1\.0 or newer/;

test('notices and names carry the protocol of their writer; first versions, which give none, understand ours and are understood', () => {
  const own = readNotice(writeNotice(NOTICE));
  assert.deepEqual(own, { ...NOTICE, written: { format: FORMATS.redis, version: VERSION } });
  assert.equal(refuseRunner('s', own), null);
  const first = readNotice('e1|5-0|1');
  assert.deepEqual([first.sessionId, first.collected, first.isStopping, refuseRunner('s', first)], ['e1', '5-0', true, null]);
  assert.match(refuseRunner('s', readNotice(NEWER_NOTICE)) ?? '', SENTENCE);
  // What the first workers and scripts take from a notice, and the first runners from a name.
  assert.deepEqual(
    writeNotice({ ...NOTICE, isStopping: true })
      .split('|')
      .slice(0, 3),
    ['e1', '5-0', '1'],
  );
  const name = makeWorkerName('w1', 16);
  assert.equal(Number(name.slice(name.lastIndexOf('.') + 1)), 16);
  assert.ok(!name.includes('|'));

  assert.deepEqual(readWorkerName(name), { concurrency: 16, refusal: null });
  assert.deepEqual(readWorkerName('w1.16'), { concurrency: 16, refusal: null });
  const newer = readWorkerName(NEWER_WORKER);
  assert.equal(newer.concurrency, 4);
  assert.match(newer.refusal ?? '', SENTENCE);
  for (const forged of ['w~9~\u001b[31m.4', 'w~9~.4', 'w~9.4']) {
    assert.match(readWorkerName(forged).refusal ?? '', /by a newer rowmill with Redis protocol 9.*: use a newer rowmill$/);
  }
});

describe('different versions over one Redis', { skip: whyNoRedis() }, () => {
  let redis: Redis;
  let server: Awaited<ReturnType<typeof borrowRedis>>;
  let accounts = 0;

  before(async () => {
    server = await borrowRedis();
    redis = new Redis(server.url);
  });
  after(async () => {
    redis.disconnect();
    await server.stop();
  });

  /** A queue nobody else uses. */
  function makeAccount() {
    accounts += 1;
    const account = { keyFingerprint: `${makeState()}-${accounts}`, baseUrl: 'http://test' };
    const queueName = makeQueueName({ ...account, model: 'test-model' });
    return { account, queueName, shared: makeSharedKeys(queueName) };
  }

  /** A worker within this process that answers everything, and what it logged. */
  function startWorker(account: { readonly keyFingerprint: string; readonly baseUrl: string }) {
    const [draining, ending] = [new AbortController(), new AbortController()];
    const called: string[] = [];
    const logged: { readonly event: string; readonly facts: Readonly<Record<string, unknown>> }[] = [];
    const heard = new EventTarget();
    const running = runWorker({
      ...account,
      redisUrl: server.url,
      concurrency: 4,
      makeCall: async ({ customId }) => {
        called.push(customId);
        const line = JSON.stringify({ id: `line-${called.length}`, custom_id: customId, response: { status_code: 200 } });
        return { status: 'answered', line, usage: null, headers: new Headers(), failure: null };
      },
      ceilings: { models: null, bodyBytes: 1_000_000, outputTokens: null },
      allowance: createDailyAllowance({ calls: null, nanoUsd: null }, () => new Date()),
      secret: null,
      log(_level, event, facts = {}) {
        logged.push({ event, facts });
        heard.dispatchEvent(new Event(event));
      },
      workerId: makeState(),
      clock: () => new Date(),
      random: Math.random,
      monotonicMs: () => performance.now(),
      startTimer,
      sleep: async (milliseconds, signal) => sleep(milliseconds, undefined, { signal }),
      draining: draining.signal,
      ending: ending.signal,
    });
    return {
      called,
      logged,
      hears: (event: string) => once(heard, event),
      async drain() {
        draining.abort();
        await running;
      },
    };
  }

  test('a worker leaves the jobs of a newer run alone, says why once, and continues with those it understands', async (t) => {
    const { account, queueName, shared } = makeAccount();
    const state = makeState();
    const jobs = new Queue(queueName, { connection: redis, prefix: REDIS_PREFIX, skipVersionCheck: true });
    const worker = startWorker(account);
    const refused = worker.hears('newer-runner');
    await redis.hset(shared.states, state, NEWER_NOTICE);
    const jobIds = [1, 2, 3].map((number) => makeJobId(state, `of-later-${number}`, number));
    // A job of the first protocol with an unknown field would be refused for good, and its row would fail.
    await jobs.addBulk(jobIds.map((jobId) => ({ name: state, data: { call: 'in a new form' }, opts: { jobId } })));
    await redis.sadd(makeRegistryKey(account), 'test-model');
    await refused;

    const queue = await openTestQueue(server.url, { keyFingerprint: account.keyFingerprint });
    t.after(async () => {
      await queue.close();
      await worker.drain();
      await jobs.close();
    });
    const books = new TestBooks();
    await queue.attach(books);
    const call = makeCall(1);
    await queue.add(call);
    await queue.drain();
    assert.deepEqual(worker.called, [call.request.customId]);
    assert.deepEqual(books.of('answered'), [call.request.customId]);

    while ((await jobs.getDelayedCount()) < jobIds.length) await sleep(10);
    const told = await redis.xrange(makeStateKeys(queueName, state).results, '-', '+');
    assert.deepEqual(
      told.map(([, fields]) => fields[1]),
      ['account'],
      'no end was told for them',
    );
    const said = worker.logged.filter(({ event }) => event === 'newer-runner');
    assert.equal(said.length, 1);
    assert.match(String(said[0]?.facts.message), SENTENCE);
    assert.ok(String(said[0]?.facts.message).startsWith(`the run of state ${state} was started`));
  });

  test('a run that a newer version took over is refused before any of its jobs fails', async (t) => {
    const { account, queueName, shared } = makeAccount();
    const state = makeState();
    const jobs = new Queue(queueName, { connection: redis, prefix: REDIS_PREFIX, skipVersionCheck: true });
    const worker = startWorker(account);
    t.after(async () => {
      await worker.drain();
      await jobs.close();
    });
    await redis.sadd(makeRegistryKey(account), 'test-model');
    await redis.hset(shared.states, state, writeNotice({ ...NOTICE, collected: '0-0' }));
    const { results } = makeStateKeys(queueName, state);
    // The account a worker gives shows that it has read the first notice.
    while ((await redis.xlen(results)) === 0) await sleep(10);
    const refused = worker.hears('newer-runner');
    await redis.hset(shared.states, state, NEWER_NOTICE);
    await jobs.add(state, { call: 'in a new form' }, { jobId: makeJobId(state, 'of-later', 1) });
    await refused;
    assert.equal(
      worker.logged.some(({ event }) => event === 'job-refused'),
      false,
    );
    assert.equal((await redis.xrange(results, '-', '+')).filter(([, fields]) => fields.includes('reject')).length, 0);
  });

  test('a run gives no call to a newer worker, says why once, and is completed by one it understands', async (t) => {
    const { account, queueName, shared } = makeAccount();
    const state = makeState();
    const [seconds] = await redis.time();
    // It stays alive for as long as this test takes.
    await redis.zadd(shared.workers, (Number(seconds) + 600) * 1000, NEWER_WORKER);
    const warnings = new EventTarget();
    const told: string[] = [];
    const queue = await openTestQueue(server.url, {
      state,
      keyFingerprint: account.keyFingerprint,
      warn(message) {
        told.push(message);
        warnings.dispatchEvent(new Event('warning'));
      },
    });
    const warned = once(warnings, 'warning');
    const books = new TestBooks();
    await queue.attach(books);
    await warned;
    const worker = startWorker(account);
    t.after(async () => {
      await queue.close();
      await worker.drain();
    });
    const call = makeCall(2);
    await queue.add(call);
    await queue.drain();
    assert.deepEqual(books.of('answered'), [call.request.customId]);
    const admitted = await redis.smembers(makeStateKeys(queueName, state).admitted);
    assert.equal(admitted.length, 1);
    assert.notEqual(admitted[0], NEWER_WORKER);
    assert.equal(queue.view.concurrency, 4, 'the newer worker counts for nothing');
    const refusals = told.filter((message) => SENTENCE.test(message));
    assert.equal(refusals.length, 1);
    assert.match(refusals[0] as string, /^the worker w9 was started .*; it gets no calls$/);
  });

  test('nobody waits for a job of several calls that finishes while a runner checks what is held', async () => {
    const { account, queueName } = makeAccount();
    const state = makeState();
    // Listed, and gone when its calls are read: its worker has delivered them meanwhile.
    await redis.lpush(`${REDIS_PREFIX}:${queueName}:wait`, makeGroupId(state, 7));
    const queue = await openTestQueue(server.url, { state, keyFingerprint: account.keyFingerprint });
    try {
      assert.deepEqual(await queue.attach(new TestBooks()), []);
    } finally {
      await queue.close();
    }
  });

  test('jobs of a newer run of the same state are not touched', async () => {
    const { account, queueName, shared } = makeAccount();
    const state = makeState();
    const keys = makeStateKeys(queueName, state);
    await redis.hset(shared.states, state, NEWER_NOTICE);
    await redis.xadd(keys.results, '*', 'kind', 'of-later', 'job', 'j', 'text', 'paid');
    await redis.sadd(keys.done, 'j');
    const queue = await openTestQueue(server.url, { state, keyFingerprint: account.keyFingerprint });
    await assert.rejects(
      () => queue.attach(new TestBooks()),
      (error) => error instanceof NewerFormatError && error.exitCode === 1 && SENTENCE.test(error.message),
    );
    await queue.close();
    assert.equal(await redis.hget(shared.states, state), NEWER_NOTICE);
    assert.equal(await redis.xlen(keys.results), 1);
    assert.equal(await redis.scard(keys.done), 1);
    assert.equal(await redis.sismember(makeRegistryKey(account), 'test-model'), 0);
  });
});
