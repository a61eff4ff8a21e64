import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeReadOptions } from '../src/cli/read-options.ts';
import { readBill } from '../src/inspect/bill/read-bill.ts';
import { readStatus } from '../src/inspect/status.ts';
import { makeRows, makeWorld, type RunChange, renderCsv, type World } from './helpers/run-world.ts';

const LANES = ['batch', 'live'] as const;
type LaneName = (typeof LANES)[number];

/** The world's clock, moved to another day. */
function onDay(world: World, day: string, mode: LaneName): RunChange {
  const shiftMs = Date.parse(day) - world.clock().getTime();
  const clock = () => new Date(world.clock().getTime() + shiftMs);
  return { overrides: { cwd: world.directory, input: null, out: null, mode }, effects: { ...world.effects, clock } };
}

/** What each month cost, by the ledger. */
async function readMonths(world: World): Promise<Readonly<Record<string, number>>> {
  const options = { ...makeReadOptions('', {}), cwd: world.directory, folder: '.', since: null, until: null, by: 'month' as const };
  const { groups = [] } = await readBill({ ...options, csvPath: null });
  return Object.fromEntries(groups.map(({ name, nanoUsd }) => [name, nanoUsd]));
}

const setJob = (world: World, budget: string) =>
  world.write(
    'job.yaml',
    world
      .read('job.yaml')
      .replace(/^budget:.*\n?/m, '')
      .trimEnd()
      .concat(`\n${budget}\n`),
  );

for (const lane of LANES) {
  test(`${lane}: a monthly budget stops the night that would exceed it, and the next month continues`, async (t) => {
    const rows = makeRows(24);
    const world = await makeWorld(t, { rows: rows.slice(0, 8) });
    const { summary: first } = await world.run(onDay(world, '2026-11-07T01:00:00Z', lane));
    assert.equal(first.exitCode, 0);
    const eight = first.cost.nanoUsd;
    const limit = Math.floor(eight * 1.9);
    setJob(world, `budget: { usd_per_month: ${(limit / 1e9).toFixed(9)} }`);
    world.write('in.csv', renderCsv(rows));
    const { summary: second } = await world.run(onDay(world, '2026-11-08T01:00:00Z', lane));
    assert.equal(second.exitCode, 5);
    assert.ok(second.rows.new > 0 && second.rows.pending > 0, JSON.stringify(second.rows));
    assert.match(second.verdict, /budget\.usd_per_month, \$0\.\d+ for 2026-11, is used up: \$0\.\d+ is spent/);
    assert.match(second.verdict, /resets on 2026-12-01 \(UTC\)/);
    assert.ok(second.ledger.nanoUsd <= limit && second.ledger.nanoUsd > eight);
    const { waitingFor } = await readStatus({ ...makeReadOptions(world.path('job.yaml'), {}), cwd: world.directory });
    assert.match(waitingFor.at(-1)?.why ?? '', /the last one stopped: budget\.usd_per_month, .* is used up.*; to continue: /);
    const before = world.simulator.bill().length;
    const { summary: still } = await world.run(onDay(world, '2026-11-30T23:00:00Z', lane));
    assert.deepEqual([still.exitCode, world.simulator.bill().length], [5, before], 'nothing more in November');
    const { summary: third } = await world.run(onDay(world, '2026-12-01T00:00:01Z', lane));
    assert.ok(third.rows.ok > second.rows.ok, 'December sends more');
    const months = await readMonths(world);
    assert.deepEqual(Object.keys(months), ['2026-11', '2026-12']);
    assert.ok(
      (months['2026-11'] ?? 0) <= limit && (months['2026-12'] ?? 0) <= limit && (months['2026-12'] ?? 0) > 0,
      JSON.stringify(months),
    );
    assert.equal((months['2026-11'] ?? 0) + (months['2026-12'] ?? 0), third.ledger.nanoUsd);
  });

  test(`${lane}: the total budget never resets, and includes whatever goes wrong`, async (t) => {
    const rows = makeRows(30);
    const faults =
      lane === 'batch'
        ? [
            { name: 'invalid', match: { every: 5 }, do: { answer: 'invalid_json' } },
            { name: 'lost', match: { method: 'POST', path: '/v1/batches', nth: 2 }, do: { drop: 'after' }, times: 1 },
          ]
        : [
            { name: 'invalid', match: { lane: 'live', every: 5 }, do: { answer: 'invalid_json' } },
            { name: 'lost', match: { method: 'POST', path: '/v1/chat/completions', every: 6 }, do: { drop: 'after' }, times: 3 },
          ];
    const limit = lane === 'batch' ? 150_000 : 300_000;
    const world = await makeWorld(t, { rows: rows.slice(0, 6), faults, job: `budget: { usd_total: ${limit / 1e9} }` });
    let stopped = 0;
    for (const [night, count] of [6, 12, 18, 24, 30].entries()) {
      world.write('in.csv', renderCsv(rows.slice(0, count)));
      const { summary } = await world.run(onDay(world, `2026-${String(8 + night).padStart(2, '0')}-20T00:00:00Z`, lane));
      assert.ok(summary.ledger.nanoUsd + summary.cost.possiblyBilledNanoUsd <= limit, `night ${night}: ${JSON.stringify(summary.cost)}`);
      if (summary.exitCode !== 5) continue;
      stopped += 1;
      assert.match(summary.verdict, /budget\.usd_total, \$0\.000\d+, is used up: .* never resets/);
    }
    assert.ok(stopped > 0, 'the budget was never used up');
    world.assertFaultsFired();
  });
}

test('a batch of November that is collected in December counts for November, and December has its full budget', async (t) => {
  const world = await makeWorld(t, { rows: makeRows(8), job: 'budget: { usd_per_month: 1 }' });
  const sent = await world.run({ ...onDay(world, '2026-11-30T23:59:00Z', 'batch'), waitMs: 0 });
  assert.equal(sent.summary.exitCode, 7);
  const collected = await world.run(onDay(world, '2026-12-01T09:00:00Z', 'batch'));
  assert.deepEqual([collected.summary.exitCode, collected.summary.rows.ok], [0, 8]);
  assert.deepEqual(await readMonths(world), { '2026-11': collected.summary.cost.nanoUsd });
});

test('a month that begins during live calls includes only calls announced in it', async (t) => {
  const world = await makeWorld(t, { rows: makeRows(40), job: 'limits: { concurrency: 1 }\nbudget: { usd_per_month: 1 }' });
  const change = onDay(world, '2026-11-30T23:59:00Z', 'live');
  let calls = 0;
  // Each call takes four seconds of this clock: the month ends in the midst of them.
  const clock = () => new Date(Date.parse('2026-11-30T23:59:00Z') + world.simulator.bill().length * 4_000 + (calls++ % 2));
  const { summary } = await world.run({ ...change, effects: { ...world.effects, clock } });
  assert.equal(summary.rows.ok, 40);
  const months = await readMonths(world);
  assert.deepEqual(Object.keys(months), ['2026-11', '2026-12']);
  assert.equal((months['2026-11'] ?? 0) + (months['2026-12'] ?? 0), summary.cost.nanoUsd);
  assert.ok(calls > 0);
});

test('a budget of zero sends nothing', async (t) => {
  for (const budget of ['usd_per_month: 0', 'usd_total: 0']) {
    const world = await makeWorld(t, { job: `budget: { ${budget} }` });
    const { summary } = await world.run();
    assert.deepEqual([summary.exitCode, summary.rows.pending, world.simulator.bill().length], [5, 12, 0], budget);
  }
});
