import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { test } from 'node:test';
import { planWorld } from './helpers/plan-world.ts';
import { runInProcess } from './helpers/run-in-process.ts';
import { makeJobText, makeWorld, type World } from './helpers/run-world.ts';
import { wideTest } from './helpers/wide.ts';

const INPUT = 'input: { path: in.csv, id: id, bad_rows: skip, where: lang == "en" }';
const TABLE = 'id,lang,text\na,en,First note\nb,de,Zweite\nc,en\nd,en,Second note\n,en,"third" note\nf,fr,Trois\n';

function writeJob(world: World, input = INPUT, more = ''): void {
  world.write('job.yaml', makeJobText(more).replace(/^input: .*$/m, input));
}

wideTest('rows that do not match where and unreadable records keep their places, cost nothing, and are counted everywhere', async (t) => {
  const world = await makeWorld(t);
  writeJob(world);
  world.write('in.csv', TABLE);
  const plan = await planWorld(world);
  assert.deepEqual([plan.rows.in, plan.rows.new, plan.rows.skipped, plan.skipped], [6, 2, 4, { where: 2, bad_row: 2 }]);
  const warning = '2 lines are no row and skipped (bad_row): in.csv:4, in.csv:6';
  assert.ok(
    plan.problems.some(({ message }) => message === warning),
    JSON.stringify(plan.problems),
  );

  const first = await world.run();
  const { rows, causes, exitCode, attempts } = first.summary;
  assert.deepEqual([rows.in, rows.ok, rows.skipped, causes, exitCode, attempts.total], [6, 2, 4, { where: 2, bad_row: 2 }, 3, 2]);
  assert.ok(first.warnings.includes(warning));
  assert.deepEqual(first.summary.warnings, [warning]);
  const lines = world.read('out.csv').split('\n');
  assert.deepEqual(
    lines.slice(1, 7).map((line) => line.split(',').slice(0, 3).join(',')),
    ['a,en,First note', 'b,de,Zweite', ',,', 'd,en,Second note', ',,', 'f,fr,Trois'],
  );
  assert.match(lines[2] as string, /,skipped,where: does not match input\.where,,0,/);
  assert.match(lines[3] as string, /,skipped,"bad_row: line 4: 2 cells, expected 3 \(separated by "",""\): c,en",,0,/);
  const failures = world.read('out.failures.csv');
  assert.deepEqual(
    [...failures.matchAll(/bad_row|where/g)].map(([cause]) => cause),
    ['bad_row', 'bad_row'],
  );
  const report = world.read('out.report.html');
  assert.ok(report.includes(warning) && report.includes('2 of the skipped rows do not match input.where'));
  assert.match(report, /2 of 4 rows answered, 50 %/);

  const again = await world.run();
  assert.deepEqual([again.requests, again.summary.attempts.total, again.summary.exitCode], [{}, 0, 3]);
});

test('rows that do not match where count in no failure limit, and in no share', async (t) => {
  const world = await makeWorld(t);
  writeJob(world, INPUT.replace('lang == "en"', 'id == "a"'));
  world.write('in.csv', 'id,text\na,First\nb,Second\nc,Third\n');
  const { summary } = await world.run();
  assert.deepEqual([summary.exitCode, summary.verdict, summary.causes, summary.next], [0, 'done', { where: 2 }, null]);
  assert.equal(summary.outputs.failures, null);
  writeJob(world, INPUT.replace('lang == "en"', 'id != "a"'), 'fail_if: { skipped_rows: "> 40%" }');
  world.write('in.csv', 'id,text\na,First\nb,Second\nc\n');
  const second = await world.run();
  // One of two rows, not one of three.
  assert.deepEqual([second.summary.exitCode, second.summary.causes], [3, { where: 1, bad_row: 1 }]);
});

wideTest('every command copes with rows that have no id', async (t) => {
  const world = await makeWorld(t);
  writeJob(world);
  world.write('in.csv', TABLE);
  await world.run();
  world.write('in.csv', TABLE.replace('c,en\n', 'c,en,Now a row\n'));
  await world.run();
  const env = { PATH: process.env.PATH ?? '', HOME: world.directory, NO_COLOR: '1' };
  const ask = async <Shown>(...args: string[]): Promise<Shown> => {
    const ended = await runInProcess([...args, '--json'], { cwd: world.directory, env });
    return JSON.parse(ended.stdout) as Shown;
  };
  const status = await ask<{ rows: unknown }>('status', 'job.yaml', '--simulate');
  assert.deepEqual(status.rows, { in: 6, ok: 3, failed: 0, skipped: 3, pending: 0, inFlight: 0, where: 2 });
  const failures = await ask<{ causes: { cause: string; count: number; example: { id: string } }[] }>('failures', 'job.yaml', '--simulate');
  assert.deepEqual(
    failures.causes.map(({ cause, count, example }) => [cause, count, example.id]),
    [['bad_row', 1, '']],
  );
  const verified = await ask<{ checks: { name: string; status: string; detail: string }[] }>('verify', 'job.yaml', '--simulate');
  assert.deepEqual(
    verified.checks.filter(({ status }) => status === 'failed'),
    [],
  );
  const compared = await ask<{ rows: Record<string, number> }>('diff', 'job.yaml', 'prev', 'last', '--simulate');
  assert.equal(compared.rows.same, 2);
  const sample = await ask<{ rows: { eligible: number } }>('sample', 'job.yaml', '--rows', '10', '--simulate');
  assert.equal(sample.rows.eligible, 3);
  assert.ok(fs.existsSync(world.path('out.sample.csv')));
});

wideTest(
  'rows the job is not about are no rows of its runs: neither unanswered, nor wrong, nor changed when the condition takes them',
  async (t) => {
    const world = await makeWorld(t);
    writeJob(world);
    world.write('in.csv', 'id,lang,text,right\na,en,First note,good\nb,de,Zweite,good\nc,en\nd,en,Second note,bad\n');
    await world.run();
    world.write('in.csv', world.read('in.csv').replace('Zweite', 'Andere'));
    await world.run();
    const env = { PATH: process.env.PATH ?? '', HOME: world.directory, NO_COLOR: '1' };
    const tell = async (...args: string[]) => {
      const { stdout, stderr } = await runInProcess([...args, '--simulate'], { cwd: world.directory, env });
      return stdout + stderr;
    };
    assert.match(
      await tell('diff', 'job.yaml', 'prev', 'last'),
      /^rows +2 compared: 2 same, 0 changed, 0 answered only in the baseline, 0 only in the candidate, 0 in neither$/m,
    );
    assert.match(
      await tell('eval', 'job.yaml', '--gold', 'right', '--field', 'label'),
      /^rows +2 of 4 compared; 1 have no right answer.*, 1 do not match input\.where$/m,
    );
    const failures = await tell('failures', 'job.yaml');
    assert.match(failures, /^ {2}in\.csv:4: line 4: 2 cells/m);
    assert.doesNotMatch(failures, /--row ''|, id :/);
    writeJob(world, INPUT.replace('"en"', '"de"'));
    const { rows, changes } = await planWorld(world);
    assert.deepEqual([rows.new, rows.changed], [1, 0]);
    assert.match(changes.join('\n'), /^1 of 4 rows are new, \$[\d.]+$/);
  },
);

test('a mistake in a condition is reported with its place in the job file', async (t) => {
  const world = await makeWorld(t);
  writeJob(world, 'input: { path: in.csv, id: id, where: lang == "en" and star < 3 }');
  world.write('in.csv', 'id,lang,text,stars\na,en,First,2\n');
  await assert.rejects(
    planWorld(world),
    /^UsageError: job\.yaml:2:56 {2}input\.where: no column "star" in in\.csv\. Columns: id, lang, text, stars\. Did you mean "stars"\?/,
  );
});
