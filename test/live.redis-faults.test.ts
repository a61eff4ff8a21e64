import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { describe, test } from 'node:test';
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { decideOutcome, readResponseLine } from '../src/core/response-line.ts';
import type { CallQueue, LiveCall } from '../src/live/queue.ts';
import { makeJobId, makeQueueName, makeSharedKeys, makeStateKeys, REDIS_PREFIX } from '../src/live/redis-keys.ts';
import { startProvider, type TestProvider } from './helpers/redis-provider.ts';
import { type RedisServer, type RedisServerOptions, startRedis, whyNoRedisServer } from './helpers/redis-server.ts';
import { endProcess, makeCall, makeState, openTestQueue, startWorkerProcess, TestBooks } from './helpers/redis-world.ts';

/** Short, so that a death is seen within the time of a test. */
const LOCK_MS = 1_000;
const DEATH_SHOWS_MS = 1_500;
/** Long enough for a machine with other things to do. */
const NOBODY_DIES_MS = 20_000;

interface FaultWorld {
  readonly redis: RedisServer;
  readonly provider: TestProvider;
  readonly books: TestBooks;
  readonly warnings: readonly string[];
  readonly queueName: string;
  startWorker(concurrency: number, lockMs?: number): ChildProcess;
  openQueue(state: string, workerSilenceMs?: number): Promise<CallQueue>;
  /** Resolves when so many jobs are in Redis. */
  jobsWaiting(jobs: number): Promise<void>;
}

/** A Redis, a provider and books of the test's own; workers and queues it opens are ended with it. */
async function inWorld(latencyMs: number, options: RedisServerOptions, body: (world: FaultWorld) => Promise<void>): Promise<void> {
  const [redis, provider] = [await startRedis(options), await startProvider(latencyMs)];
  const keyFingerprint = makeState();
  const queueName = makeQueueName({ model: 'test-model', keyFingerprint, baseUrl: 'http://test' });
  const workers: ChildProcess[] = [];
  const queues: CallQueue[] = [];
  const warnings: string[] = [];
  const world: FaultWorld = {
    redis,
    provider,
    books: new TestBooks(),
    warnings,
    queueName,
    startWorker: (concurrency, lockMs = LOCK_MS) => {
      const common = { redisUrl: redis.url, providerUrl: provider.url, lockMs, keyFingerprint, secret: null };
      const worker = startWorkerProcess({ ...common, concurrency });
      workers.push(worker);
      return worker;
    },
    openQueue: async (state, workerSilenceMs = NOBODY_DIES_MS) => {
      const warn = (message: string) => warnings.push(message);
      const queue = await openTestQueue(redis.url, { keyFingerprint, state, workerSilenceMs, warn });
      queues.push(queue);
      return queue;
    },
    jobsWaiting: async (jobs) => {
      const client = new Redis(redis.url);
      while ((await client.llen(`${REDIS_PREFIX}:${queueName}:wait`)) < jobs);
      client.disconnect();
    },
  };
  try {
    await body(world);
  } finally {
    for (const queue of queues) await queue.close();
    await Promise.all(workers.map((worker) => endProcess(worker, 'SIGKILL')));
    await redis.stop();
    await provider.stop();
  }
}

/** Calls by id, and what the lane does after an unknown one: ask again. */
function retryUnknown(books: TestBooks, queue: CallQueue, calls: readonly LiveCall[]): void {
  const byId = new Map(calls.map((call) => [call.request.customId, call]));
  books.onEnd = (end) => {
    if (end.status === 'unknown') void queue.add(byId.get(end.customId) as LiveCall);
  };
}

/** Every row is answered, and every call beyond the first of a row is reported. */
function assertBooked(world: FaultWorld, calls: readonly LiveCall[]): void {
  const { provider, books } = world;
  const ids = calls.map((call) => call.request.customId).toSorted();
  assert.deepEqual([...new Set(books.of('answered'))].toSorted(), ids);
  for (const id of ids) {
    const billed = provider.bill.filter((customId) => customId === id).length;
    const told = [...books.of('answered'), ...books.of('unknown')].filter((customId) => customId === id).length;
    assert.ok(told >= billed, `${id} was called ${billed} times, and ${told} are reported`);
  }
}

describe('faults of the queue over Redis', { skip: whyNoRedisServer(), concurrency: true }, () => {
  test('every call is made once, by any of two workers, and nothing of ours is left in Redis', async () => {
    await inWorld(5, { appendOnly: true }, async (world) => {
      const { provider, books, redis } = world;
      // Nobody dies here, so a lock may live as long as it does outside of tests.
      world.startWorker(4, 5_000);
      world.startWorker(4, 5_000);
      const queue = await world.openQueue(makeState());
      await queue.attach(books);
      const calls = Array.from({ length: 200 }, (_, number) => makeCall(number));
      for (const call of calls) await queue.add(call);
      await queue.settle();
      assertBooked(world, calls);
      assert.equal(provider.bill.length, 200);
      await queue.close();
      const client = new Redis(redis.url);
      const left = await client.keys('*');
      client.disconnect();
      // What remains is small and about the queue, never about a row.
      assert.deepEqual(left.filter((key) => !/:(meta|id|marker|stalled|stalled-check|requests|tokens|workers)$/.test(key)).toSorted(), []);
    });
  });

  test('a job and an end that strangers wrote cost nothing', async () => {
    await inWorld(5, { appendOnly: true }, async (world) => {
      const { provider, books, redis, queueName } = world;
      const state = makeState();
      const queue = await world.openQueue(state);
      await queue.attach(books);
      const client = new Redis(redis.url);
      const forged = new Queue(queueName, { connection: client, prefix: REDIS_PREFIX });
      const { customId, url, body } = makeCall(7).request;
      const data = { custom_id: customId, path: url, body: body.replace('row 7', 'something dear') };
      await forged.add(state, data, { jobId: makeJobId(state, customId, 1) });
      await forged.add('anything', data);
      const { results } = makeStateKeys(queueName, state);
      await client.xadd(results, '*', 'kind', 'line', 'job', makeJobId(state, customId, 2), 'text', 'x', 'seal', '');
      world.startWorker(2);
      const call = makeCall(1);
      await queue.add(call);
      await queue.settle();
      assert.deepEqual(provider.bill, [call.request.customId]);
      assert.deepEqual(books.ends.length, 1);
      assert.equal(world.warnings.filter((warning) => warning.includes('it is ignored')).length, 1);
      client.disconnect();
    });
  });

  test('a row that three workers died of is held, and the others go on', async () => {
    await inWorld(5, { appendOnly: true }, async (world) => {
      const { provider, books, redis, queueName } = world;
      const state = makeState();
      const queue = await world.openQueue(state);
      await queue.attach(books);
      const [poison, harmless] = [makeCall(1), makeCall(2)];
      const client = new Redis(redis.url);
      await client.hset(makeStateKeys(queueName, state).crashes, poison.request.customId, 3);
      client.disconnect();
      world.startWorker(2);
      await queue.add(poison);
      await queue.add(harmless);
      await queue.settle();
      assert.deepEqual(provider.bill, [harmless.request.customId]);
      const held = books.ends.find((end) => end.customId === poison.request.customId);
      const reading = readResponseLine(held?.status === 'answered' ? held.line : '');
      assert.ok(reading.status === 'line');
      const outcome = decideOutcome(reading.line, () => ({ ok: true, value: null }));
      assert.deepEqual([outcome.status, outcome.isBilled], ['bad_request', false]);
      assert.match(outcome.message, /held: 3 workers died calling it/);
    });
  });

  test('a killed worker costs the calls it had in flight, each reported, and the others finish the rows', async () => {
    await inWorld(60, { appendOnly: true }, async (world) => {
      const { provider, books } = world;
      const first = world.startWorker(6);
      const queue = await world.openQueue(makeState(), DEATH_SHOWS_MS);
      await queue.attach(books);
      const calls = Array.from({ length: 60 }, (_, number) => makeCall(number));
      retryUnknown(books, queue, calls);
      for (const call of calls) await queue.add(call);
      await provider.seen(20);
      assert.ok(provider.inFlight > 0, 'the kill must hit work');
      await endProcess(first, 'SIGKILL');
      world.startWorker(6);
      await queue.settle();
      assertBooked(world, calls);
      assert.ok(books.of('unknown').length >= 1);
    });
  });

  test('Redis killed without persistence loses no answer, and no call is repeated while its worker lives', async () => {
    await inWorld(40, {}, async (world) => {
      const { redis, provider, books } = world;
      world.startWorker(4);
      world.startWorker(4);
      const queue = await world.openQueue(makeState());
      await queue.attach(books);
      const calls = Array.from({ length: 120 }, (_, number) => makeCall(number));
      for (const call of calls) await queue.add(call);
      await provider.seen(30);
      await redis.restart();
      await queue.settle();
      assertBooked(world, calls);
      assert.equal(provider.bill.length, 120);
      assert.deepEqual(books.of('unknown'), []);
      assert.equal(world.warnings.filter((warning) => warning.startsWith('Redis has lost')).length, 1);
    });
  });

  test('an emptied Redis is filled again, and nothing is paid twice', async () => {
    await inWorld(40, {}, async (world) => {
      const { redis, provider, books } = world;
      world.startWorker(4);
      const queue = await world.openQueue(makeState());
      await queue.attach(books);
      const calls = Array.from({ length: 40 }, (_, number) => makeCall(number));
      for (const call of calls) await queue.add(call);
      await provider.seen(8);
      const client = new Redis(redis.url);
      await client.flushall();
      client.disconnect();
      await queue.settle();
      assertBooked(world, calls);
      assert.equal(provider.bill.length, 40);
    });
  });

  test('a runner that comes back collects what workers did meanwhile, and hands nothing over twice', async () => {
    await inWorld(5, { appendOnly: true }, async (world) => {
      const { provider, books } = world;
      const state = makeState();
      const first = await world.openQueue(state);
      await first.attach(books);
      const calls = Array.from({ length: 30 }, (_, number) => makeCall(number));
      for (const call of calls) await first.add(call);
      await world.jobsWaiting(30);
      // Like a death: no stop, and nobody waits for ends.
      await first.close();
      world.startWorker(4);
      const second = await world.openQueue(state);
      const held = await second.attach(books);
      assert.deepEqual(held.toSorted(), calls.map((call) => call.request.customId).toSorted());
      await second.settle();
      assertBooked(world, calls);
      assert.equal(provider.bill.length, 30);
    });
  });

  test('an end leaves Redis only when it is in the ledger before: books that cannot be kept lose nothing', async () => {
    await inWorld(5, { appendOnly: true }, async (world) => {
      const { provider, books } = world;
      const state = makeState();
      const full = new TestBooks();
      full.record = () => Promise.reject(new Error('the disk is full'));
      const first = await world.openQueue(state);
      await first.attach(full);
      const calls = Array.from({ length: 4 }, (_, number) => makeCall(number));
      for (const call of calls) await first.add(call);
      world.startWorker(4);
      await first.settle();
      assert.match(full.halts[0]?.message ?? '', /the disk is full/);
      await first.close();
      const second = await world.openQueue(state);
      await second.attach(books);
      await second.settle();
      assertBooked(world, calls);
      assert.deepEqual(books.of('unknown'), []);
      assert.equal(provider.bill.length, 4);
    });
  });

  test('a worker that was frozen and taken for dead still delivers its answers', async () => {
    await inWorld(100, { appendOnly: true }, async (world) => {
      const { provider, books } = world;
      const frozen = world.startWorker(2);
      const queue = await world.openQueue(makeState(), DEATH_SHOWS_MS);
      await queue.attach(books);
      const calls = [makeCall(1), makeCall(2)];
      retryUnknown(books, queue, calls);
      for (const call of calls) await queue.add(call);
      await provider.seen(2);
      frozen.kill('SIGSTOP');
      const isTakenForDead = new Promise<void>((resolve) => {
        const retry = books.onEnd;
        books.onEnd = (end) => {
          retry(end);
          if (books.of('unknown').length === 2) resolve();
        };
      });
      await isTakenForDead;
      frozen.kill('SIGCONT');
      await queue.settle();
      assertBooked(world, calls);
      assert.equal(books.of('unknown').length, 2);
    });
  });

  test('SIGTERM lets calls in flight end, and ends the worker', async () => {
    await inWorld(150, { appendOnly: true }, async (world) => {
      const { provider, books } = world;
      const first = world.startWorker(3);
      const queue = await world.openQueue(makeState());
      await queue.attach(books);
      const calls = Array.from({ length: 9 }, (_, number) => makeCall(number));
      for (const call of calls) await queue.add(call);
      await provider.seen(3);
      await endProcess(first, 'SIGTERM');
      assert.equal(first.exitCode, 0);
      assert.equal(provider.inFlight, 0);
      world.startWorker(3);
      await queue.settle();
      assert.equal(provider.bill.length, 9);
      assert.deepEqual(books.of('unknown'), []);
    });
  });

  test('SIGTERM gives back what waits for the limits, and another worker calls it', async () => {
    await inWorld(5, { appendOnly: true }, async (world) => {
      const { provider, books, redis, queueName } = world;
      const state = makeState();
      const queue = await world.openQueue(state);
      await queue.attach(books);
      const client = new Redis(redis.url);
      const { blocked, requests, tokens } = makeSharedKeys(queueName);
      const hold = (milliseconds: number) => client.set(blocked, (Date.now() + milliseconds) * 1000);
      // Near enough to be granted, and then never reached.
      await hold(900);
      const first = world.startWorker(3);
      for (let number = 0; number < 3; number += 1) await queue.add(makeCall(number));
      const { open } = makeStateKeys(queueName, state);
      while ((await client.hlen(open)) < 3) await hold(900);
      await hold(20_000);
      await endProcess(first, 'SIGTERM');
      assert.equal(first.exitCode, 0);
      assert.equal(await client.hlen(open), 0);
      assert.deepEqual([provider.bill.length, books.ends.length], [0, 0]);
      await client.del(blocked, requests, tokens);
      client.disconnect();
      world.startWorker(3);
      await queue.settle();
      assert.equal(provider.bill.length, 3);
      assert.equal(books.of('answered').length, 3);
    });
  });
});

describe('a Redis that cannot be used', { skip: whyNoRedisServer() }, () => {
  async function refusalOf(redisUrl: string): Promise<{ message: string; exitCode: number; tookMs: number }> {
    const startedMs = performance.now();
    try {
      await (await openTestQueue(redisUrl, { keyFingerprint: 'k' })).close();
    } catch (error) {
      const { message, exitCode } = error as { message: string; exitCode: number };
      return { message, exitCode, tookMs: performance.now() - startedMs };
    }
    throw new Error('it was used');
  }

  test('one that is not there is told in one sentence, at once, without its password', async () => {
    const server = await startRedis();
    await server.stop();
    const { message, exitCode, tookMs } = await refusalOf(server.url.replace('//', '//:secret@'));
    assert.equal(exitCode, 2);
    assert.match(message, /^Redis at redis:\/\/127\.0\.0\.1:\d+ cannot be used \(ECONNREFUSED\)$/);
    assert.ok(tookMs < 5_000);
  });

  test('one that would drop jobs when memory runs short is refused', async () => {
    const server = await startRedis({ settings: ['--maxmemory-policy', 'allkeys-lru'] });
    const { message, exitCode } = await refusalOf(server.url);
    await server.stop();
    assert.equal(exitCode, 2);
    assert.match(message, /eviction policy allkeys-lru.*CONFIG SET maxmemory-policy noeviction/);
  });

  test('a wrong password is told, and a right one opens', async () => {
    const server = await startRedis({ settings: ['--requirepass', 'correct'] });
    const { message, exitCode } = await refusalOf(server.url.replace('//', '//:wrong@'));
    assert.equal(exitCode, 2);
    assert.match(message, /WRONGPASS|NOAUTH/);
    assert.doesNotMatch(message, /wrong@|:wrong/);
    await (await openTestQueue(server.url.replace('//', '//:correct@'), { keyFingerprint: 'k' })).close();
    await server.stop();
  });

  test('one without an append-only file is used, with a warning', async () => {
    for (const appendOnly of [true, false]) {
      const server = await startRedis({ appendOnly });
      const warnings: string[] = [];
      await (await openTestQueue(server.url, { keyFingerprint: 'k', warn: (message) => warnings.push(message) })).close();
      await server.stop();
      assert.equal(warnings.length, appendOnly ? 0 : 1);
    }
  });

  test('an address that is none is told', async () => {
    assert.match((await refusalOf('localhost:6379')).message, /must look like redis:\/\//);
  });
});
