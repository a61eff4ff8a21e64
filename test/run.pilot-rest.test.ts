import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import * as path from 'node:path';
import { test } from 'node:test';
import { renderStatus } from '../src/cli/render/render-status.ts';
import { defineJob } from '../src/index.ts';
import { readFailures } from '../src/inspect/failures.ts';
import { lookFully } from '../src/inspect/full-look.ts';
import { readReport } from '../src/inspect/report.ts';
import { readStatus } from '../src/inspect/status.ts';
import { renderSummary } from '../src/output/render-summary.ts';
import { createEvenSample } from '../src/run/plan/even-sample.ts';
import { makeFolder } from './helpers/api-world.ts';
import { makeReadOptionsOf } from './helpers/read-options.ts';
import { type Ended, makeWorld, renderCsv } from './helpers/run-world.ts';
import { wideTest } from './helpers/wide.ts';

wideTest('summary, status and failures show the same number of rows left by a pilot, and of their requests', async (t) => {
  const rows: [string, string][] = ['a', '', 'b', 'c', 'a', 'c', '', 'd', 'c'].map((text, index) => [`r${index}`, text]);
  const world = await makeWorld(t, { rows });
  const { summary } = await world.run({ selection: { type: 'first', rows: 2 } });
  // Of seven rows beyond the pilot one is empty, and one asks what the pilot has answered.
  assert.deepEqual([summary.rows.ok, summary.notAsked?.rows, summary.notAsked?.requests, summary.notAsked?.of], [1, 5, 3, 9]);
  assert.deepEqual(summary.notAsked?.others, { answered: 1, failed: 0, skipped: 1, inFlight: 0 });
  assert.match(
    renderSummary(summary, { colour: false, full: false }),
    /^all rows {2}9 = 2 of this run \+ 5 not asked \+ 1 answered \+ 1 skipped\nnot asked 5 of 9 rows \(3 requests\), /m,
  );
  const looking = makeReadOptionsOf(world);
  const { facts } = await lookFully(looking);
  const failures = await readFailures(looking, null);
  assert.deepEqual([facts.rows.pending, failures.rows.pending], [5, 5]);
  const whole = await world.run();
  assert.deepEqual([whole.summary.notAsked, whole.summary.attempts.total, whole.summary.rows.ok], [undefined, 3, 7]);
  const { summary: fresh } = await world.run({ selection: { type: 'first', rows: 2 }, isFresh: true });
  assert.match(renderSummary(fresh, { colour: false, full: false }), /^not asked 5 of 9 rows since --fresh \(3 requests\), /m);
  const { rowsOfRun, ...status } = await readStatus(looking);
  assert.deepEqual(rowsOfRun, { in: 2, ok: 1, failed: 0, skipped: 1, pending: 0, inFlight: 0 });
  assert.match(
    renderStatus({ ...status, rowsOfRun }, { now: world.clock(), colour: false }),
    /^rows in {3}2 of this run = 1 ok \+ 0 failed \+ 1 skipped \+ 0 pending\n {10}9 of the table = 2 ok \+ 0 failed \+ 2 skipped \+ 5 pending \(answers from before --fresh do not count\)$/m,
  );
});

test('a pilot has a list of failures of its own: that of the table stays, and that of the pilot goes with its table', async (t) => {
  const rows: [string, string][] = ['a', '', 'b', ''].map((text, index) => [`r${index}`, text]);
  const world = await makeWorld(t, { rows });
  const whole = await world.run();
  assert.equal(whole.summary.outputs.failures, 'out.failures.csv');
  const list = world.read('out.failures.csv');
  const pilotOf = (count: number) => world.run({ selection: { type: 'first', rows: count } });
  const own = 'out.partial.failures.csv';
  assert.equal((await pilotOf(3)).summary.outputs.failures, own);
  assert.equal(world.read(own).trimEnd().split('\n').length, 2, 'the head and its one row');
  assert.equal((await pilotOf(1)).summary.outputs.failures, null);
  assert.deepEqual([existsSync(world.path(own)), world.read('out.failures.csv')], [false, list]);
  const pilot = await pilotOf(2);
  const filesOf = async ({ summary: { run } }: Ended) => (await readReport(makeReadOptionsOf(world), run)).summary.outputs;
  assert.deepEqual([await filesOf(whole), await filesOf(pilot)], [whole.summary.outputs, pilot.summary.outputs]);
  world.write('in.csv', renderCsv(rows.slice(0, 3)));
  const last = await world.run();
  const none = { table: null, failures: null, report: null };
  assert.deepEqual([await filesOf(whole), await filesOf(pilot), await filesOf(last)], [none, none, last.summary.outputs]);
  assert.deepEqual(
    ['out.partial.csv', own].map((name) => existsSync(world.path(name))),
    [false, false],
  );
});

wideTest('a prompt function is not called for rows that a pilot leaves out', async (t) => {
  // More rows than are read at once.
  const rows = Array.from({ length: 3_000 }, (_, index) => `${index},note ${index}`);
  const directory = makeFolder(t, { 'in.csv': `id,text\n${rows.join('\n')}\n` });
  const asked = new Set<string>();
  const job = defineJob({
    name: 'pilot',
    directory,
    input: { path: path.join(directory, 'in.csv'), columns: ['id', 'text'], id: 'id' },
    model: 'gpt-4o-mini',
    mode: 'live',
    prompt: (row) => {
      asked.add(row.id);
      return `Is it good? ${row.text}`;
    },
    output: 'text',
  });
  const run = await job.run({ simulate: true, limit: 2 });
  assert.deepEqual([run.summary.rows.ok, run.summary.notAsked], [2, undefined]);
  assert.ok(asked.size < 1_000 && !asked.has('2999'), `${asked.size} rows`);
});

test('an even sample keeps every item while there are few, and then items spread from beginning to end', () => {
  for (const [count, kept] of [
    [0, []],
    [7, [0, 1, 2, 3, 4, 5, 6]],
    [8, [0, 2, 4, 6]],
    [33, [0, 8, 16, 24, 32]],
  ] as const) {
    const sample = createEvenSample<number>(4);
    for (let item = 0; item < count; item += 1) sample.offer(item);
    assert.deepEqual(sample.kept, kept);
  }
});

test('a stopped run has left to send what is in none of its batches, whatever else they hold', async (t) => {
  const rows: [string, string][] = [
    ...Array.from({ length: 9 }, (_, index): [string, string] => [`r${index}`, `text ${index}`]),
    ['r9', 'new'],
    ['r10', 'new'],
  ];
  const world = await makeWorld(t, { rows: rows.slice(0, 8), batchSeconds: 3_600 });
  const open = await world.run({ waitMs: 0 });
  assert.deepEqual([open.summary.exitCode, open.summary.notAsked], [7, undefined], 'all of it is in a batch');
  // The same run goes on with the last rows of a longer table: its batch holds eight rows of which it selects one.
  world.write('in.csv', renderCsv([...rows.slice(8), ...rows.slice(0, 8)]));
  await world.restart({
    batchSeconds: 3_600,
    faults: [{ match: { path: '/v1/files', method: 'POST' }, do: { error: 'insufficient_quota' } }],
  });
  const stopped = await world.run({ selection: { type: 'first', rows: 4 }, waitMs: 0 });
  world.assertFaultsFired();
  const { exitCode, run, rows: counts, notAsked } = stopped.summary;
  assert.deepEqual([exitCode, run, counts.pending], [7, open.summary.run, 4]);
  assert.deepEqual([notAsked?.rows, notAsked?.requests, notAsked?.of], [3, 2, 4], 'two of the three ask the same');
});
