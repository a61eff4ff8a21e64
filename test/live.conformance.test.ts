import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createThrottle } from '../src/live/limits/throttle.ts';
import { createLocalQueue } from '../src/live/local/local-queue.ts';
import type { CallQueue } from '../src/live/queue.ts';
import { startProvider, type TestProvider } from './helpers/redis-provider.ts';
import { borrowRedis, whyNoRedis } from './helpers/redis-server.ts';
import { makeTestCall, runTestWorker } from './helpers/redis-worker-process.ts';
import { makeCall, makeState, openTestQueue, TestBooks } from './helpers/redis-world.ts';
import { wideTest } from './helpers/wide.ts';

/** A queue with everything it needs around it. */
interface QueueWorld {
  readonly queue: CallQueue;
  end(): Promise<void>;
}

const CONCURRENCY = 4;

/** The two implementations of the port; what holds for one holds for the other. */
const QUEUES: readonly { name: string; skip: string | false; open(provider: TestProvider): Promise<QueueWorld> }[] = [
  { name: 'the queue of one process', skip: false, open: openLocal },
  { name: 'the queue over Redis', skip: whyNoRedis(), open: openOverRedis },
];

async function openLocal(provider: TestProvider): Promise<QueueWorld> {
  const ending = new AbortController();
  const monotonicMs = () => performance.now();
  const queue = createLocalQueue({
    makeCall: makeTestCall(provider.url),
    throttle: createThrottle({ requestsPerMinute: null, tokensPerMinute: null, monotonicMs, random: () => 0.5 }),
    ceiling: CONCURRENCY,
    clock: () => new Date(),
    monotonicMs,
    sleep: async (milliseconds, signal) => sleep(milliseconds, undefined, { signal }),
    random: () => 0.5,
    warn: () => {},
    signal: ending.signal,
  });
  return { queue, end: () => queue.close() };
}

async function openOverRedis(provider: TestProvider): Promise<QueueWorld> {
  const redis = await borrowRedis();
  const keyFingerprint = makeState();
  const [draining, ending] = [new AbortController(), new AbortController()];
  const options = {
    redisUrl: redis.url,
    providerUrl: provider.url,
    concurrency: CONCURRENCY,
    lockMs: 5_000,
    keyFingerprint,
    secret: 'shared',
  };
  const worker = runTestWorker(options, draining.signal, ending.signal);
  const queue = await openTestQueue(redis.url, { keyFingerprint, secret: 'shared', window: { calls: 2 * CONCURRENCY, bodyBytes: 1e6 } });
  return {
    queue,
    end: async () => {
      await queue.close();
      draining.abort();
      await worker;
      await redis.stop();
    },
  };
}

for (const { name, skip, open } of QUEUES) {
  describe(name, { skip, concurrency: true }, () => {
    async function within(latencyMs: number, body: (world: QueueWorld & { provider: TestProvider; books: TestBooks }) => Promise<void>) {
      const provider = await startProvider(latencyMs);
      const world = await open(provider);
      const books = new TestBooks();
      try {
        assert.deepEqual(await world.queue.attach(books), []);
        await body({ ...world, provider, books });
      } finally {
        await world.end();
        await provider.stop();
      }
    }

    test('every call is announced, then made once, and has one end', async () => {
      await within(2, async ({ queue, provider, books }) => {
        const calls = Array.from({ length: 40 }, (_, number) => makeCall(number));
        let unannounced = 0;
        provider.meet = (customId) => {
          if (!books.announced.includes(customId)) unannounced += 1;
          return {};
        };
        for (const call of calls) await queue.add(call);
        await queue.drain();
        const ids = calls.map((call) => call.request.customId).toSorted();
        assert.deepEqual(provider.bill.toSorted(), ids);
        assert.deepEqual(books.ends.map((end) => end.customId).toSorted(), ids);
        assert.equal(books.of('answered').length, 40);
        assert.equal(unannounced, 0);
        assert.equal(queue.view.waiting, 0);
      });
    });

    wideTest('a failure reported by the provider is an end, and the row may be added again', async () => {
      await within(2, async ({ queue, provider, books }) => {
        provider.meet = (_customId, nth) => ({ status: nth === 1 ? 500 : 200 });
        books.onEnd = () => {
          if (books.ends.length === 1) void queue.add(makeCall(1, 30));
        };
        await queue.add(makeCall(1));
        await queue.drain();
        const codes = books.ends.map((end) => (end.status === 'answered' ? JSON.parse(end.line).response.status_code : end.status));
        assert.deepEqual(codes, [500, 200]);
        assert.equal(provider.bill.length, 2);
      });
    });

    test('a rate-limited call is repeated and ends once', async () => {
      await within(2, async ({ queue, provider, books }) => {
        provider.meet = (_customId, nth) => ({ status: nth <= 2 ? 429 : 200 });
        await queue.add(makeCall(1));
        await queue.drain();
        assert.equal(provider.bill.length, 3);
        assert.deepEqual(
          books.ends.map((end) => end.status).filter((status) => status !== 'refused'),
          ['answered'],
        );
      });
    });

    wideTest('a call whose connection breaks may have been billed', async () => {
      await within(2, async ({ queue, provider, books }) => {
        const { request } = makeCall(1);
        provider.meet = () => ({ status: 0 });
        await queue.add(makeCall(1));
        await queue.drain();
        assert.equal(provider.bill.length, 1);
        const [end] = books.ends;
        assert.equal(end?.status, 'unknown');
        assert.equal(end?.status === 'unknown' && end.bodyBytes, Buffer.byteLength(request.body));
      });
    });

    test('a refused key halts once, and no call stays without an end', async () => {
      await within(2, async ({ queue, provider, books }) => {
        provider.meet = () => ({ status: 401 });
        // The lane adds until it hears of the halt.
        for (let number = 0; number < 30 && books.halts.length === 0; number += 1) await queue.add(makeCall(number));
        await queue.drain();
        assert.equal(books.halts.length, 1);
        assert.equal(books.halts[0]?.exitCode, 4);
        assert.equal(books.halts[0]?.code, 'invalid_api_key');
        assert.ok(books.of('given-back').length > 0);
        assert.equal(books.of('answered').length + books.of('unknown').length, 0);
        for (const customId of new Set(provider.bill)) assert.ok(books.of('refused').includes(customId));
      });
    });

    test('after stop nothing leaves; calls in flight end, the rest is given back', async () => {
      await within(150, async ({ queue, provider, books }) => {
        for (let number = 0; number < CONCURRENCY + 3; number += 1) await queue.add(makeCall(number, number === 0 ? 60_000 : 0));
        await provider.seen(CONCURRENCY);
        queue.stop();
        queue.stop();
        await queue.drain();
        assert.equal(books.of('answered').length, provider.bill.length);
        assert.equal(books.of('answered').length + books.of('given-back').length, CONCURRENCY + 3);
        // Whatever was announced and not made is known to have cost nothing.
        const unmade = books.announced.filter((customId) => !provider.bill.includes(customId));
        assert.deepEqual(books.of('refused').toSorted(), unmade.toSorted());
      });
    });

    wideTest('add waits while the queue is full', async () => {
      await within(20, async ({ queue, provider }) => {
        let mostHeld = 0;
        for (let number = 0; number < 60; number += 1) {
          await queue.add(makeCall(number));
          mostHeld = Math.max(mostHeld, queue.view.inFlight + queue.view.waiting);
        }
        await queue.drain();
        assert.equal(provider.bill.length, 60);
        assert.ok(mostHeld <= 2 * CONCURRENCY, `${mostHeld} calls were held at once`);
      });
    });
  });
}
