import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { type RunMetrics, readJobName, readLastSuccess, renderMetrics } from '../src/cli/metrics/render-metrics.ts';
import { createRunMetrics } from '../src/cli/metrics/run-metrics.ts';
import { serveWorkerMetrics } from '../src/cli/metrics/worker-metrics.ts';
import type { CallOutcome } from '../src/live/call.ts';
import { parseMetrics } from './helpers/parse-metrics.ts';
import { projectRoot } from './helpers/project-root.ts';

const METRICS: RunMetrics = {
  job: 'nightly',
  simulated: false,
  isRunning: false,
  exitCode: 3,
  startedAtSeconds: 1_796_000_000.5,
  durationSeconds: 12.25,
  lastSuccessSeconds: 1_795_900_000,
  rows: { ok: 197, failed: 3, skipped: 0, pending: 0 },
  attempts: { batch: 199, live: 0 },
  tokens: { input: 24_110, cached_input: 0, output: 6_021, reasoning: 0 },
  cost: { nanoUsd: 3_614_550, possiblyBilledNanoUsd: 0, ledgerNanoUsd: 9_000_000_001, unpricedAttempts: 0 },
};

test('metrics of a run are in the text format of Prometheus, without unknown values', () => {
  const text = renderMetrics(METRICS);
  const { types, samples } = parseMetrics(text);
  assert.ok([...types.values()].every((type) => type === 'gauge'));
  assert.equal(samples.get('rowmill_run_rows{job="nightly",disposition="failed"}'), 3);
  assert.equal(samples.get('rowmill_run_cost_usd{job="nightly"}'), 0.00361455);
  assert.equal(samples.get('rowmill_ledger_cost_usd{job="nightly"}'), 9.000000001);
  assert.equal(samples.get('rowmill_last_success_timestamp_seconds{job="nightly"}'), 1_795_900_000);
  const bare = parseMetrics(
    renderMetrics({ ...METRICS, exitCode: null, rows: null, attempts: null, tokens: null, cost: null, lastSuccessSeconds: null }),
  );
  assert.deepEqual(
    [...bare.types.keys()],
    ['rowmill_run_running', 'rowmill_run_simulated', 'rowmill_run_start_timestamp_seconds', 'rowmill_run_duration_seconds'],
  );
  assert.deepEqual(
    [readLastSuccess(text, 'nightly'), readLastSuccess(text, 'other'), readLastSuccess('', 'nightly')],
    [1_795_900_000, null, null],
  );
  assert.deepEqual([readJobName(text), readJobName('id,text\n')], ['nightly', null]);
});

test('a worker serves calls, 429s, calls in flight and waits; a port in use is reported', async (t) => {
  const metrics = await serveWorkerMetrics(0, '127.0.0.1', () => performance.now());
  t.after(() => metrics.close());
  const read = async () => {
    const answer = await fetch(`http://127.0.0.1:${metrics.port}/metrics`);
    assert.match(answer.headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/);
    return parseMetrics(await answer.text());
  };
  const before = await read();
  assert.equal(before.samples.get('rowmill_worker_calls_total{outcome="rate_limited"}'), 0);
  assert.equal(before.types.get('rowmill_worker_call_seconds'), 'histogram');

  const ended: ((outcome: CallOutcome) => void)[] = [];
  const call = metrics.count(() => new Promise((resolve) => ended.push(resolve)));
  const options = { queuedAt: new Date(), signal: new AbortController().signal };
  const calls = [1, 2, 3].map(() => call({} as Parameters<typeof call>[0], options));
  assert.equal((await read()).samples.get('rowmill_worker_calls_in_flight'), 3);
  const usage = { inputTokens: 10, cachedInputTokens: 0, cacheWriteTokens: 0, outputTokens: 5, reasoningTokens: 0 };
  ended[0]?.({ status: 'answered', line: '', usage, headers: null, failure: null });
  ended[1]?.({ status: 'wait' } as CallOutcome);
  ended[2]?.({ status: 'unknown' } as CallOutcome);
  await Promise.all(calls);
  const log = metrics.listen(() => {});
  log('warn', 'wait', { code: 'rate_limit_exceeded', waitMs: 1_500 });
  log('warn', 'wait', { code: 'a "hostile"\ncode', waitMs: 500 });
  const { samples } = await read();
  for (const [name, value] of [
    ['rowmill_worker_calls_total{outcome="ok"}', 1],
    ['rowmill_worker_calls_total{outcome="rate_limited"}', 1],
    ['rowmill_worker_calls_total{outcome="unknown"}', 1],
    ['rowmill_worker_calls_in_flight', 0],
    ['rowmill_worker_call_seconds_count', 3],
    ['rowmill_worker_tokens_total{kind="output"}', 5],
    ['rowmill_worker_waits_total{code="rate_limit_exceeded"}', 1],
    ['rowmill_worker_waits_total{code="other"}', 1],
    ['rowmill_worker_wait_seconds_total', 2],
  ] as const)
    assert.equal(samples.get(name), value, name);
  assert.equal((await fetch(`http://127.0.0.1:${metrics.port}/`)).status, 404);
  assert.equal((await fetch(`http://127.0.0.1:${metrics.port}/metrics`, { method: 'POST' })).status, 405);
  await assert.rejects(
    serveWorkerMetrics(metrics.port, '127.0.0.1', () => 0),
    { exitCode: 2, message: /--metrics-port \d+: .*EADDRINUSE/ },
  );
});

interface Rules {
  readonly groups: readonly {
    readonly rules: readonly { readonly alert: string; readonly expr: string; readonly annotations: { summary: string } }[];
  }[];
}

test('the rules of the recipe name only existing metrics, outcomes and dispositions', () => {
  const read = (name: string) => readFileSync(join(projectRoot, name), 'utf8');
  const [, text = ''] = /```yaml\n(.*?)```/s.exec(read('docs/recipes/alerts.md')) ?? [];
  const rules = (parse(text) as Rules).groups.flatMap((group) => group.rules);
  const code = read('src/cli/metrics/render-metrics.ts') + read('src/cli/metrics/worker-metrics.ts');
  const page = read('docs/nights.md');
  const used = rules.flatMap(({ expr }) => expr.match(/rowmill_\w+/g) ?? []).map((name) => name.replace(/_(count|sum|bucket)$/, ''));
  assert.ok(used.length >= 8);
  for (const name of used) assert.ok(code.includes(`'${name}'`) && page.includes(`\`${name}`), name);
  for (const [name = ''] of code.matchAll(/(?<=')rowmill_\w+(?=')/g)) assert.ok(page.includes(name), `docs/nights.md: ${name} is missing`);
  for (const [, value = ''] of rules.flatMap(({ expr }) => [...expr.matchAll(/(?:outcome|disposition)="(\w+)"/g)]))
    assert.ok(code.includes(value), value);
  assert.ok(rules.every(({ alert, annotations }) => /^Rowmill\w+$/.test(alert) && annotations.summary.length > 20));
});

test("a file with another job's figures is replaced, with one warning", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'rowmill-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'rowmill.prom');
  const told: string[] = [];
  for (const job of ['one', 'one', 'other']) {
    const metrics = createRunMetrics(path, (message) => told.push(message));
    metrics.begin(job);
    await metrics.end({ error: new Error('the end') });
    assert.equal(readJobName(readFileSync(path, 'utf8')), job);
  }
  assert.equal(told.length, 1);
  assert.match(told[0] ?? '', /^--metrics: .* held the figures of the job one, which those of other replace: name a file for each job$/);
});
