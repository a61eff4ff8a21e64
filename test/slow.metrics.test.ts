import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Summary } from '../src/core/summary.ts';
import { CANARY_KEY, createWorld, REVIEW_JOB, REVIEWS } from './helpers/command-line.ts';
import { parseMetrics } from './helpers/parse-metrics.ts';

test('run --metrics writes the figures of each end, and when the job last succeeded', async (t) => {
  const world = createWorld({ 'reviews.csv': REVIEWS, 'job.yaml': REVIEW_JOB });
  t.after(() => world.dispose());
  const file = join(world.folder, 'reviews.prom');
  const read = () => parseMetrics(readFileSync(file, 'utf8')).samples;
  const at = (name: string) => read().get(`${name}{job="reviews"}`);
  const summary = await world.json<Summary>(['run', 'job.yaml', '--simulate', '--metrics', 'reviews.prom']);
  assert.deepEqual([at('rowmill_run_exit_code'), at('rowmill_run_running'), at('rowmill_run_simulated')], [0, 0, 1]);
  assert.equal(read().get('rowmill_run_rows{job="reviews",disposition="ok"}'), summary.rows.ok);
  assert.equal(read().get('rowmill_run_tokens{job="reviews",kind="input"}'), summary.tokens.input);
  assert.equal(at('rowmill_run_cost_usd'), summary.cost.nanoUsd / 1e9);
  assert.equal(at('rowmill_ledger_cost_usd'), summary.ledger.nanoUsd / 1e9);
  const success = at('rowmill_last_success_timestamp_seconds') ?? 0;
  assert.ok(Math.abs(success - Date.now() / 1000) < 60);

  writeFileSync(join(world.folder, 'job.yaml'), REVIEW_JOB.replace('skipped_rows: 1', 'skipped_rows: 0'));
  assert.equal((await world.run(['run', 'job.yaml', '--simulate', '--metrics', 'reviews.prom'])).exitCode, 3);
  assert.deepEqual([at('rowmill_run_exit_code'), at('rowmill_last_success_timestamp_seconds')], [3, success]);
  writeFileSync(join(world.folder, 'reviews.csv'), 'id,text\n1,"torn\n');
  assert.equal((await world.run(['run', 'job.yaml', '--simulate', '--metrics', 'reviews.prom'])).exitCode, 2);
  assert.deepEqual([at('rowmill_run_exit_code'), at('rowmill_last_success_timestamp_seconds')], [2, success], 'a refused run says so, too');
  assert.ok(!readdirSync(world.folder).some((name) => name.endsWith('.tmp')), 'nothing is left beside it');
});

test('metrics never overwrite what a run reads or writes, and fail no run', async (t) => {
  const world = createWorld({ 'reviews.csv': REVIEWS, 'job.yaml': REVIEW_JOB, file: 'x' });
  t.after(() => world.dispose());
  for (const path of ['job.yaml', 'reviews.csv', 'out.csv', 'out.report.html', '.env', join('.rowmill', 'x.prom')]) {
    const full = join(world.folder, path);
    const before = existsSync(full) ? readFileSync(full, 'utf8') : null;
    const { exitCode, stderr } = await world.run(['run', 'job.yaml', '--simulate', '--metrics', path]);
    assert.deepEqual([exitCode, stderr.startsWith('the file of metrics cannot be written to ')], [2, true], stderr);
    assert.equal(existsSync(full) ? readFileSync(full, 'utf8') : null, before, path);
  }
  execFileSync('mkfifo', [join(world.folder, 'pipe')]);
  for (const path of ['pipe', '/dev/null', '.']) {
    const { exitCode, stderr } = await world.run(['run', 'job.yaml', '--simulate', '--metrics', path]);
    assert.deepEqual([exitCode, /it is (a device, a pipe or a socket, not a file|a folder)/.test(stderr)], [2, true], stderr);
  }
  const { exitCode } = await world.run(['run', 'job.yaml', '--simulate', '--metrics', 'file/x.prom'], { OPENAI_API_KEY: CANARY_KEY });
  assert.equal(exitCode, 2, 'a place where no file can be is told before anything is sent');
});
