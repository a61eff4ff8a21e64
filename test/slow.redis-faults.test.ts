import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { decideOutcome, readResponseLine } from '../src/core/response-line.ts';
import { makeJobId, makeSharedKeys, makeStateKeys, REDIS_PREFIX } from '../src/live/redis/keys.ts';
import { assertBooked, DEATH_SHOWS_MS, inWorld, retryUnknown } from './helpers/fault-world.ts';
import { whyNoRedisServer } from './helpers/redis-server.ts';
import { addCalls, endProcess, makeCall, makeState, TestBooks } from './helpers/redis-world.ts';

describe('faults of the queue over Redis', { skip: whyNoRedisServer(), concurrency: true }, () => {
  test('every call is made once, by any of two workers, and nothing of ours is left in Redis', async () => {
    await inWorld(5, { appendOnly: true }, async (world) => {
      const { provider, books, redis } = world;
      // Nobody dies here, so a lock may live as long as it does outside of tests.
      world.startWorker(4, 5_000);
      world.startWorker(4, 5_000);
      const queue = await world.openQueue(makeState());
      await queue.attach(books);
      const calls = await addCalls(queue, 200);
      await queue.drain();
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

  test('a job and an end written by strangers cost nothing', async () => {
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
      await queue.drain();
      assert.deepEqual(provider.bill, [call.request.customId]);
      assert.deepEqual(books.ends.length, 1);
      assert.equal(world.warnings.filter((warning) => warning.includes('it is ignored')).length, 1);
      client.disconnect();
    });
  });

  test('a row that killed three workers is held, and the others continue', async () => {
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
      await queue.drain();
      assert.deepEqual(provider.bill, [harmless.request.customId]);
      const held = books.ends.find((end) => end.customId === poison.request.customId);
      const reading = readResponseLine(held?.status === 'answered' ? held.line : '');
      assert.ok(reading.status === 'line');
      const outcome = decideOutcome(reading.line, () => ({ ok: true, value: null }));
      assert.deepEqual([outcome.status, outcome.isBilled], ['bad_request', false]);
      assert.match(outcome.message, /held: 3 workers died calling it/);
    });
  });

  test('a killed worker loses the calls it had in flight, each reported, and the others finish the rows', async () => {
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
      await queue.drain();
      assertBooked(world, calls);
      assert.ok(books.of('unknown').length >= 1);
    });
  });

  test('an emptied Redis is filled again, and nothing is paid for twice', async () => {
    await inWorld(40, {}, async (world) => {
      const { redis, provider, books } = world;
      world.startWorker(4);
      const queue = await world.openQueue(makeState());
      await queue.attach(books);
      const calls = await addCalls(queue, 40);
      await provider.seen(8);
      const client = new Redis(redis.url);
      await client.flushall();
      client.disconnect();
      await queue.drain();
      assertBooked(world, calls);
      assert.equal(provider.bill.length, 40);
    });
  });

  test('a returning runner collects what workers did meanwhile, and hands nothing over twice', async () => {
    await inWorld(5, { appendOnly: true }, async (world) => {
      const { provider, books } = world;
      const state = makeState();
      const first = await world.openQueue(state);
      await first.attach(books);
      const calls = await addCalls(first, 30);
      await world.callsWaiting(30);
      // Like a death: no stop, and nobody waits for ends.
      await first.close();
      world.startWorker(4);
      const second = await world.openQueue(state);
      const held = await second.attach(books);
      assert.deepEqual(held.toSorted(), calls.map((call) => call.request.customId).toSorted());
      await second.drain();
      assertBooked(world, calls);
      assert.equal(provider.bill.length, 30);
    });
  });

  test('an end leaves Redis only once it is in the ledger: nothing is lost if that fails', async () => {
    await inWorld(5, { appendOnly: true }, async (world) => {
      const { provider, books } = world;
      const state = makeState();
      const full = new TestBooks();
      full.record = () => Promise.reject(new Error('the disk is full'));
      const first = await world.openQueue(state);
      await first.attach(full);
      const calls = await addCalls(first, 4);
      world.startWorker(4);
      await first.drain();
      assert.match(full.halts[0]?.message ?? '', /the disk is full/);
      await first.close();
      const second = await world.openQueue(state);
      await second.attach(books);
      await second.drain();
      assertBooked(world, calls);
      assert.deepEqual(books.of('unknown'), []);
      assert.equal(provider.bill.length, 4);
    });
  });

  test('a worker that was frozen and considered dead still delivers its answers', async () => {
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
      await queue.drain();
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
      await addCalls(queue, 9);
      await provider.seen(3);
      await endProcess(first, 'SIGTERM');
      assert.equal(first.exitCode, 0);
      assert.equal(provider.inFlight, 0);
      world.startWorker(3);
      await queue.drain();
      assert.equal(provider.bill.length, 9);
      assert.deepEqual(books.of('unknown'), []);
    });
  });

  test('SIGTERM gives back calls that wait for the limits, and another worker makes them', async () => {
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
      await queue.drain();
      assert.equal(provider.bill.length, 3);
      assert.equal(books.of('answered').length, 3);
    });
  });
});
