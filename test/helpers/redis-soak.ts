import * as fs from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import type { Summary } from '../../src/core/summary.ts';
import { writeLiveJob } from './live-rows.ts';
import { type LiveStage, makeLiveStage, type StageWorker } from './live-stage.ts';
import { judgeSoak } from './redis-soak-judge.ts';

/** What the slow proof does to a run over Redis while it works. */
export interface RedisSoakOptions {
  readonly rows: number;
  readonly workers: number;
  /** Of each worker. */
  readonly concurrency: number;
  readonly onUnknown: 'retry' | 'hold';
  /** SIGKILLs of workers with calls in flight, each followed by a new one; spread over the rows. */
  readonly workerKills: number;
  /** SIGKILLs of Redis, which forgets everything. */
  readonly redisKills: number;
  /** Emptyings of Redis. */
  readonly flushes: number;
  /** Whether Redis stays away for half a minute after one of its kills. */
  readonly hasLongPause: boolean;
}

export interface RedisSoakReport {
  readonly rows: number;
  readonly ok: number;
  /** Rows failed because a call may have been billed and `on_unknown` is hold. */
  readonly held: number;
  /** Calls on the provider's bill, and how many of them were not the first of their row. */
  readonly billed: number;
  readonly billedAgain: number;
  /** Calls the ledger counts as possibly billed without an answer. */
  readonly reported: number;
  readonly workerKills: number;
  /** Those while the worker had calls under way. */
  readonly hits: number;
  readonly redisKills: number;
  readonly flushes: number;
  /** The longest time from the kill of a worker until all its calls were known to be lost. */
  readonly recoveryMs: number;
  readonly seconds: number;
}

/** Most calls take this long: kills find some in flight. */
const LATENCY = { p50Ms: 150, sigma: 0.5 };
const SHORT_PAUSE_MS = 300;
const LONG_PAUSE_MS = 30_000;
const LOOK_MS = 20;

/** A whole run through faults, by the programs people use. Throws when a row has no good end, or a call that was billed is in no book. */
export async function soakRedis(options: RedisSoakOptions): Promise<RedisSoakReport> {
  const stage = await makeLiveStage({ provider: { latencyMs: LATENCY }, redis: { appendOnly: false } });
  const redis = stage.redis as NonNullable<LiveStage['redis']>;
  const client = new Redis(redis.url, { maxRetriesPerRequest: null, retryStrategy: () => LOOK_MS });
  client.on('error', () => {});
  const workers: StageWorker[] = [];
  const recoveries: Promise<number>[] = [];
  const countBilled = createLineCounter(join(stage.folder, 'bill.jsonl'));
  let [hits, isOver] = [0, false];

  /** How many attempts Redis has on record for a worker. */
  async function countOpen(worker: StageWorker): Promise<number> {
    let open = 0;
    for (const key of await client.keys('rowmill-calls:*:open')) {
      open += (await client.hvals(key)).filter((mark) => mark.startsWith(worker.id)).length;
    }
    return open;
  }

  async function killWorker(index: number): Promise<void> {
    const at = index % workers.length;
    const worker = workers[at] as StageWorker;
    while ((await countOpen(worker)) === 0 && !isOver) await sleep(LOOK_MS);
    await worker.kill();
    const killedMs = performance.now();
    if ((await countOpen(worker)) > 0) hits += 1;
    recoveries.push(
      (async () => {
        while ((await countOpen(worker)) > 0 && !isOver) await sleep(LOOK_MS);
        return performance.now() - killedMs;
      })(),
    );
    workers[at] = await stage.startWorker(options.concurrency);
  }

  async function killRedis(pauseMs: number): Promise<void> {
    await redis.kill();
    await sleep(pauseMs);
    await redis.restart();
  }

  const pauseOf = (index: number) =>
    options.hasLongPause && index === Math.floor(options.redisKills / 2) ? LONG_PAUSE_MS : SHORT_PAUSE_MS;
  /** Each kind is spread evenly over the rows. */
  const spread = (count: number, make: (index: number) => () => Promise<void>) =>
    Array.from({ length: count }, (_, index) => ({ place: (index + 1) / (count + 1), fire: make(index) }));
  const faults = [
    ...spread(options.workerKills, (index) => () => killWorker(index)),
    ...spread(options.redisKills, (index) => () => killRedis(pauseOf(index))),
    ...spread(options.flushes, () => async () => void (await client.flushall())),
  ].toSorted((a, b) => a.place - b.place);
  try {
    const lines = `on_unknown: ${options.onUnknown}\nretry: { attempts: 20 }\nfail_if: { failed_rows: "> 100%" }\n`;
    await writeLiveJob(stage.folder, { rows: options.rows, capTokens: 60, lines });
    for (let number = 0; number < options.workers; number += 1) workers.push(await stage.startWorker(options.concurrency));
    const startedMs = performance.now();
    const running = stage.run(['run', 'job.yaml', '--yes', '--json', '--progress', 'none']).finally(() => {
      isOver = true;
    });
    for (const { place, fire } of faults) {
      while (countBilled() < place * options.rows && !isOver) await sleep(LOOK_MS);
      if (isOver) throw new Error(`the run ended before all faults had fired: ${(await running).stderr}`);
      await fire();
    }
    const ended = await running;
    const seconds = (performance.now() - startedMs) / 1000;
    if (ended.exitCode !== 0) throw new Error(`exit ${ended.exitCode}: ${ended.stderr}`);
    const verified = await stage.run(['verify', 'job.yaml']);
    if (verified.exitCode !== 0) throw new Error(`verify: ${verified.stdout}${verified.stderr}`);
    const books = judgeSoak(stage, JSON.parse(ended.stdout) as Summary, options);
    const { workerKills, redisKills, flushes } = options;
    const recoveryMs = Math.round(Math.max(0, ...(await Promise.all(recoveries))));
    return { ...books, workerKills, hits, redisKills, flushes, recoveryMs, seconds };
  } finally {
    isOver = true;
    client.disconnect();
    await stage.end();
  }
}

/** Counts the lines of a growing file, reading only what is new. */
function createLineCounter(file: string): () => number {
  let bytes = 0;
  let lines = 0;
  return () => {
    const size = fs.statSync(file, { throwIfNoEntry: false })?.size ?? 0;
    if (size <= bytes) return lines;
    const text = fs.readFileSync(file);
    for (let at = text.indexOf(10, bytes); at >= 0; at = text.indexOf(10, at + 1)) lines += 1;
    bytes = text.length;
    return lines;
  };
}
