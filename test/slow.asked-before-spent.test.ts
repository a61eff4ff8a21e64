import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { UsageError } from '../src/core/errors.ts';
import type { Plan } from '../src/run/plan/plan-result.ts';
import { countAsked, findReasonToAsk, type Spending } from '../src/run/plan/spending.ts';
import type { RunView } from '../src/run/send/run-view.ts';
import { planWorld } from './helpers/plan-world.ts';
import { makeJobText, makeRows, makeWorld, type RunChange, renderCsv, type World } from './helpers/run-world.ts';

const LIVE: RunChange['overrides'] = { cwd: '', mode: 'live' };
const inLane = (world: World, lane: 'batch' | 'live'): RunChange =>
  lane === 'live' ? { overrides: { ...LIVE, cwd: world.directory } } : {};

/** Runs, and keeps what was asked of whoever pays, and how the run looked when it began. */
async function watchRun(world: World, change: RunChange) {
  const plans: Plan[] = [];
  const spendings: Spending[] = [];
  const seen: [number, number][] = [];
  let view: RunView | null = null;
  const { summary } = await world.run({
    ...change,
    confirm: async (plan, spending) => {
      plans.push(plan);
      spendings.push(spending);
    },
    watch: (opened) => {
      view = opened;
      seen.push([opened.okRequests, opened.requests]);
    },
  });
  const { okRequests, requests } = view as unknown as RunView;
  seen.push([okRequests, requests]);
  return { plan: plans[0] as Plan, spending: spendings[0] as Spending, seen, summary };
}

/** What lies behind a watched run: every third row was refused for good, the others are answered. */
const REFUSED = { match: { every: 3 }, do: { answer: 'refusal' } } as const;

interface Case {
  readonly name: string;
  readonly change: RunChange;
  /** Of the twelve rows; four of them have failed. */
  readonly asks: number;
  readonly edit?: (world: World) => void;
  /** Looked at in both lanes; the others in the batch lane alone. */
  readonly isInBoth?: true;
}

const CASES: readonly Case[] = [
  { name: '--fresh', change: { isFresh: true }, asks: 12, isInBoth: true },
  { name: '--retry-failed', change: { reopen: { causes: null, set: {} } }, asks: 4 },
  { name: 'retry of a cause', change: { reopen: { causes: new Set(['refused']), set: {} } }, asks: 4 },
  { name: 'retry --set', change: { reopen: { causes: null, set: { max_output_tokens: 900, temperature: 0 } } }, asks: 4, isInBoth: true },
  { name: '--fresh and --retry-failed', change: { isFresh: true, reopen: { causes: null, set: {} } }, asks: 12 },
  { name: '--fresh of a few rows', change: { isFresh: true, selection: { type: 'first', rows: 5 } }, asks: 5 },
  { name: 'other words', change: {}, asks: 12, edit: (world) => world.write('job.yaml', makeJobText('prompt: "In JSON: {{ text }}"')) },
  { name: 'votes', change: {}, asks: 12, edit: (world) => world.write('job.yaml', makeJobText('votes: 3\nparams: { temperature: 1 }')) },
  { name: 'more rows', change: {}, asks: 3, edit: (world) => world.write('in.csv', renderCsv(makeRows(15))) },
];

for (const lane of ['batch', 'live'] as const) {
  test(`what is confirmed is what is sent, and the estimate, the progress and the plan agree with it: ${lane}`, async (t) => {
    for (const { name, change, asks, edit } of CASES.filter(({ isInBoth }) => lane === 'batch' || isInBoth === true)) {
      await t.test(name, async (t) => {
        const world = await makeWorld(t, { faults: [REFUSED] });
        await world.run(inLane(world, lane));
        world.assertFaultsFired();
        await world.restart({});
        edit?.(world);
        const changed = { ...inLane(world, lane), ...change };
        const planned = await planWorld(world, change.selection, {
          isFresh: change.isFresh ?? false,
          reopen: change.reopen ?? null,
          ...(changed.overrides === undefined ? {} : { overrides: changed.overrides }),
        });
        const { plan, seen, summary } = await watchRun(world, changed);
        assert.equal(countAsked(plan), asks);
        assert.equal(summary.attempts.total, asks);
        assert.deepEqual({ ...planned, problems: [] }, { ...plan, problems: [] });
        assert.equal(summary.cost.estimateNanoUsd, plan.cost[lane]?.expectedNanoUsd);
        assert.ok((summary.cost.estimateNanoUsd ?? 0) > 0);
        assert.ok(Math.abs(plan.tokens.input / Math.max(1, summary.tokens.input) - 1) < 0.1, 'the prompts are those that are sent');
        for (const [ok, requests] of seen) assert.ok(ok <= requests, `${ok} of ${requests}`);
        assert.equal(seen[0]?.[0], plan.rows.reused);
        assert.equal(seen[1]?.[0], summary.rows.ok);
      });
    }
  });
}

test('a retry of a cause without failures is not a run: table and log stay unchanged', async (t) => {
  const world = await makeWorld(t, { faults: [REFUSED] });
  const { summary } = await world.run();
  const read = () => [fs.readFileSync(path.join(world.stateDirectory, 'events.jsonl'), 'utf8'), world.read('out.csv')];
  const before = read();
  const again = await world.run({ reopen: { causes: new Set(['truncated']), set: {} } });
  assert.deepEqual([again.summary.run, again.summary.exitCode, again.summary.attempts.total], [summary.run, 3, 0]);
  assert.deepEqual(read(), before);
});

test('retry --set is priced with its parameters', async (t) => {
  const world = await makeWorld(t, { faults: [REFUSED] });
  await world.run();
  const cost = async (set: Record<string, unknown>) => (await planWorld(world, { type: 'all' }, { reopen: { causes: null, set } })).cost;
  const [plain, long, flex] = [await cost({}), await cost({ max_output_tokens: 900 }), await cost({ service_tier: 'priority' })];
  assert.ok((long.batch?.worstNanoUsd ?? 0) > (plain.batch?.worstNanoUsd ?? 0) * 4);
  assert.ok((flex.live?.expectedNanoUsd ?? 0) > (plain.live?.expectedNanoUsd ?? 0), 'priority costs more');
  assert.equal(flex.batch?.expectedNanoUsd, plain.batch?.expectedNanoUsd);
});

test('requests in shards that were not sent yet are part of the confirmation', async (t) => {
  const world = await makeWorld(t, { faults: [{ match: { path: '/v1/files', method: 'POST' }, do: { error: 'insufficient_quota' } }] });
  const { summary } = await world.run();
  world.assertFaultsFired();
  assert.deepEqual([summary.exitCode, summary.attempts.total], [5, 0]);
  await world.restart({});
  const { plan, summary: ended } = await watchRun(world, {});
  assert.deepEqual([countAsked(plan), plan.rows.inFlight, ended.attempts.total], [12, 0, 12]);
});

test('an open run repeated with --fresh is estimated as a whole, until its end', async (t) => {
  const world = await makeWorld(t, { batchSeconds: 600 });
  await world.run({ selection: { type: 'first', rows: 6 }, waitMs: 0 }).then(({ summary }) => assert.equal(summary.exitCode, 7));
  await world.runToEnd({ selection: { type: 'first', rows: 6 } });
  const open = await world.run({ waitMs: 0, overrides: { cwd: world.directory } });
  assert.equal(open.summary.exitCode, 7);
  const { plan, summary } = await watchRun(world, { isFresh: true });
  assert.equal(countAsked(plan), 12);
  assert.ok((summary.cost.estimateNanoUsd ?? 0) > (plan.cost.batch?.expectedNanoUsd ?? 0), 'what the open run had sent is part of it');
  assert.equal(summary.run, open.summary.run);
});

test('a run continued in another lane is estimated for that lane', async (t) => {
  const world = await makeWorld(t, { faults: [{ match: { path: '/v1/files', method: 'POST' }, do: { error: 'insufficient_quota' } }] });
  const first = await world.run({ selection: { type: 'first', rows: 3 } });
  await world.restart({});
  const { plan, summary } = await watchRun(world, inLane(world, 'live'));
  assert.equal(summary.run, first.summary.run);
  assert.equal(summary.cost.estimateNanoUsd, plan.cost.live?.expectedNanoUsd);
});

test('a run that only collects its batches keeps its estimate, whatever the lane of the command', async (t) => {
  const world = await makeWorld(t, { batchSeconds: 600 });
  const first = await world.run({ waitMs: 0 });
  assert.deepEqual([first.summary.exitCode, countAsked(await planWorld(world))], [7, 0]);
  const { summary } = await watchRun(world, inLane(world, 'live'));
  assert.deepEqual([summary.run, summary.exitCode], [first.summary.run, 0]);
  assert.equal(summary.cost.estimateNanoUsd, first.summary.cost.estimateNanoUsd);
  assert.ok((summary.cost.estimateNanoUsd ?? 0) > 0);
});

test('answers that had to be re-asked raise the estimate by their share', async (t) => {
  const world = await makeWorld(t, { rows: makeRows(30), faults: [{ match: { batch: 1, every: 2 }, do: { answer: 'invalid_json' } }] });
  const { summary } = await world.run();
  world.assertFaultsFired();
  assert.equal(summary.attempts.total, 45);
  const { cost } = await planWorld(world, { type: 'all' }, { isFresh: true });
  const ratio = (cost.batch?.expectedNanoUsd ?? 0) / summary.cost.nanoUsd;
  assert.ok(ratio > 0.8 && ratio < 1.1, `${ratio}`);
});

/** What a refusal may look like: the directory, its event log, and all of its names. */
function readState(world: World): readonly string[] {
  const names = fs.readdirSync(world.stateDirectory, { recursive: true, encoding: 'utf8' }).sort();
  return (
    names
      // How the job stands is said anew, the same at a later time.
      .filter((name) => !name.startsWith('provider') && name !== 'status.json')
      .map((name) => {
        const file = path.join(world.stateDirectory, name);
        return fs.statSync(file).isFile() ? `${name} ${fs.readFileSync(file, 'latin1')}` : name;
      })
  );
}

test('a refused confirmation changes nothing: no generation, no reopened rows, no file', async (t) => {
  const world = await makeWorld(t, { faults: [REFUSED] });
  const refuse: RunChange['confirm'] = async () => {
    throw new UsageError('not confirmed');
  };
  await assert.rejects(world.run({ confirm: refuse }), /not confirmed/);
  assert.deepEqual(readState(world), []);
  await world.run();
  const before = readState(world);
  for (const change of [{ isFresh: true }, { reopen: { causes: null, set: {} } }, { reopen: { causes: null, set: { temperature: 0 } } }]) {
    await assert.rejects(world.run({ ...change, confirm: refuse }), /not confirmed/);
    assert.deepEqual(readState(world), before);
  }
});

const usd = (dollars: number) => dollars * 1e9;
const RANGE = { lowNanoUsd: usd(0.5), expectedNanoUsd: usd(0.91), upperNanoUsd: usd(3.64), worstNanoUsd: usd(60) };

test('a run that may cost more than confirm_over needs confirmation, unless a budget limits surprises', () => {
  const plan = (cost: Partial<typeof RANGE> | null, asked = 10) =>
    ({
      model: 'm',
      rows: { new: asked, changed: 0, again: 0 },
      cost: { batch: cost && { ...RANGE, ...cost }, live: { ...RANGE, upperNanoUsd: usd(7) }, flex: null },
    }) as unknown as Plan;
  const spending = (change: Partial<Spending> = {}): Spending => ({
    priced: 'batch',
    overNanoUsd: usd(1),
    budgetNanoUsd: null,
    maxLiveNanoUsd: null,
    guess: null,
    ...change,
  });
  const members: readonly [string, Plan, Spending, RegExp | null][] = [
    [
      'the upper estimate is above it',
      plan({}),
      spending(),
      /estimated at \$0\.91, and may become \$3\.64, above confirm_over \(\$1\.00\)/,
    ],
    ['a header was guessed, whatever it costs', plan({ upperNanoUsd: 0 }), spending({ guess: 'a guess' }), /^a guess$/],
    ['both are told', plan({}), spending({ guess: 'a guess' }), /^a guess\. Also, this is estimated at/],
    ['a guess that sends nothing', plan({}, 0), spending({ guess: 'a guess' }), null],
    ['the expected cost is above it', plan({ expectedNanoUsd: usd(2) }), spending(), /estimated at \$2\.00, above/],
    ['neither is', plan({ upperNanoUsd: usd(1) }), spending(), null],
    ['a budget holds the rest', plan({}), spending({ budgetNanoUsd: usd(1.5) }), null],
    [
      'a budget holds nothing of what is expected',
      plan({ expectedNanoUsd: usd(2) }),
      spending({ budgetNanoUsd: usd(1.5) }),
      /estimated at \$2\.00, .*; its budget lets it spend \$1\.50 at most, less than the estimate, so the run would stop before the end$/,
    ],
    [
      'a budget holds all that is expected',
      plan({ expectedNanoUsd: usd(2) }),
      spending({ budgetNanoUsd: usd(3) }),
      /estimated at \$2\.00, .*; its budget lets it spend \$3\.00 at most$/,
    ],
    ['nothing is sent', plan({}, 0), spending(), null],
    ['the price is unknown', plan(null), spending(), /price of m is unknown/],
    ['the price is unknown, and nothing is sent', plan(null, 0), spending(), null],
    ['a deadline may send the rest live', plan({ upperNanoUsd: usd(0.95) }), spending({ maxLiveNanoUsd: usd(0.5) }), /may become \$1\.45/],
    [
      'a deadline never sends more than everything live',
      plan({ upperNanoUsd: usd(0.95) }),
      spending({ maxLiveNanoUsd: usd(50) }),
      /may become \$7\.00/,
    ],
  ];
  for (const [name, planned, asked, why] of members) {
    const found = findReasonToAsk(planned, asked);
    if (why === null) assert.equal(found, null, name);
    else assert.match(found ?? '', why, name);
  }
});

test('the upper estimate is the cost of long answers if enough were measured, otherwise a multiple for reasoning models', async (t) => {
  const expectations: readonly [string, string, number | null][] = [
    ['a model that does not reason', 'model: gpt-4o-mini', 1],
    ['a model that reasons', 'model: gpt-5-mini\nparams: { max_output_tokens: 4000 }', 4],
    ['a model that reasons, told not to', 'model: gpt-5.1\nparams: { max_output_tokens: 400, reasoning_effort: none }', 1],
  ];
  for (const [name, job, factor] of expectations) {
    const world = await makeWorld(t, { job });
    const { batch, live } = (await planWorld(world)).cost;
    for (const range of [batch, live]) assert.equal(range?.upperNanoUsd, (range?.expectedNanoUsd ?? 0) * (factor ?? 0), name);
  }
  const capped = (await planWorld(await makeWorld(t, { job: 'model: gpt-5-mini\nparams: { max_output_tokens: 60 }' }))).cost.batch;
  assert.ok(capped !== null && capped.upperNanoUsd === capped.worstNanoUsd, 'a cap bounds what may be thought');
  const world = await makeWorld(t, { rows: makeRows(25) });
  await world.run();
  const { cost, tokens } = await planWorld(world, { type: 'all' }, { isFresh: true });
  assert.equal(tokens.outputMeasured, 25);
  const { expectedNanoUsd = 0, upperNanoUsd = 0, worstNanoUsd = 0 } = cost.batch ?? {};
  assert.ok(expectedNanoUsd < upperNanoUsd && upperNanoUsd < worstNanoUsd);
});
