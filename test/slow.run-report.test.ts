import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { test } from 'node:test';
import type { ReportFacts } from '../src/output/report/facts.ts';
import { createWarningLog } from '../src/run/finish/warning-log.ts';
import { HOSTILE } from './helpers/report-facts.ts';
import { CANARY_CELL, makeRows, makeWorld, renderCsv, type World } from './helpers/run-world.ts';

const ROWS: readonly [string, string][] = [
  ...makeRows(20),
  ...HOSTILE.slice(0, 9).map((text, index): [string, string] => [`h${index}`, text]),
  ['canary', CANARY_CELL],
  ['empty', ''],
];
const FAULTS = [{ match: { row: 4 }, do: { answer: 'refusal' } }];

function readFacts(world: World, run: string): ReportFacts {
  return JSON.parse(fs.readFileSync(path.join(world.stateDirectory, 'runs', run, 'report.json'), 'utf8')) as ReportFacts;
}

function lookAt(file: string) {
  const { mtimeNs, ino } = fs.statSync(file, { bigint: true });
  return { bytes: fs.readFileSync(file, 'utf8'), mtimeNs, ino };
}

test('a finished run writes its report next to the table, a run that finds nothing to do leaves it unchanged', async (t) => {
  const world = await makeWorld(t, { rows: ROWS, faults: FAULTS });
  const { summary } = await world.run({ commands: { continue: 'c', failures: 'f', retry: 'rowmill retry job.yaml' } });
  assert.equal(summary.outputs.report, 'out.report.html');
  const before = lookAt(world.path('out.report.html'));
  assert.ok(before.bytes.replaceAll(/<[^>]+>/g, '').includes('rowmill retry job.yaml --cause refused'));
  assert.ok(!/<script|<img|<iframe/.test(before.bytes) && before.bytes.includes('&lt;script&gt;alert(1)'));
  const again = await world.run();
  assert.deepEqual([again.summary.attempts.total, again.summary.outputs.report], [0, 'out.report.html']);
  assert.deepEqual(lookAt(world.path('out.report.html')), before);
  world.check(summary, { secretCells: [CANARY_CELL] });
});

test('the facts of a report are those of the summary and the events', async (t) => {
  const world = await makeWorld(t, { rows: ROWS, faults: FAULTS, job: 'budget: { usd: 3 }' });
  const { summary } = await world.run();
  const facts = readFacts(world, summary.run);
  assert.deepEqual(facts.summary, summary);
  assert.equal(facts.budgetNanoUsd, 3e9);
  assert.equal(
    facts.models.reduce((sum, { nanoUsd }) => sum + nanoUsd, 0),
    summary.cost.rowsNanoUsd,
  );
  const { inputTokens, cost } = facts.rowFigures ?? {};
  assert.equal((inputTokens?.mean ?? 0) * (inputTokens?.count ?? 0), summary.tokens.input);
  assert.equal(Math.round((cost?.mean ?? 0) * (cost?.count ?? 0)), summary.cost.rowsNanoUsd);
  const labels = facts.fields.find(({ field }) => field === 'label');
  assert.equal(
    labels?.values.reduce((sum, { rows }) => sum + rows, 0),
    summary.rows.ok,
  );
  assert.deepEqual(
    facts.batches.map(({ id, requests }) => [id, requests]),
    summary.batches.map(({ id, requests }) => [id, requests]),
  );
  for (const { phases } of facts.batches) {
    assert.deepEqual([phases[0]?.name, phases[1]?.name, phases.at(-1)?.name], ['upload', 'validating', 'collecting']);
    for (const [index, { fromAt, toAt }] of phases.entries()) assert.ok(fromAt <= toAt && (phases[index + 1]?.fromAt ?? toAt) >= fromAt);
  }
  assert.equal(
    facts.tempo?.steps.reduce((sum, { answers }) => sum + answers, 0),
    summary.attempts.batch,
  );
  assert.deepEqual(
    facts.samples.slice(0, 2).map(({ row, cause, status }) => [row, cause, status]),
    [
      [4, 'refused', 'failed'],
      [31, 'empty', 'skipped'],
    ],
  );
});

test('changes since the previous run are shown, and runs form a trend', async (t) => {
  const world = await makeWorld(t, { rows: ROWS.slice(0, 12), batchSeconds: 600 });
  const first = await world.run();
  world.write('in.csv', renderCsv(ROWS.slice(0, 20)));
  const second = await world.run();
  const [before, now] = [readFacts(world, first.summary.run), readFacts(world, second.summary.run)];
  const [label] = now.fields;
  assert.deepEqual([before.fields[0]?.previousRun, label?.previousRun], [null, first.summary.run]);
  assert.deepEqual(
    label?.values.map(({ value, previousRows }) => [value, previousRows]),
    before.fields[0]?.values.map(({ value, rows }) => [value, rows]),
  );
  assert.deepEqual(
    now.runs.map(({ run, rows, nanoUsd }) => [run, rows.in, nanoUsd]),
    [first, second].map(({ summary }) => [summary.run, summary.rows.in, summary.cost.nanoUsd]),
  );
});

test('a pilot has its own report, which is removed with its table; a stopped run has none yet', async (t) => {
  const world = await makeWorld(t, { rows: ROWS.slice(0, 12), batchSeconds: 600 });
  const stopped = await world.run({ waitMs: 0 });
  assert.deepEqual([stopped.summary.exitCode, stopped.summary.outputs.report], [7, null]);
  assert.equal(fs.existsSync(world.path('out.partial.report.html')), false);
  await world.run();
  world.write('in.csv', renderCsv(ROWS.slice(0, 15)));
  const pilot = await world.run({ selection: { type: 'first', rows: 13 } });
  assert.equal(pilot.summary.outputs.report, 'out.partial.report.html');
  assert.ok(fs.existsSync(world.path('out.partial.report.html')));
  await world.run();
  assert.deepEqual(
    fs.readdirSync(world.directory).filter((name) => name.startsWith('out')),
    ['out.csv', 'out.report.html'],
  );
});

test('the report shows times of live calls: percentiles, the slowest rows, answers and refused calls over time', async (t) => {
  const faults = [{ match: { path: '/v1/chat/completions', nth: 3 }, do: { error: 'rate_limit_exceeded' } }];
  const world = await makeWorld(t, { rows: makeRows(12), faults, latencyMs: 2 });
  const { summary } = await world.run({ overrides: { cwd: world.directory, input: null, out: null, mode: 'live' } });
  world.assertFaultsFired();
  const { calls, tempo, samples } = readFacts(world, summary.run);
  assert.equal(calls?.call.count, 12);
  assert.equal(
    calls?.callHistogram.counts.reduce((sum, count) => sum + count, calls.callHistogram.beyond ?? 0),
    12,
  );
  const total = (pick: (step: NonNullable<typeof tempo>['steps'][number]) => number) =>
    tempo?.steps.reduce((sum, step) => sum + pick(step), 0);
  assert.deepEqual([total(({ answers }) => answers), total(({ rateLimited }) => rateLimited)], [12, 1]);
  assert.equal(
    total(({ tokens }) => tokens),
    summary.tokens.input + summary.tokens.output,
  );
  assert.equal(tempo?.lane, 'live');
  assert.ok(samples.every(({ callMs }) => callMs !== null));
});

test('warnings of earlier invocations stay in the report of a run, each once', async (t) => {
  const world = await makeWorld(t, { rows: ROWS.slice(0, 12), batchSeconds: 600 });
  const { summary: stopped } = await world.run({ waitMs: 0 });
  const kept = readFacts(world, stopped.run);
  assert.deepEqual([stopped.exitCode, kept.warnings], [7, { messages: [], more: 0 }]);
  const warnings = { messages: ['batch <b>1</b> is gone'], more: 2 };
  fs.writeFileSync(path.join(world.stateDirectory, 'runs', stopped.run, 'report.json'), JSON.stringify({ ...kept, warnings }));
  const { summary } = await world.run();
  assert.deepEqual([summary.run, readFacts(world, summary.run).warnings], [stopped.run, warnings]);
  const page = fs.readFileSync(world.path('out.report.html'), 'utf8');
  assert.ok(page.includes('<ul><li>batch &lt;b&gt;1&lt;/b&gt; is gone</li></ul><p class="small soft">And 2 more.</p>'));
});

test('a log of warnings keeps each different one once, shortened, and no more than a page can show', () => {
  const told: string[] = [];
  const log = createWarningLog((message) => void told.push(message));
  log.tell('gone');
  log.tell('gone');
  log.tell('x'.repeat(400));
  assert.deepEqual(
    [told.length, log.read({ messages: ['before', 'gone'], more: 1 })],
    [3, { messages: ['before', 'gone', `${'x'.repeat(299)}…`], more: 1 }],
  );
  for (let n = 0; n < 100; n += 1) log.tell(`warning ${n}`);
  const { messages, more } = log.read({ messages: ['before'], more: 0 });
  assert.deepEqual([messages.length, messages[0], more, told.length], [30, 'before', 73, 103]);
});
