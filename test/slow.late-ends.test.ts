import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Redis } from 'ioredis';
import { makeJobId, makeStateKeys } from '../src/live/redis/keys.ts';
import { inWorld } from './helpers/fault-world.ts';
import { whyNoRedisServer } from './helpers/redis-server.ts';
import { makeCall, makeState } from './helpers/redis-world.ts';

test('an answer that arrives while ends are held is not recorded, stays in Redis, and goes to the next run', {
  skip: whyNoRedisServer(),
}, async () => {
  await inWorld(5, {}, async (world) => {
    const { redis, books, queueName } = world;
    world.startWorker(2);
    const state = makeState();
    const first = await world.openQueue(state);
    await first.attach(books);
    const { request } = makeCall(1);
    await first.add(makeCall(1));
    await first.drain();
    assert.deepEqual(books.of('answered'), [request.customId]);

    await first.holdEnds?.(true);
    const client = new Redis(redis.url);
    const { results } = makeStateKeys(queueName, state);
    const line = JSON.stringify({
      id: 'late',
      custom_id: request.customId,
      response: { status_code: 200, request_id: '', body: {} },
      error: null,
    });
    await client.xadd(results, '*', 'kind', 'line', 'job', makeJobId(state, request.customId, 1), 'text', line, 'seal', '');
    await first.close();
    assert.equal(books.ends.filter(({ status }) => status === 'answered').length, 1, 'the books were closed');
    assert.equal(await client.xlen(results), 1);

    const next = await world.openQueue(state);
    assert.deepEqual(await next.attach(books), [request.customId]);
    await next.drain();
    // The worker may tell its own answer to the new session once more: the ledger knows that line.
    const late = books.ends.filter((end) => end.status === 'answered' && end.line === line);
    assert.equal(late.length, 1);
    await next.close();
    assert.equal(await client.exists(results), 0);
    client.disconnect();
  });
});
