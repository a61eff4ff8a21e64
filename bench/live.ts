import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import type { Summary } from '../src/core/summary.ts';
import { WINDOW_LIMITS } from '../src/live/runner/window.ts';
import { writeLiveJob } from '../test/helpers/live-rows.ts';
import { type LiveStage, makeLiveStage } from '../test/helpers/live-stage.ts';
import { whyNoRedisServer } from '../test/helpers/redis-server.ts';
import type { RunnerEnd, RunnerOptions } from './live-runner.ts';
import { type Measured, readArgument } from './measure.ts';
import { type BenchLine, printLines } from './result.ts';

/** Live calls: cpu of a call against a bare loop of the client, what workers over Redis add, and memory from few rows to many. */

const LATENCY_MS = 50;
const CONCURRENCY = 64;
const CAP_TOKENS = 60;
/** So many calls tell what one costs. */
const CALL_ROWS = 30_000;
const FEW_ROWS = 10_000;
const MIB = 2 ** 20;
/** A waiting job of half a kilobyte with all that BullMQ and we keep about it. */
const REDIS_BYTES_PER_CALL = 4_096;

const RUNNER = new URL('./live-runner.js', import.meta.url);
const SCRIPT = new URL('./script-part.js', import.meta.url);
const HOOK = new URL('./usage-hook.js', import.meta.url).href;

/** Runs processes that count what the kernel did for them. */
async function measure(
  stage: LiveStage,
  names: readonly string[],
  work: (env: (name: string) => Record<string, string>) => Promise<void>,
): Promise<Measured> {
  const report = (name: string) => join(stage.folder, `usage-${name}.json`);
  const startedAt = process.hrtime.bigint();
  await work((name) => ({ NODE_OPTIONS: `--import ${HOOK}`, BENCH_USAGE: report(name) }));
  const wallSeconds = Number(process.hrtime.bigint() - startedAt) / 1e9;
  const usages = names.map((name) => JSON.parse(readFileSync(report(name), 'utf8')) as { cpuSeconds: number; peakRssMib: number });
  return {
    wallSeconds,
    cpuSeconds: usages.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0),
    peakRssMib: Math.max(...usages.map(({ peakRssMib }) => peakRssMib)),
    facts: {},
  };
}

/** One job over a table; with `withWorker` the calls are a worker's. */
async function runJob(stage: LiveStage, rows: number, withWorker: boolean): Promise<Measured> {
  await writeLiveJob(stage.folder, { rows, capTokens: CAP_TOKENS, lines: `limits: { concurrency: ${CONCURRENCY} }\n` });
  return measure(stage, withWorker ? ['run', 'worker'] : ['run'], async (env) => {
    if (withWorker) await stage.startWorker(CONCURRENCY, env('worker'));
    const ended = await stage.run(['run', 'job.yaml', '--fresh', '--yes', '--json', '--progress', 'none'], env('run'));
    await stage.endWorkers();
    const ok = ended.exitCode === 0 ? (JSON.parse(ended.stdout) as Summary).rows.ok : 0;
    if (ok !== rows) throw new Error(`${ok} of ${rows} rows are ok, exit ${ended.exitCode}: ${ended.stderr}`);
  });
}

async function onStage<T>(withRedis: boolean, work: (stage: LiveStage) => Promise<T>): Promise<T> {
  const provider = { latencyMs: LATENCY_MS };
  const stage = await makeLiveStage({ provider, ...(withRedis ? { redis: { appendOnly: true } } : {}) });
  try {
    return await work(stage);
  } finally {
    await stage.end();
  }
}

/** A bare loop, the lane alone, and a whole run over the same rows. */
function measureCalls(rows: number) {
  return onStage(false, async (stage) => {
    const calls = { baseUrl: stage.providerUrl, rows, concurrency: CONCURRENCY, capTokens: CAP_TOKENS };
    const bare = await measure(stage, ['loop'], async (env) => {
      await stage.runFile(SCRIPT, calls, env('loop'));
    });
    const lane = await measure(stage, ['lane'], async (env) => {
      const options: RunnerOptions = { ...calls, promptTokens: 70, requestsPerMinute: null, tokensPerMinute: null };
      const { ok } = await stage.runFile<RunnerEnd>(RUNNER, options, env('lane'));
      if (ok !== rows) throw new Error(`${ok} of ${rows} rows are ok`);
    });
    return { bare, lane, run: await runJob(stage, rows, false) };
  });
}

/** The same rows through a worker, and the most memory Redis took. */
function measureShared(rows: number) {
  return onStage(true, async (stage) => {
    const redis = new Redis(stage.redis?.url ?? '');
    const readPeak = async () => Number(/^used_memory_peak:(\d+)/m.exec(await redis.info('memory'))?.[1]);
    const before = await readPeak();
    const shared = await runJob(stage, rows, true);
    const redisBytes = (await readPeak()) - before;
    redis.disconnect();
    return { shared, redisBytes };
  });
}

const missing = whyNoRedisServer();
if (missing !== false) throw new Error(missing);
const manyRows = Number(readArgument('rows') ?? 500_000);
const callRows = Math.min(CALL_ROWS, manyRows);
const fewRows = Math.min(FEW_ROWS, Math.ceil(manyRows / 5));

const { bare, lane, run } = await measureCalls(callRows);
const { shared, redisBytes } = await measureShared(callRows);
const few = await onStage(false, (stage) => runJob(stage, fewRows, false));
const many = await onStage(false, (stage) => runJob(stage, manyRows, false));

const cpuOf = ({ cpuSeconds }: Measured) => cpuSeconds ?? 0;
const perRow = (measured: Measured, rows: number) => `${rows} rows, ${((cpuOf(measured) * 1000) / rows).toFixed(2)} ms cpu a row`;
const baseline = (what: string, measured: Measured, facts: string): BenchLine => ({
  what,
  measured,
  ratio: null,
  rssLimitMib: null,
  facts,
});
printLines([
  baseline(`a bare loop: the client and p-limit(${CONCURRENCY})`, bare, perRow(bare, callRows)),
  {
    ...baseline('the live lane alone: throttle, call, ledger', lane, perRow(lane, callRows)),
    ratio: { value: cpuOf(lane) / cpuOf(bare), of: 'cpu', limit: 1.15 },
  },
  baseline('rowmill run, one process: plan, table, calls, table', run, perRow(run, callRows)),
  {
    ...baseline('rowmill run and a worker, over Redis', shared, perRow(shared, callRows)),
    ratio: { value: ((cpuOf(shared) - cpuOf(run)) * 1000) / callRows, unit: ' ms', of: 'more cpu a row', limit: 0.4 },
  },
  {
    ...baseline(
      'Redis meanwhile',
      { ...shared, cpuSeconds: null, peakRssMib: redisBytes / MIB },
      `${WINDOW_LIMITS.calls} calls in the window at most`,
    ),
    rssLimitMib: Math.round((WINDOW_LIMITS.calls * REDIS_BYTES_PER_CALL) / MIB),
  },
  baseline('rowmill run, few rows', few, perRow(few, fewRows)),
  {
    ...baseline('rowmill run, many rows', many, perRow(many, manyRows)),
    ratio: { value: (many.peakRssMib ?? 0) / (few.peakRssMib ?? 1), of: 'memory', limit: 1.3 },
  },
]);
