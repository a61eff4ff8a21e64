import assert from 'node:assert/strict';
import { assertBooked, inWorld } from './helpers/fault-world.ts';
import { whyNoRedisServer } from './helpers/redis-server.ts';
import { addCalls, makeState } from './helpers/redis-world.ts';
import { wideTest } from './helpers/wide.ts';

wideTest(
  'Redis killed without persistence loses no answer, and no call is repeated while its worker lives',
  {
    skip: whyNoRedisServer(),
  },
  async () => {
    await inWorld(40, {}, async (world) => {
      const { redis, provider, books } = world;
      world.startWorker(4);
      world.startWorker(4);
      const queue = await world.openQueue(makeState());
      await queue.attach(books);
      const calls = await addCalls(queue, 120);
      await provider.seen(30);
      await redis.restart();
      await queue.drain();
      assertBooked(world, calls);
      assert.equal(provider.bill.length, 120);
      assert.deepEqual(books.of('unknown'), []);
      assert.equal(world.warnings.filter((warning) => warning.startsWith('Redis has lost')).length, 1);
    });
  },
);
