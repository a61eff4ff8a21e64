import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import type { RunFlags } from '../src/cli/options/flags.ts';
import { changeFlags, showContinueCommand, showRunCommand } from '../src/cli/run-options.ts';
import { AppError, EXIT } from '../src/core/errors.ts';
import type { RowSelection } from '../src/core/row.ts';
import type { LastRun } from '../src/inspect/last-run.ts';
import { BudgetError } from '../src/run/budget/budget.ts';
import { estimateRest } from '../src/run/finish/estimate-rest.ts';
import { ModelRefusedError } from '../src/run/send/model-refusal.ts';
import { readStop } from '../src/run/send/stop.ts';
import { startSimulator } from '../src/simulator/start.ts';
import { createWorld, REVIEW_JOB } from './helpers/command-line.ts';

const ASKED = ['reviews.csv', '--prompt', 'Is the customer content?', '--output', 'content: yes | no'];
const QUIET = ['--simulate', '--progress', 'none'];
const AT_ADDRESS = { baseUrl: 'http://a', progress: 'auto' } as unknown as RunFlags;
const TABLE = `id,text\n${Array.from({ length: 30 }, (_, row) => `${row},It broke on day ${row}\n`).join('')}`;

test('a mistyped model is found before a job file is written, and the next command has the one that was probably meant', async (t) => {
  const world = createWorld({ 'reviews.csv': TABLE, 'typo.yaml': REVIEW_JOB.replace('gpt-4o-mini', 'gpt-6-lunna') });
  t.after(() => world.dispose());
  const typo = await world.run(['run', ...ASKED, '--model', 'gpt-6-lunna', ...QUIET]);
  assert.equal(typo.exitCode, 4);
  assert.doesNotMatch(typo.stderr, /Wrote|removed/);
  assert.equal(existsSync(join(world.folder, 'reviews.yaml')), false);
  assert.match(typo.stdout, /does not offer gpt-6-lunna to this key; nothing was sent.*Did you mean "gpt-6-luna"\? \(exit 4\)$/m);
  const [, next = ''] = /^next +rowmill (run reviews\.csv .*)$/m.exec(typo.stdout) ?? [];
  assert.match(next, /--model gpt-6-luna$/);
  assert.doesNotMatch(next, /lunna/);
  const ofJob = await world.run(['run', 'typo.yaml', ...QUIET]);
  assert.match(ofJob.stdout, /Did you mean "gpt-6-luna"\? First, in typo\.yaml: model: gpt-6-luna \(exit 4\)$/m);
  assert.doesNotMatch(ofJob.stdout, /^next/m, 'the same command would be refused again');
});

test('a stopped run of a table is continued with its job file, without the flags that are in it, and shows what the rest costs', async (t) => {
  const world = createWorld({ 'reviews.csv': TABLE });
  t.after(() => world.dispose());
  const stopped = await world.run(['run', ...ASKED, ...QUIET, '--mode', 'live', '--max-usd', '0.0002']);
  assert.equal(stopped.exitCode, 5, stopped.stderr);
  assert.match(stopped.stdout, /^left +\d+ of 30 rows, about \$0\.\d+$/m);
  assert.match(stopped.stdout, /^next +rowmill run reviews\.yaml --simulate --mode live --max-usd 0\.\d+$/m);
});

test('a refused command that sends names the provider of the last run, with the whole command', async (t) => {
  const world = createWorld({ 'reviews.csv': TABLE, 'job.yaml': `${REVIEW_JOB}mode: live\n` });
  const simulator = await startSimulator();
  t.after(async () => {
    await simulator.close();
    world.dispose();
  });
  const lastLine = async (args: readonly string[]) => {
    const { stderr, exitCode } = await world.run(args);
    const [, used, typed] = /^The last run of reviews used (.*)\. To use that again: rowmill (.*)$/m.exec(stderr) ?? [];
    return [exitCode, used, typed];
  };
  await world.run(['run', 'job.yaml', ...QUIET, '--limit', '1']);
  const simulated = 'the simulator (--simulate)';
  assert.deepEqual(await lastLine(['retry', 'job.yaml', '--cause', 'invalid']), [
    2,
    simulated,
    'retry job.yaml --cause invalid --simulate',
  ]);
  assert.deepEqual(await lastLine(['run', 'job.yaml', '--yes']), [4, simulated, 'run job.yaml --yes --simulate']);
  assert.deepEqual(await lastLine(['cancel', 'job.yaml']), [2, simulated, 'cancel job.yaml --simulate']);
  assert.deepEqual(await lastLine(['retry', 'job.yaml', '--base-url', 'https://x.example/v1']), [2, undefined, undefined]);
  await world.run(['run', 'job.yaml', '--base-url', simulator.url, '--limit', '1', '--yes']);
  assert.deepEqual(await lastLine(['retry', 'job.yaml', '--redis', 'redis://:secret@host']), [
    2,
    simulator.url,
    `retry job.yaml --base-url ${simulator.url}`,
  ]);
});

test('the command after a stop leaves out the flag that stopped the run', () => {
  const flags = { deadline: 3_600_000, maxLiveUsd: 1, mode: 'batch', progress: 'auto', simulate: true } as unknown as RunFlags;
  const show = (change: Parameters<typeof changeFlags>[1]) =>
    showRunCommand('job.yaml', changeFlags(flags, change)).replace(/^.*?(?=run )/, '');
  assert.equal(show({}), 'run job.yaml --simulate --mode batch --deadline 1h --max-live-usd 1');
  assert.equal(show({ hasDeadline: false }), 'run job.yaml --simulate --mode batch');
  assert.equal(show({ mode: 'live' }), 'run job.yaml --simulate --mode live --deadline 1h --max-live-usd 1');
  assert.match(show({ maxNanoUsd: 1_000_001 }), / --max-usd 0\.001001$/);
});

test('the command that goes on with a run has its rows and its table', () => {
  const show = (selection: RowSelection, out: string | null) =>
    showContinueCommand('job.yaml', { simulate: true }, { selection, lastRun: { paths: { out } } as LastRun }).replace(/^.*?(?=run )/, '');
  assert.equal(show({ type: 'first', rows: 100 }, null), 'run job.yaml --simulate --limit 100');
  assert.equal(
    show({ type: 'sample', rows: 9, seed: 3 }, resolve('mine.csv')),
    'run job.yaml --simulate --out mine.csv --sample 9 --seed 3',
  );
  assert.equal(show({ type: 'all' }, '-'), 'run job.yaml --simulate --out -');
});

test('the rest of a stopped run is priced by the rows it has paid for, before the first one by its estimate', () => {
  const counts = { in: 100, ok: 0, failed: 0, skipped: 0, pending: 0, new: 0, reused: 0, duplicate: 0 };
  const run = { rowsNanoUsd: 4_000, estimateNanoUsd: 1_000, command: 'run job.yaml' };
  const shown = (rows: object, paidRows: number, unsent: readonly [number, number], more: object = {}) => {
    const left = { rows: unsent[0], requests: unsent[1] };
    const rest = estimateRest({ ...run, requests: 100, rows: { ...counts, ...rows }, unsent: left, paidRows, ...more });
    return rest === null ? null : [rest.rows, rest.requests, rest.of, rest.expectedNanoUsd];
  };
  assert.deepEqual(shown({ new: 35, failed: 5, pending: 60 }, 40, [60, 60]), [60, 60, 100, 6_000]);
  assert.deepEqual(shown({ new: 1, failed: 39, pending: 60 }, 1, [60, 60]), [60, 60, 100, 240_000], 'refused rows cost nothing');
  assert.deepEqual(shown({ new: 0, failed: 5, pending: 95 }, 0, [95, 95]), [95, 95, 100, 950], 'nothing is measured: the estimate');
  assert.deepEqual(shown({ pending: 100 }, 0, [100, 20], { requests: 20 }), [100, 20, 100, 1_000], 'the estimate is of requests');
  assert.deepEqual(shown({ new: 40, pending: 60 }, 40, [30, 10]), [30, 10, 100, 1_000], 'equal rows share a request');
  assert.deepEqual(shown({ new: 40, pending: 60 }, 40, [0, 0]), null, 'all of it is in batches');
  assert.deepEqual(shown({ new: 40, pending: 60 }, 40, [60, 60], { rowsNanoUsd: null, estimateNanoUsd: null }), [60, 60, 100, null]);
});

test('a lane that the address refuses is not in the command that follows', () => {
  const changeOf = (code: string) => readStop(new AppError('refused', { code, exitCode: EXIT.refused }), false)?.change;
  assert.deepEqual(changeOf('no_batches'), { mode: 'live', hasDeadline: false });
  const at = (baseUrl: string) =>
    readStop(new AppError('refused', { code: 'wrong_address', exitCode: EXIT.refused }), false, baseUrl)?.change;
  assert.deepEqual(at('http://127.0.0.1:8000'), { baseUrl: 'http://127.0.0.1:8000/v1' });
  assert.deepEqual(at('http://127.0.0.1:8000/v1'), {});
  assert.match(showRunCommand('job.yaml', changeFlags(AT_ADDRESS, { baseUrl: 'http://b/v1' })), /run job\.yaml --base-url http:\/\/b\/v1$/);
  assert.deepEqual(changeOf('flex_refused'), { mode: 'batch' });
  assert.deepEqual(changeOf('no_api_key'), {});
  const ended = new ModelRefusedError('it has ended', 'gpt-6-luna');
  assert.deepEqual(readStop(ended, false)?.change, { model: 'gpt-6-luna' });
  const excess = { why: 'used up', limit: 'the budget', isOfRun: false } as const;
  assert.deepEqual(readStop(new BudgetError({ ...excess, isOfDeadline: true }, null), true)?.change, { hasDeadline: false });
  assert.deepEqual(readStop(new BudgetError(excess, 5_000), true)?.change, { maxNanoUsd: 5_000 });
});
