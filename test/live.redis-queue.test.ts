import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { startProvider, type TestProvider } from './helpers/redis-provider.ts';
import { borrowRedis, whyNoRedis } from './helpers/redis-server.ts';
import { runTestWorker } from './helpers/redis-worker-process.ts';
import { makeCall, makeState, openTestQueue, TestBooks } from './helpers/redis-world.ts';

describe('the queue over Redis', { skip: whyNoRedis() }, () => {
  let redis: { readonly url: string; stop(): Promise<void> };
  let provider: TestProvider;
  before(async () => {
    redis = await borrowRedis();
    provider = await startProvider(5);
  });
  after(async () => {
    await provider.stop();
    await redis.stop();
  });

  test('every call is made once, by any of two workers, and its answer is recorded', async () => {
    const keyFingerprint = makeState();
    const [draining, ending] = [new AbortController(), new AbortController()];
    const options = { redisUrl: redis.url, providerUrl: provider.url, concurrency: 8, lockMs: 5_000, keyFingerprint, secret: null };
    const workers = [1, 2].map(() => runTestWorker(options, draining.signal, ending.signal));
    const queue = await openTestQueue(redis.url, { keyFingerprint });
    const books = new TestBooks();
    assert.deepEqual(await queue.attach(books), []);
    const calls = Array.from({ length: 300 }, (_, index) => makeCall(index));
    for (const call of calls) await queue.add(call);
    await queue.settle();
    assert.equal(books.announced.length, 300);
    assert.deepEqual(books.of('answered').toSorted(), calls.map((call) => call.request.customId).toSorted());
    assert.deepEqual([...provider.bill].toSorted(), calls.map((call) => call.request.customId).toSorted());
    await queue.close();
    draining.abort();
    await Promise.all(workers);
  });
});
