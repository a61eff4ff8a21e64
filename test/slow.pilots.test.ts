import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Summary } from '../src/core/summary.ts';
import type { Bill } from '../src/inspect/bill/read-bill.ts';
import type { RunList } from '../src/inspect/list-runs.ts';
import { type Simulator, startSimulator } from '../src/simulator/start.ts';
import { CANARY_KEY, createWorld, REVIEW_JOB, type World } from './helpers/command-line.ts';

const ROWS = 12;
const KEY = { OPENAI_API_KEY: CANARY_KEY };
const table = `id,text\n${Array.from({ length: ROWS }, (_, index) => `${index},note ${index} is ${index % 2 === 0 ? 'good' : 'bad'}`).join('\n')}\n`;

describe('a pilot', () => {
  let world: World;
  let simulator: Simulator;
  let address: readonly string[];
  const run = (command: string, ...flags: string[]) => world.json<Summary>([command, 'job.yaml', ...address, '--yes', ...flags], KEY);

  before(async () => {
    // Its second row refuses once.
    simulator = await startSimulator({ faults: [{ match: { lane: 'live', nth: 2 }, do: { answer: 'refusal' } }] });
    world = createWorld({ 'reviews.csv': table, 'job.yaml': REVIEW_JOB.replace('input:', 'mode: live\ninput:') });
    address = ['--base-url', simulator.url];
  });
  after(async () => {
    await simulator.close();
    world.dispose();
  });

  it('shows the rows it left out, their expected cost as measured, and the command that sends them', async () => {
    const summary = await run('run', '--limit', '3');
    assert.ok(simulator.faultsFired().every(({ fired }) => fired > 0));
    const { notAsked, rows } = summary;
    assert.deepEqual([rows.in, rows.ok, rows.failed], [3, 2, 1]);
    assert.deepEqual(summary.withoutAnswer, { refused: { attempts: 1, nanoUsd: summary.cost.failedRowsNanoUsd } });
    assert.deepEqual([notAsked?.rows, notAsked?.of], [ROWS - 3, ROWS]);
    assert.equal(notAsked?.command, `rowmill run job.yaml --base-url ${simulator.url}`);
    const perRow = summary.cost.nanoUsd / 3;
    const expected = Number(notAsked?.expectedNanoUsd);
    assert.ok(expected > perRow * (ROWS - 3) * 0.5 && expected < perRow * (ROWS - 3) * 2, `${expected} for nine rows of about ${perRow}`);
    const { stdout } = await world.run(['report', 'job.yaml']);
    assert.match(stdout, /^not asked 9 of 12 rows, about \$[\d.]+: rowmill run job\.yaml/m);
    assert.match(readFileSync(join(world.folder, 'out.partial.report.html'), 'utf8'), /9 of 12 rows/);
  });

  it('limits retry to its failed rows, without any row it left out', async () => {
    const elsewhere = await world.run(['retry', 'job.yaml', ...address, '--yes', '--cause', 'truncated'], KEY);
    const says =
      /^reviews: no row to retry that failed with truncated among 3 rows of the last run: 2 answered, 1 failed \(1 refused; .*retry .*\)\./;
    assert.match(elsewhere.stdout, says);
    assert.match(elsewhere.stdout, /^Not asked yet: 9 of 12 rows, about \$[\d.]+: rowmill run job\.yaml/m);
    assert.deepEqual([elsewhere.exitCode, /\bspent +\$0/.test(elsewhere.stdout)], [3, false]);
    assert.match(elsewhere.stdout, /^Exit 3, as for the run that wrote the table: failed rows, more than fail_if allows$/m);
    assert.equal(simulator.bill().length, 3, 'and nothing was sent');
    const summary = await run('retry', '--cause', 'refused');
    assert.deepEqual([summary.rows.in, summary.rows.ok, summary.attempts.total, summary.notAsked?.rows], [3, 3, 1, ROWS - 3]);
    assert.equal(summary.next, summary.notAsked?.command, 'nothing failed: the rest comes next');
    assert.equal(simulator.bill().length, 4);
    const again = await world.run(['retry', 'job.yaml', ...address, '--yes'], KEY);
    assert.match(again.stdout, /^reviews: no failed row to retry among 3 rows of the last run: 3 answered\. Nothing was sent/);
    assert.match(again.stdout, /^Not asked yet: 9 of 12 rows/m);
    const { exitCode, ...object } = await run('retry');
    assert.deepEqual([exitCode, object.schema, object.rows.in], [0, 'rowmill.summary/1', 3]);
    assert.equal(simulator.bill().length, 4);
  });

  it('of a sample is the same sample for retry', async () => {
    const { rows } = await run('run', '--sample', '4', '--seed', '7');
    const billed = simulator.bill().length;
    const again = await world.run(['retry', 'job.yaml', ...address, '--yes'], KEY);
    assert.match(again.stdout, /^reviews: no failed row to retry among 4 rows/);
    assert.deepEqual([rows.in, simulator.bill().length], [4, billed]);
  });

  it('is over once the whole table was sent: retry then covers all of it', async () => {
    const whole = await run('run');
    assert.deepEqual([whole.rows.ok, whole.notAsked], [ROWS, undefined]);
    const again = await world.run(['retry', 'job.yaml', ...address, '--yes'], KEY);
    assert.match(again.stdout, /^reviews: no failed row to retry among 12 rows: 12 answered\./);
  });

  it('counts as simulated wherever the simulator was, also in the bill and the list of runs', async () => {
    const bill = await world.json<Bill>(['bill']);
    const { runs } = await world.json<RunList>(['runs', 'job.yaml']);
    assert.deepEqual([bill.simulated, bill.apart], [true, null]);
    assert.ok(bill.total.nanoUsd > 0 && runs.length >= 4 && runs.every(({ simulated }) => simulated));
    // What runs kept is pruned after a while.
    const kept = join(world.folder, '.rowmill', readdirSync(join(world.folder, '.rowmill'))[0] ?? '', 'runs');
    rmSync(join(kept, runs[0]?.id ?? '', 'summary.json'));
    assert.equal((await world.json<Bill>(['bill'])).simulated, true);
  });

  it('leaves no page of an earlier one next to an interrupted table', async () => {
    writeFileSync(join(world.folder, 'reviews.csv'), `${table}12,another note\n13,and another\n`);
    await run('run', '--limit', '5');
    const page = join(world.folder, 'out.partial.report.html');
    assert.ok(existsSync(page));
    const stopped = await world.run(['run', 'job.yaml', ...address, '--yes', '--max-usd', '0.000001'], KEY);
    assert.equal(stopped.exitCode, 5);
    assert.deepEqual([existsSync(join(world.folder, 'out.partial.csv')), existsSync(page)], [true, false]);
  });
});
