import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { Redis } from 'ioredis';
import type { CallQueue, LiveCall } from '../../src/live/queue.ts';
import { makeJobKey, makeQueueName, REDIS_PREFIX } from '../../src/live/redis/keys.ts';
import { startProvider, type TestProvider } from './redis-provider.ts';
import { type RedisServer, type RedisServerOptions, startRedis } from './redis-server.ts';
import { endProcess, makeState, NOBODY_DIES_MS, openTestQueue, startWorkerProcess, TestBooks } from './redis-world.ts';

/** Short, so that a death is seen within the time of a test. */
const LOCK_MS = 1_000;
export const DEATH_SHOWS_MS = 1_500;

export interface FaultWorld {
  readonly redis: RedisServer;
  readonly provider: TestProvider;
  readonly books: TestBooks;
  readonly warnings: readonly string[];
  readonly queueName: string;
  startWorker(concurrency: number, lockMs?: number): ChildProcess;
  openQueue(state: string, workerSilenceMs?: number): Promise<CallQueue>;
  /** Resolves when jobs in Redis carry so many calls. */
  callsWaiting(calls: number): Promise<void>;
}

/** A Redis, a provider and books of the test's own; workers and queues it opens are ended with it. */
export async function inWorld(latencyMs: number, options: RedisServerOptions, body: (world: FaultWorld) => Promise<void>): Promise<void> {
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
    callsWaiting: async (calls) => {
      const client = new Redis(redis.url);
      for (let waiting = 0; waiting < calls; ) {
        const jobIds = await client.lrange(`${REDIS_PREFIX}:${queueName}:wait`, 0, -1);
        const data = await Promise.all(jobIds.map((jobId) => client.hget(makeJobKey(queueName, jobId), 'data')));
        waiting = data.reduce((sum, text) => sum + (JSON.parse(text ?? '{}').calls?.length ?? 1), 0);
      }
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
export function retryUnknown(books: TestBooks, queue: CallQueue, calls: readonly LiveCall[]): void {
  const byId = new Map(calls.map((call) => [call.request.customId, call]));
  books.onEnd = (end) => {
    if (end.status === 'unknown') void queue.add(byId.get(end.customId) as LiveCall);
  };
}

/** Every row is answered, and every call beyond the first of a row is reported. */
export function assertBooked(world: FaultWorld, calls: readonly LiveCall[]): void {
  const { provider, books } = world;
  const ids = calls.map((call) => call.request.customId).toSorted();
  assert.deepEqual([...new Set(books.of('answered'))].toSorted(), ids);
  for (const id of ids) {
    const billed = provider.bill.filter((customId) => customId === id).length;
    const told = [...books.of('answered'), ...books.of('unknown')].filter((customId) => customId === id).length;
    assert.ok(told >= billed, `${id} was called ${billed} times, and ${told} are reported`);
  }
}
