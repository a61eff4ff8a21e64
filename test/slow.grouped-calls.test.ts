import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Redis } from 'ioredis';
import { makeStateKeys } from '../src/live/redis/keys.ts';
import { assertBooked, DEATH_SHOWS_MS, inWorld, retryUnknown } from './helpers/fault-world.ts';
import { whyNoRedisServer } from './helpers/redis-server.ts';
import { addCalls, endProcess, makeCall, makeState } from './helpers/redis-world.ts';

describe('jobs of several calls', { skip: whyNoRedisServer() }, () => {
  test('a worker killed during one loses the calls it had in flight, and another worker makes the others', async () => {
    await inWorld(20, { appendOnly: true }, async (world) => {
      const { provider, books, redis, queueName } = world;
      const state = makeState();
      const queue = await world.openQueue(state, DEATH_SHOWS_MS);
      await queue.attach(books);
      const calls = Array.from({ length: 40 }, (_, number) => makeCall(number));
      retryUnknown(books, queue, calls);
      for (const call of calls) await queue.add(call);
      await world.callsWaiting(40);
      // No worker has shown itself yet, so that more calls share a job than this one makes at once.
      const doomed = world.startWorker(2);
      let met = 0;
      const killed = new Promise<void>((resolve) => {
        provider.meet = () => {
          met += 1;
          if (met === 7) resolve(endProcess(doomed, 'SIGKILL'));
          return {};
        };
      });
      await killed;
      world.startWorker(4);
      await queue.drain();
      assertBooked(world, calls);
      assert.ok(books.of('unknown').length >= 1 && books.of('unknown').length <= 2, `${books.of('unknown').length} were in flight`);
      await queue.close();
      const client = new Redis(redis.url);
      assert.equal(await client.exists(...Object.values(makeStateKeys(queueName, state))), 0, 'nothing of the state is left in Redis');
      client.disconnect();
    });
  });

  test('a stopped run takes back calls that no worker has, and none in flight', async () => {
    await inWorld(20, { appendOnly: true }, async (world) => {
      const { provider, books } = world;
      const queue = await world.openQueue(makeState());
      await queue.attach(books);
      const calls = await addCalls(queue, 40);
      await world.callsWaiting(40);
      provider.meet = () => {
        queue.stop();
        return {};
      };
      world.startWorker(3);
      await queue.drain();
      const answered = books.of('answered');
      assert.deepEqual([...answered, ...books.of('given-back')].toSorted(), calls.map(({ request }) => request.customId).toSorted());
      assert.deepEqual(provider.bill.toSorted(), answered.toSorted());
      assert.ok(answered.length >= 1 && answered.length <= 12, `${answered.length} were under way`);
    });
  });

  test('a runner that returns during a job waits only for its remaining calls', async () => {
    await inWorld(50, { appendOnly: true }, async (world) => {
      const { provider, books } = world;
      const state = makeState();
      const first = await world.openQueue(state);
      await first.attach(books);
      const calls = await addCalls(first, 12);
      await world.callsWaiting(12);
      const begun = new Promise<void>((resolve) => {
        books.onEnd = () => resolve();
      });
      world.startWorker(1);
      await begun;
      // Like a death: no stop, and nobody waits for ends.
      await first.close();
      const known = books.of('answered').length;
      const second = await world.openQueue(state);
      const held = await second.attach(books);
      assert.deepEqual([held.length, new Set([...held, ...books.of('answered').slice(0, known)]).size], [12 - known, 12]);
      await second.drain();
      assertBooked(world, calls);
      assert.equal(provider.bill.length, 12);
    });
  });
});
