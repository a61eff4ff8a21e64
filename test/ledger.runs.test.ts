import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { openRunFiles } from '../src/ledger/runs.ts';
import { k, makeLedgerWorld } from './helpers/ledger-world.ts';

test('a run keeps its files, and its rows in order', async (t) => {
  const world = makeLedgerWorld(t);
  const { runFiles } = await world.open();
  assert.equal(runFiles.readRunSummary('run-1'), null);
  assert.equal(runFiles.readRunRows('run-1'), null);
  const summary = { schema: 'rowmill.summary/1', rows: { in: 1 }, cost: {}, causes: {} };
  runFiles.writeRunFile('run-1', 'summary.json', JSON.stringify({ summary }));
  runFiles.writeRunFile('run-1', 'summary.json', JSON.stringify({ summary: { ...summary, rows: { in: 2 } } }));
  const rows = runFiles.createRunRowsWriter('run-1');
  rows.add('11111111', k(1));
  rows.add('22222222', null);
  rows.add('33333333', `${k(1)}-o2`);
  assert.equal(runFiles.readRunRows('run-1'), null, 'not before it is finished');
  rows.finish();
  assert.deepEqual(runFiles.readRunSummary('run-1'), { summary: { ...summary, rows: { in: 2 } } });
  assert.deepEqual(
    [...(runFiles.readRunRows('run-1') ?? [])],
    [
      { idHash: '11111111', key: k(1) },
      { idHash: '22222222', key: null },
      { idHash: '33333333', key: `${k(1)}-o2` },
    ],
  );
  const abandoned = runFiles.createRunRowsWriter('run-2');
  abandoned.add('44444444', null);
  abandoned.abandon();
  assert.deepEqual(fs.readdirSync(path.join(world.directory, 'runs', 'run-2')), []);
});

test('a displaced run leaves alone what its successor is writing', (t) => {
  const world = makeLedgerWorld(t);
  const refuse = () => {
    throw new Error('displaced');
  };
  let refused = false;
  const displaced = openRunFiles(
    world.directory,
    () => 'one',
    () => (refused ? refuse() : undefined),
  );
  const late = displaced.createRunRowsWriter('run-1');
  refused = true;
  const rows = openRunFiles(world.directory, () => 'two').createRunRowsWriter('run-1');
  rows.add('11111111', k(1));
  assert.throws(() => displaced.createRunRowsWriter('run-1'), /displaced/);
  assert.throws(() => displaced.writeRunFile('run-1', 'job.yaml', ''), /displaced/);
  assert.throws(() => displaced.pruneRuns(Array.from({ length: 20 }, () => 'run-1')), /displaced/);
  assert.throws(() => late.finish(), /displaced/);
  late.abandon();
  rows.finish();
  assert.equal([...(displaced.readRunRows('run-1') ?? [])].length, 1);
});

test('the last fourteen runs keep their files', async (t) => {
  const world = makeLedgerWorld(t);
  const { runFiles } = await world.open();
  const runs = Array.from({ length: 17 }, (_, number) => `run-${String(number).padStart(2, '0')}`);
  for (const run of runs) runFiles.writeRunFile(run, 'job.yaml', run);
  fs.mkdirSync(path.join(world.directory, 'runs', 'notes of mine'));
  runFiles.pruneRuns(runs);
  assert.deepEqual(runFiles.listRuns(), runs.slice(3));
  assert.equal(runFiles.readRunFile('run-16', 'job.yaml'), 'run-16');
  assert.ok(fs.existsSync(path.join(world.directory, 'runs', 'notes of mine')));
});

test('no run id and no file name leads out of the directory', (t) => {
  const world = makeLedgerWorld(t);
  const runFiles = openRunFiles(world.directory, () => 'id');
  for (const [run, name] of [
    ['../x', 'a'],
    ['run', '../a'],
    ['', 'a'],
    ['run', '.hidden'],
    ['a/b', 'a'],
  ] as const) {
    assert.throws(() => runFiles.writeRunFile(run, name, ''), { name: 'UsageError' });
    assert.throws(() => runFiles.readRunFile(run, name), { name: 'UsageError' });
  }
  assert.equal(fs.existsSync(world.directory), false);
});

test('a damaged list of rows is skipped, or refused by name', async (t) => {
  const world = makeLedgerWorld(t);
  const { runFiles } = await world.open();
  const line = `11111111 ${k(1)}\n`;
  for (const text of [
    `${line}22222222 ${k(2).slice(0, 9)}`,
    '\0'.repeat(80),
    `${line}\n`,
    `${line}222 -\n`,
    '{"rows": []}\n',
    `${line}22222222-\n`,
  ]) {
    runFiles.writeRunFile('run-1', 'rows', text);
    const told: string[] = [];
    assert.equal(
      runFiles.readRunRows('run-1', (message) => told.push(message)),
      null,
      JSON.stringify(text),
    );
    assert.match(told.join(), /run-1.rows: it is damaged; it is left out$/);
    assert.throws(() => runFiles.readRunRows('run-1'), { name: 'LedgerError', message: /run-1.rows: it is damaged/ });
  }
});
