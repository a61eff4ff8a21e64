import { join } from 'node:path';
import type { Summary } from '../src/core/summary.ts';
import { writeLiveJob } from '../test/helpers/live-rows.ts';
import { type LiveStage, makeLiveStage } from '../test/helpers/live-stage.ts';
import type { Measured } from './harness/line.ts';
import { countUsage, readUsage } from './harness/measure.ts';

/** What the benches of the live lane share: a provider that answers after a while, and jobs against it. */

export const LATENCY_MS = 50;
export const CONCURRENCY = 64;
export const CAP_TOKENS = 60;

/** Runs work against a provider, and a Redis where it is asked for, of its own. */
export async function onLiveStage<T>(withRedis: boolean, work: (stage: LiveStage) => Promise<T>): Promise<T> {
  const stage = await makeLiveStage({ provider: { latencyMs: LATENCY_MS }, ...(withRedis ? { redis: { appendOnly: true } } : {}) });
  try {
    return await work(stage);
  } finally {
    await stage.end();
  }
}

/** What the processes of these names, which `work` starts each in its environment, took together. */
export async function measureProcesses(
  stage: LiveStage,
  names: readonly string[],
  work: (env: (name: string) => Readonly<Record<string, string>>) => Promise<void>,
): Promise<Measured> {
  const report = (name: string) => join(stage.folder, `usage-${name}.json`);
  const startedAt = process.hrtime.bigint();
  await work((name) => countUsage(report(name)));
  return readUsage(names.map(report), Number(process.hrtime.bigint() - startedAt) / 1e9);
}

/** One job over a table; with `withWorker` the calls are a worker's. */
export async function runLiveJob(stage: LiveStage, rows: number, { withWorker }: { readonly withWorker: boolean }): Promise<Measured> {
  await writeLiveJob(stage.folder, { rows, capTokens: CAP_TOKENS, lines: `limits: { concurrency: ${CONCURRENCY} }\n` });
  return measureProcesses(stage, withWorker ? ['run', 'worker'] : ['run'], async (env) => {
    if (withWorker) await stage.startWorker(CONCURRENCY, env('worker'));
    const ended = await stage.run(['run', 'job.yaml', '--fresh', '--yes', '--json', '--progress', 'none'], env('run'));
    await stage.endWorkers();
    const ok = ended.exitCode === 0 ? (JSON.parse(ended.stdout) as Summary).rows.ok : 0;
    if (ok !== rows) throw new Error(`${ok} of ${rows} rows are ok, exit ${ended.exitCode}: ${ended.stderr}`);
  });
}

/** `0.87 ms CPU a row`. */
export function sayPerRow({ cpuSeconds }: Measured, rows: number): string {
  return `${(((cpuSeconds ?? 0) * 1000) / rows).toFixed(2)} ms CPU a row`;
}
