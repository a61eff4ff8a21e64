import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PlanOptions } from '../src/run/plan/plan.ts';
import type { SimulatorOptions } from '../src/simulator/options.ts';
import { billNanoUsd, type WireUsage } from './helpers/bill-nano-usd.ts';
import { planWorld } from './helpers/plan-world.ts';
import { makeRows, makeWorld, type RunChange, type World } from './helpers/run-world.ts';
import { someOf, wideTest } from './helpers/wide.ts';

const LANES = ['batch', 'live'] as const;
type LaneName = (typeof LANES)[number];

const inLane = (world: World, mode: LaneName): RunChange => ({ overrides: { cwd: world.directory, input: null, out: null, mode } });

for (const lane of someOf(LANES, 1)) {
  wideTest(`a third of the cost of a ${lane} run stops it below that, with a command whose budget finishes it`, async (t) => {
    const rows = makeRows(20);
    const whole = await makeWorld(t, { rows });
    const { summary: undisturbed } = await whole.run(inLane(whole, lane));
    const third = Math.floor(undisturbed.cost.nanoUsd / 3);
    const world = await makeWorld(t, { rows });
    const commands = {
      continue: 'rowmill run job.yaml --max-usd 1',
      continueWith: ({ maxNanoUsd = 0 }) => `rowmill run job.yaml --max-usd ${(Math.ceil(maxNanoUsd / 1000) / 1e6).toFixed(6)}`,
      failures: '',
    };
    const { summary } = await world.run({ ...inLane(world, lane), maxNanoUsd: third, commands });
    assert.equal(summary.exitCode, 5);
    assert.ok(summary.rows.ok > 0 && summary.rows.pending > 0, `${summary.rows.ok} ok`);
    assert.equal(summary.rows.ok + summary.rows.pending, 20);
    assert.equal(billNanoUsd(world), summary.cost.nanoUsd);
    assert.ok(summary.cost.nanoUsd <= third);
    assert.equal(summary.outputs.table, 'out.partial.csv');
    assert.match(summary.verdict, /the budget of \$0\.\d+ is used up/);

    const [, usd = ''] = /--max-usd (\d+\.\d{6})$/.exec(summary.next ?? '') ?? [];
    const maxNanoUsd = Math.round(Number(usd) * 1e9);
    assert.ok(maxNanoUsd >= undisturbed.cost.nanoUsd, summary.next ?? 'no command');
    const mode = { overrides: inLane(world, lane).overrides } as Partial<PlanOptions>;
    const plan = await planWorld(world, { type: 'all' }, { ...mode, maxNanoUsd: third });
    assert.deepEqual([plan.budget?.requestsAtATime, plan.budget?.enoughNanoUsd], [0, maxNanoUsd]);
    assert.match(plan.problems.at(-1)?.message ?? '', /^the budget of \$0\.\d+ is used up: .*the run would send nothing \(exit 5\)/);
    const enough = await planWorld(world, { type: 'all' }, { ...mode, maxNanoUsd });
    assert.deepEqual([enough.budget?.requestsAtATime, enough.problems.length], [summary.rows.pending, plan.problems.length - 1]);
    const ended = await world.run({ ...inLane(world, lane), maxNanoUsd, commands });
    assert.deepEqual([ended.summary.exitCode, ended.summary.run, world.simulator.bill().length], [0, summary.run, 20]);
    if (lane === 'batch') assert.equal(ended.summary.batches.at(-1)?.requests, summary.rows.pending, 'all at once');
    assert.deepEqual([billNanoUsd(world), ended.summary.cost.nanoUsd], [undisturbed.cost.nanoUsd, undisturbed.cost.nanoUsd]);
  });
}

test('a run that does not wait leaves when its budget has no room, and says beforehand in how many batches it lets rows out', async (t) => {
  const world = await makeWorld(t, { rows: makeRows(20), batchSeconds: 600 });
  const { budget } = await planWorld(world, { type: 'all' }, { maxNanoUsd: 1_000_000_000 });
  assert.deepEqual([budget?.requestsAtATime, budget?.batches], [20, 1]);
  const maxNanoUsd = Math.round((budget?.reservedNanoUsd ?? 0) / 3);
  const begun = await world.run({ maxNanoUsd, waitMs: 0 });
  const { exitCode, verdict, rows, notAsked, batches } = begun.summary;
  assert.deepEqual([exitCode, rows.pending, batches.length], [7, 20, 1]);
  assert.match(
    verdict,
    /run the same command later to collect them and send more: the budget of \$0\.\d+ has room for no more until then$/,
  );
  assert.equal(notAsked?.rows, 20 - (batches[0]?.requests ?? 0));
  const warned = begun.warnings.find((warning) => /out at a time/.test(warning)) ?? '';
  assert.match(
    warned,
    new RegExp(`lets about ${batches[0]?.requests} of 20 requests out at a time, .*: about \\d+ batches, one after another; \\$0`),
  );
  const later = await planWorld(world, { type: 'all' }, { maxNanoUsd });
  assert.ok((later.budget?.requestsAtATime ?? 0) > 0, 'what is out makes room when it is collected');
  const { summary } = await world.run({ maxNanoUsd: budget?.enoughNanoUsd ?? 0 });
  assert.deepEqual([summary.exitCode, summary.rows.ok, summary.batches.length, world.simulator.bill().length], [0, 20, 2, 20]);
});

const TROUBLES: Readonly<Record<LaneName, SimulatorOptions['faults']>> = {
  batch: [
    { match: { every: 5 }, do: { answer: 'length' } },
    { match: { every: 7 }, do: { answer: 'invalid_json' } },
    { match: { every: 4 }, do: { rowStatus: 500 }, times: 6 },
    { match: { method: 'POST', path: '/v1/batches', nth: 2 }, do: { drop: 'after' }, times: 1 },
  ],
  live: [
    { match: { lane: 'live', every: 5 }, do: { answer: 'length' } },
    { match: { lane: 'live', every: 7 }, do: { answer: 'invalid_json' } },
    { match: { method: 'POST', path: '/v1/chat/completions', every: 6 }, do: { drop: 'after' }, times: 5 },
    { match: { method: 'POST', path: '/v1/chat/completions', every: 4 }, do: { status: 500 }, times: 6 },
  ],
};

for (const lane of someOf(LANES, 1)) {
  test(`whatever goes wrong in a ${lane} run, its bill never exceeds the budget, calls without an answer included`, async (t) => {
    let stopped = 0;
    for (const share of [0.3, 1.2]) {
      const world = await makeWorld(t, { rows: makeRows(16), faults: TROUBLES[lane], job: 'retry: { attempts: 3 }' });
      const maxNanoUsd = Math.round(16 * (lane === 'batch' ? 9_000 : 18_000) * share);
      const { summary } = await world.run({ ...inLane(world, lane), maxNanoUsd });
      assert.ok(billNanoUsd(world) <= maxNanoUsd, `${share}: billed ${billNanoUsd(world)} of ${maxNanoUsd}`);
      assert.ok(summary.cost.nanoUsd + summary.cost.possiblyBilledNanoUsd <= maxNanoUsd, `${share}: ${JSON.stringify(summary.cost)}`);
      assert.equal(summary.rows.in, summary.rows.ok + summary.rows.failed + summary.rows.pending);
      if (summary.exitCode === 5) stopped += 1;
    }
    assert.ok(stopped >= 1, `only ${stopped} budgets were too small`);
  });
}

wideTest('a row that could cost more than usd_per_row is skipped, and no row costs more, however often it is tried', async (t) => {
  const rows = [...makeRows(11), ['long', `A long note: ${'words '.repeat(2_000)}`] as [string, string]];
  const job = 'budget: { usd_per_row: 0.0005 }';
  const world = await makeWorld(t, { rows, job, faults: [{ match: { every: 3 }, do: { answer: 'length' } }] });
  const { summary } = await world.run();
  assert.deepEqual([summary.rows.skipped, summary.causes.too_large, summary.rows.pending], [1, 1, 0]);
  const [header = '', ...lines] = world.read('out.csv').trim().split('\n');
  assert.match(lines.at(-1) ?? '', /it could cost \$0\.\d+ in 3 tries; budget\.usd_per_row allows \$0\.000500000/);
  assert.ok(header.includes('_cost_usd'));
  const byRow = new Map<string, number>();
  for (const line of world.simulator.bill()) {
    const { prompt_tokens: prompt, completion_tokens: output } = line.usage as unknown as WireUsage;
    const key = line.customId?.slice(0, 22) ?? '';
    byRow.set(key, (byRow.get(key) ?? 0) + (prompt * 150 + output * 600) / 2);
  }
  assert.equal(byRow.size, 11);
  for (const [key, nanoUsd] of byRow) assert.ok(nanoUsd <= 500_000, `${key} cost ${nanoUsd}`);
  const refused = await makeWorld(t, { job: 'model: ft:gpt-5.4-mini:acme::x\nbudget: { usd_per_row: 1 }' });
  await assert.rejects(refused.run(), { exitCode: 2 });
});

wideTest('a budget for a model without a price is refused until prices.yaml has one', async (t) => {
  const job = 'model: ft:gpt-5.4-mini:acme::x\nbudget: { usd: 1 }';
  const refused = await makeWorld(t, { job });
  await assert.rejects(refused.run(), { exitCode: 2, message: /no price.*prices\.yaml/ });
  assert.equal(refused.simulator.bill().length, 0);
  const told = await makeWorld(t, { job });
  told.write('prices.yaml', 'prices:\n  - { model: "ft:gpt-5.4-mini:*", like: ft:gpt-4o-mini:x }\n');
  const { summary } = await told.run();
  assert.deepEqual([summary.exitCode, summary.cost.unpricedAttempts], [0, 0]);
  assert.ok(summary.cost.nanoUsd > 0);
});
