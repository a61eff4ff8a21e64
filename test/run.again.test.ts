import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { test } from 'node:test';
import { describeContinued } from '../src/cli/render/describe-continued.ts';
import type { RowSelection } from '../src/core/row.ts';
import { formatDollars } from '../src/output/format-numbers.ts';
import type { Plan } from '../src/run/plan/plan-result.ts';
import type { RunView } from '../src/run/send/run-view.ts';
import { planWorld } from './helpers/plan-world.ts';
import { countPosts, makeJobText, makeRows, makeWorld, renderCsv, type World } from './helpers/run-world.ts';
import { someOf, wideTest } from './helpers/wide.ts';

/** The custom ids on the bill, batch by batch. */
function countBilled(world: World): number {
  return world.simulator.bill().length;
}

function lookAt(file: string) {
  const { mtimeNs, ino } = fs.statSync(file, { bigint: true });
  return { bytes: fs.readFileSync(file, 'utf8'), mtimeNs, ino };
}

test('repeating a finished run sends nothing that could cost money and leaves the table untouched', async (t) => {
  const world = await makeWorld(t);
  const first = await world.run();
  const before = lookAt(world.path('out.csv'));
  // What a run of an early version may have left that was killed.
  const leftovers = ['table.rows', 'table.rows.part'].map((name) => `${world.stateDirectory}/${name}`);
  for (const file of leftovers) fs.writeFileSync(file, 'rows of another table');
  const second = await world.run();
  assert.ok(!leftovers.some((file) => fs.existsSync(file)));
  assert.deepEqual(second.requests, {});
  assert.equal(second.summary.attempts.total, 0);
  assert.equal(second.summary.cost.nanoUsd, 0);
  assert.deepEqual([first.summary.exitCode, second.summary.exitCode], [0, 0]);
  assert.deepEqual(second.summary.rows, { ...first.summary.rows, new: 0, reused: first.summary.rows.new });
  assert.deepEqual(second.summary.ledger, first.summary.ledger);
  assert.deepEqual(lookAt(world.path('out.csv')), before);
});

wideTest('repeating a finished run with failed rows exits with 3 again and sends nothing', async (t) => {
  const world = await makeWorld(t, { faults: [{ match: { nth: 3 }, do: { answer: 'refusal' } }] });
  const first = await world.run();
  world.assertFaultsFired();
  assert.equal(first.summary.exitCode, 3);
  assert.deepEqual(first.summary.causes, { refused: 1 });
  world.check(first.summary);
  const before = lookAt(world.path('out.csv'));
  const second = await world.run();
  assert.deepEqual([second.summary.exitCode, second.summary.attempts.total, second.requests], [3, 0, {}]);
  assert.deepEqual(lookAt(world.path('out.csv')), before);
});

wideTest('rows that failed for a transient cause are retried by the next run, the others are not', async (t) => {
  const faults = [
    { match: { row: 2 }, do: { answer: 'refusal' } },
    { match: { row: 5 }, do: { rowStatus: 500 }, times: 3 },
  ];
  const world = await makeWorld(t, { faults, job: 'retry: { attempts: 1 }' });
  const first = await world.run();
  assert.deepEqual(first.summary.causes, { refused: 1, server_error: 1 });
  await world.restart({});
  const second = await world.run();
  assert.deepEqual([second.summary.exitCode, second.summary.causes, second.summary.attempts.total], [3, { refused: 1 }, 1]);
  assert.equal(second.summary.rows.new, 1);
  world.check(second.summary);
});

const EDITS: readonly { title: string; edit: (rows: [string, string][]) => [string, string][]; sent: number }[] = [
  { title: 'rows inserted in the middle', edit: (rows) => [...rows.slice(0, 9), ...makeRows(4, 500), ...rows.slice(9)], sent: 4 },
  { title: 'rows in another order', edit: (rows) => rows.toReversed(), sent: 0 },
  { title: 'rows deleted', edit: (rows) => rows.filter((_, index) => index % 3 !== 0), sent: 0 },
  { title: 'the whole table twice', edit: (rows) => [...rows, ...rows.map(([id, text]): [string, string] => [`${id}b`, text])], sent: 0 },
  {
    title: 'ids renamed, which no prompt shows',
    edit: (rows) => rows.map(([id, text]): [string, string] => [`new-${id}`, text]),
    sent: 0,
  },
];

for (const { title, edit, sent } of someOf(EDITS, 1)) {
  test(`only new content is sent: ${title}`, async (t) => {
    const rows = makeRows(30);
    const world = await makeWorld(t, { rows });
    await world.run();
    const billed = countBilled(world);
    const before = world.read('out.csv');
    world.write('in.csv', renderCsv(edit(rows)));
    const { summary, requests } = await world.run();
    assert.equal(countBilled(world) - billed, sent);
    assert.equal(summary.attempts.total, sent);
    if (sent === 0) assert.equal(countPosts(requests), 0);
    assert.equal(summary.exitCode, 0);
    assert.notEqual(world.read('out.csv'), before, 'the table is written again');
    world.check(summary);
    const again = await world.run();
    assert.deepEqual([again.summary.attempts.total, again.requests], [0, {}]);
  });
}

wideTest('a changed prompt sends every row again', async (t) => {
  const world = await makeWorld(t);
  await world.run();
  world.write('job.yaml', makeJobText('prompt: "Sort and summarize, in JSON: {{ text }}"'));
  const { summary } = await world.run();
  assert.deepEqual([summary.rows.new, summary.rows.reused, countBilled(world)], [12, 0, 24]);
  assert.equal(summary.ledger.attempts, 24);
  world.check(summary);
});

wideTest('a prompt that is changed back reuses its old answers', async (t) => {
  const world = await makeWorld(t);
  await world.run();
  world.write('job.yaml', makeJobText('prompt: "Sort and summarize, in JSON: {{ text }}"'));
  await world.run();
  world.write('job.yaml', makeJobText());
  const { summary } = await world.run();
  assert.deepEqual([summary.rows.reused, summary.attempts.total, countBilled(world)], [12, 0, 24]);
  world.check(summary);
});

wideTest('a deleted table is written again without sending anything', async (t) => {
  const world = await makeWorld(t);
  await world.run();
  const [header, ...before] = world.read('out.csv').split('\n');
  fs.rmSync(world.path('out.csv'));
  const { summary, requests } = await world.run();
  assert.equal(countPosts(requests), 0);
  assert.equal(summary.attempts.total, 0);
  const [headerNow, ...now] = world.read('out.csv').split('\n');
  assert.equal(headerNow, header);
  assert.equal(now.length, before.length);
  world.check(summary);
});

wideTest('an edited table is written again without sending anything', async (t) => {
  const world = await makeWorld(t);
  await world.run();
  world.write('out.csv', `${world.read('out.csv')}my,own,line\n`);
  const { summary, requests } = await world.run();
  assert.equal(countPosts(requests), 0);
  assert.ok(!world.read('out.csv').includes('my,own,line'));
  world.check(summary);
});

test('a job that was changed in an unfinished run says before it spends how many paid answers no longer count, and why', async (t) => {
  const rows = [...makeRows(12), ...makeRows(1).map(([, text]): [string, string] => ['twin', text])];
  const world = await makeWorld(t, { job: 'limits: { concurrency: 1 }', rows });
  const live = { overrides: { cwd: world.directory, input: null, out: null, mode: 'live' as const } };
  const stopped = await world.run({ ...live, maxNanoUsd: 180_000 });
  const { new: answered } = stopped.summary.rows;
  assert.ok(answered > 1 && answered < 12, `${answered} rows`);
  const job = world.read('job.yaml');
  const describe = async (selection: RowSelection = { type: 'all' }) => {
    const { continues } = await planWorld(world, selection);
    assert.ok(continues !== undefined);
    return describeContinued(continues, { isFresh: false, selection }).replace(/^.* spent so far: /, '');
  };
  world.write('job.yaml', job.replace('reply in JSON', 'answer in JSON'));
  assert.equal(
    await describe(),
    `the prompt changed, so its ${answered} paid answers no longer count; undo the change and they count again`,
  );
  assert.equal(
    await describe({ type: 'first', rows: 1 }),
    'the prompt changed, so answers to requests that are no longer made do not count',
  );
  world.write('job.yaml', job);
  world.write('in.csv', renderCsv(makeRows(12).slice(1)));
  assert.equal(
    await describe(),
    `1 of its ${answered} paid answers no longer counts: no row asks for them now; undo the change and they count again`,
  );
  world.write('in.csv', renderCsv(rows));
  assert.equal(await describe(), 'answers so far are kept; --fresh would send all of its rows again');
  const views: RunView[] = [];
  const counts: number[] = [];
  const watch = (view: RunView) => void counts.push(view.okRows, views.push(view));
  await world.run({ ...live, watch });
  assert.equal(counts[0], stopped.summary.rows.ok, 'a repeated row counts from the start');
  assert.equal(views[0]?.okRows, 13);
});

wideTest('--fresh sends every row again, and books the old answers as cost only', async (t) => {
  const world = await makeWorld(t);
  const first = await world.run();
  const { summary } = await world.run({ isFresh: true });
  assert.deepEqual([summary.rows.new, summary.attempts.total, countBilled(world)], [12, 12, 24]);
  assert.equal(summary.ledger.nanoUsd, 2 * first.summary.ledger.nanoUsd);
  world.check(summary);
  const again = await world.run();
  assert.deepEqual([again.summary.attempts.total, again.requests], [0, {}]);
});

test('a command that continues a run says before it spends which run that is, with which flags, and counts its answers as the summary does', async (t) => {
  const world = await makeWorld(t, { job: 'limits: { concurrency: 1 }', rows: [...makeRows(12), ['r13', '']] });
  await world.run({ selection: { type: 'first', rows: 1 } });
  const live = { overrides: { cwd: world.directory, input: null, out: null, mode: 'live' as const } };
  const pilot = { type: 'first', rows: 8 } as const;
  const stopped = await world.run({ ...live, isFresh: true, selection: pilot, maxNanoUsd: 180_000 });
  const { new: answered } = stopped.summary.rows;
  assert.equal(stopped.summary.exitCode, 5);
  assert.ok(answered > 1 && answered < 8, `${answered} rows`);

  const plans: Plan[] = [];
  const ended = await world.run({ ...live, confirm: async (plan) => void plans.push(plan) });
  const { continues, rows } = plans[0] as Plan;
  assert.ok(continues !== undefined);
  assert.deepEqual([continues.run, ended.summary.run], [stopped.summary.run, stopped.summary.run]);
  const spent = formatDollars(stopped.summary.cost.nanoUsd);
  assert.equal(
    describeContinued(continues, { isFresh: false, selection: { type: 'all' } }),
    `the unfinished run ${continues.run} (--fresh, --limit 8), now over all rows, ${spent} spent so far: its own answers are kept, those from before its --fresh do not count`,
  );
  assert.deepEqual([rows.answered, rows.new, rows.reused, rows.skipped], [answered, 12 - answered, 0, 1]);
  assert.deepEqual([ended.summary.rows.new, ended.summary.rows.reused], [12, 0]);
  assert.equal(countBilled(world), 13);
  const next = await planWorld(world);
  assert.deepEqual([next.continues, next.rows.answered, next.rows.reused], [undefined, 0, 12]);
});

test('--fresh for some rows says first that the answers of the others stop counting; a plan then counts those as answered before, not as new', async (t) => {
  const rows = [...makeRows(7), ...makeRows(1).map(([, text]): [string, string] => ['twin', text])];
  const world = await makeWorld(t, { job: '', rows });
  await world.run();
  const first = { type: 'first', rows: 2 } as const;
  const warnings: string[] = [];
  let told = '';
  await world.run({
    isFresh: true,
    selection: first,
    warn: (message) => void warnings.push(message),
    confirm: async ({ problems }) => {
      told = warnings.join('\n');
      assert.ok(
        problems.some(({ message }) => message === warnings.at(-1)),
        'it is in the plan too',
      );
    },
  });
  assert.match(told, /the 5 stored answers of the other rows stop counting too, .* sends those again, for about \$0\.0\d+\. /);
  const plan = await planWorld(world);
  assert.deepEqual([plan.rows.new, plan.rows.again, plan.rows.reused, plan.rows.duplicate, plan.answeredBefore], [0, 5, 2, 1, 5]);
  assert.match(plan.changes.join(), /^5 of 8 rows were answered before --fresh or clean --answers: sent, and paid, again, \$0\.0\d+$/);
  const { summary } = await world.run();
  assert.deepEqual([summary.rows.new, summary.rows.reused, (await planWorld(world)).answeredBefore], [5, 2, undefined]);
  const anew = await planWorld(world, { type: 'all' }, { isFresh: true });
  assert.deepEqual([anew.rows.again, anew.answeredBefore, anew.problems], [7, undefined, plan.problems]);
});

wideTest('--limit and --sample send only their rows, write a partial table, and the full run reuses them', async (t) => {
  const rows = makeRows(30);
  const world = await makeWorld(t, { rows });
  const pilot = await world.run({ selection: { type: 'first', rows: 5 } });
  assert.deepEqual([pilot.summary.rows.in, pilot.summary.attempts.total, pilot.summary.exitCode], [5, 5, 0]);
  assert.equal(pilot.summary.outputs.table, 'out.partial.csv');
  assert.equal(fs.existsSync(world.path('out.csv')), false);
  world.check(pilot.summary, { rows: [0, 1, 2, 3, 4], previousTable: null });

  const sample = await world.run({ selection: { type: 'sample', rows: 6, seed: 7 } });
  const again = await world.run({ selection: { type: 'sample', rows: 6, seed: 7 } });
  assert.equal(sample.summary.rows.in, 6);
  assert.deepEqual([again.summary.attempts.total, again.summary.rows.reused], [0, 6]);

  const full = await world.run();
  assert.deepEqual([full.summary.rows.in, countBilled(world)], [30, 30]);
  assert.equal(fs.existsSync(world.path('out.partial.csv')), false);
  world.check(full.summary);
});

test('a retry of a cause leaves alone what failed in passing for another one, also where it is continued', async (t) => {
  const refusals = { match: { row: 4 }, do: { answer: 'refusal' } } as const;
  const failures = { match: { row: 7 }, do: { rowStatus: 500 } } as const;
  const world = await makeWorld(t, { job: 'retry: { attempts: 1 }', faults: [refusals, failures] });
  const { causes } = (await world.run()).summary;
  world.assertFaultsFired();
  assert.deepEqual(causes, { refused: 1, server_error: 1 });
  // Not over before the run that does not wait has left; the time that passes is made up.
  await world.restart({ batchSeconds: 600 });
  const retryOf = (cause: string) => ({ causes: new Set([cause]), set: {}, mustSend: true });

  const events = () => fs.readFileSync(path.join(world.stateDirectory, 'events.jsonl'), 'utf8');
  const before = events();
  const { summary: none } = await world.run({ reopen: retryOf('truncated') });
  assert.deepEqual([none.attempts.total, none.causes, events() === before], [0, causes, true], 'no run');
  const first = { type: 'first', rows: 2 } as const;
  for (const reopen of [retryOf('refused'), { ...retryOf('refused'), causes: null }])
    assert.deepEqual([(await world.run({ reopen, selection: first })).summary.rows.in, events() === before], [12, true], 'no failed row');

  const left = await world.run({ reopen: retryOf('refused'), waitMs: 0 });
  assert.deepEqual([left.summary.exitCode, left.summary.rows.failed, left.summary.rows.pending], [7, 1, 1]);
  const { summary } = await world.run();
  assert.deepEqual([summary.run, summary.attempts.total, summary.causes], [left.summary.run, 1, { server_error: 1 }]);
  world.check(summary);
  assert.deepEqual((await world.run()).summary.rows, { ...summary.rows, ok: 12, failed: 0, new: 1, reused: 11 });
});

wideTest('dedupe: false pays for each identical row, and each keeps its own call', async (t) => {
  const [[, text = ''] = []] = makeRows(1);
  const rows: [string, string][] = [
    ['a', text],
    ['b', text],
    ['c', text],
    ['d', 'another'],
  ];
  const world = await makeWorld(t, { rows, job: 'dedupe: false' });
  const { summary } = await world.run();
  assert.deepEqual([summary.rows.new, summary.rows.duplicate, countBilled(world)], [4, 0, 4]);
  world.check(summary);
  world.write('in.csv', renderCsv([...rows, ['e', text]]));
  const second = await world.run();
  assert.deepEqual([second.summary.attempts.total, second.summary.rows.reused], [1, 4]);
});

wideTest('a row that failed for good is reopened by retry only, any number of times', async (t) => {
  const world = await makeWorld(t, { faults: [{ match: { row: 4 }, do: { answer: 'refusal' } }] });
  await world.run();
  assert.equal((await world.run()).summary.attempts.total, 0);

  await world.restart({ faults: [{ do: { answer: 'content_filter' } }] });
  const filtered = await world.run({ reopen: { causes: null, set: {} } });
  world.assertFaultsFired();
  assert.deepEqual([filtered.summary.exitCode, filtered.summary.attempts.total, filtered.summary.causes], [3, 1, { filtered: 1 }]);
  world.check(filtered.summary);

  await world.restart({});
  const other = await world.run({ reopen: { causes: new Set(['refused']), set: {} } });
  assert.deepEqual([other.summary.exitCode, other.summary.attempts.total], [3, 0], 'another cause is left alone');
  const { summary } = await world.run({ reopen: { causes: new Set(['filtered']), set: {} } });
  assert.deepEqual([summary.exitCode, summary.attempts.total, summary.rows.ok], [0, 1, 12]);
  world.check(summary);
});
