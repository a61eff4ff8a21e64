import type { ChildProcess } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import type { LiveCall } from '../../src/live/queue.ts';
import { startProvider } from './redis-provider.ts';
import { startRedis, whyNoRedisServer } from './redis-server.ts';
import { endProcess, makeCall, makeState, openTestQueue, startWorkerProcess, TestBooks } from './redis-world.ts';

/** What the slow proof does to the queue over Redis while it works. */
export interface RedisSoakOptions {
  readonly rows: number;
  readonly workers: number;
  readonly concurrency: number;
  readonly latencyMs: number;
  /** SIGKILLs of workers, each followed by a new one; spread over the rows. */
  readonly workerKills: number;
  /** SIGKILLs of Redis, which forgets everything. */
  readonly redisKills: number;
  /** Emptyings of Redis. */
  readonly flushes: number;
  /** How long Redis stays away after each kill. */
  readonly downMs: number;
}

export interface RedisSoakReport {
  readonly rows: number;
  readonly calls: number;
  /** Calls beyond the first of a row, and those of them the books name. */
  readonly repeated: number;
  readonly reported: number;
  /** Worker kills while calls were in flight. */
  readonly hits: number;
  readonly seconds: number;
  /** The longest time from a fault to the next end. */
  readonly longestGapMs: number;
}

/** Runs rows through faults. Throws when a row has no answer, or a call that was made is in no book. */
export async function soakRedis(options: RedisSoakOptions): Promise<RedisSoakReport> {
  const missing = whyNoRedisServer();
  if (missing !== false) throw new Error(missing);
  const [redis, provider] = [await startRedis(), await startProvider(options.latencyMs)];
  const keyFingerprint = makeState();
  const common = { redisUrl: redis.url, providerUrl: provider.url, lockMs: 5_000, keyFingerprint, secret: null };
  const workers: ChildProcess[] = [];
  const start = () => startWorkerProcess({ ...common, concurrency: options.concurrency });
  for (let number = 0; number < options.workers; number += 1) workers.push(start());
  const queue = await openTestQueue(redis.url, { keyFingerprint, workerSilenceMs: 8_000 });
  const books = new TestBooks();
  await queue.attach(books);
  const calls = new Map(Array.from({ length: options.rows }, (_, number) => makeCall(number)).map((call) => [call.request.customId, call]));
  const startedMs = performance.now();
  let [lastEndMs, longestGapMs, hits] = [startedMs, 0, 0];
  books.onEnd = (end) => {
    longestGapMs = Math.max(longestGapMs, performance.now() - lastEndMs);
    lastEndMs = performance.now();
    if (end.status === 'unknown') void queue.add(calls.get(end.customId) as LiveCall);
  };
  const fed = (async () => {
    for (const call of calls.values()) await queue.add(call);
  })();

  async function killWorker(index: number): Promise<void> {
    if (provider.inFlight > 0) hits += 1;
    const at = index % workers.length;
    await endProcess(workers[at] as ChildProcess, 'SIGKILL');
    workers[at] = start();
  }

  async function killRedis(): Promise<void> {
    await redis.kill();
    await sleep(options.downMs);
    await redis.restart();
  }

  async function flush(): Promise<void> {
    const client = new Redis(redis.url);
    await client.flushall();
    client.disconnect();
  }

  const faults = [
    ...Array.from({ length: options.workerKills }, (_, index) => () => killWorker(index)),
    ...Array.from({ length: options.redisKills }, () => killRedis),
    ...Array.from({ length: options.flushes }, () => flush),
  ];
  try {
    for (const [index, fault] of faults.entries()) {
      await provider.seen(Math.floor(((index + 1) * options.rows) / (faults.length + 1)));
      await fault();
    }
    await fed;
    await queue.settle();
    return judge({ books, bill: provider.bill, calls, hits, longestGapMs, seconds: (performance.now() - startedMs) / 1000 });
  } finally {
    await queue.close();
    await Promise.all(workers.map((worker) => endProcess(worker, 'SIGKILL')));
    await redis.stop();
    await provider.stop();
  }
}

function judge(outcome: {
  readonly books: TestBooks;
  readonly bill: readonly string[];
  readonly calls: ReadonlyMap<string, LiveCall>;
  readonly hits: number;
  readonly longestGapMs: number;
  readonly seconds: number;
}): RedisSoakReport {
  const { books, bill, calls } = outcome;
  const count = (ids: readonly string[]) => {
    const counts = new Map<string, number>();
    for (const id of ids) counts.set(id, (counts.get(id) ?? 0) + 1);
    return counts;
  };
  const [billed, answered, unknown] = [count(bill), count(books.of('answered')), count(books.of('unknown'))];
  for (const id of calls.keys()) {
    if (!answered.has(id)) throw new Error(`row ${id} has no answer`);
    const told = (answered.get(id) ?? 0) + (unknown.get(id) ?? 0);
    if (told < (billed.get(id) ?? 0)) throw new Error(`row ${id} was called ${billed.get(id)} times, and ${told} are reported`);
  }
  const reported = books.of('answered').length + books.of('unknown').length - calls.size;
  return { rows: calls.size, calls: bill.length, repeated: bill.length - calls.size, reported, ...pick(outcome) };
}

function pick({ hits, longestGapMs, seconds }: { hits: number; longestGapMs: number; seconds: number }) {
  return { hits, longestGapMs: Math.round(longestGapMs), seconds: Math.round(seconds * 10) / 10 };
}
