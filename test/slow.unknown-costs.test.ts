import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parse } from 'csv-parse/sync';
import { makeReadOptions } from '../src/cli/read-options.ts';
import { renderProgress } from '../src/cli/render/render-progress.ts';
import { renderStatus } from '../src/cli/render/render-status.ts';
import { readReport } from '../src/inspect/report.ts';
import { readStatus } from '../src/inspect/status.ts';
import { verifyState } from '../src/inspect/verify/verify.ts';
import { renderSummary } from '../src/output/render-summary.ts';
import type { RunView } from '../src/run/send/run-view.ts';
import { makeRows, makeWorld, renderCsv, type World } from './helpers/run-world.ts';

const LANES = ['batch', 'live'] as const;
type Lane = (typeof LANES)[number];

const run = (world: World, mode: Lane, change = {}) =>
  world.run({ overrides: { cwd: world.directory, input: null, out: null, mode }, ...change });
const lookAt = (world: World) => ({ ...makeReadOptions(world.path('job.yaml'), {}), cwd: world.directory, effects: world.effects });
const plain = { colour: false, full: true };
const costsOf = (world: World) => (parse(world.read('out.csv'), { columns: true }) as Record<string, string>[]).map((row) => row._cost_usd);

/** Answers without a word of what they used; the usage of the second does not add up. */
const UNKNOWN = [{ match: { every: 2 }, do: { world: 'usage-thoughts-in-the-total-only' } }, { do: { world: 'usage-absent' } }];
const TEXT = 'output: text';

for (const mode of LANES) {
  test(`an unknown cost is shown as unknown everywhere, never as $0: ${mode}`, async (t) => {
    const world = await makeWorld(t, { rows: makeRows(6), job: TEXT, faults: UNKNOWN });
    const views: RunView[] = [];
    const { summary } = await run(world, mode, { watch: (view: RunView) => void views.push(view) });
    world.assertFaultsFired();
    assert.deepEqual([summary.exitCode, summary.rows.ok, summary.cost.unpricedAttempts, summary.cost.usd], [0, 6, 6, 'unknown']);
    assert.deepEqual([summary.ledger.unpricedAttempts, costsOf(world)], [6, ['', '', '', '', '', '']]);
    const status = await readStatus(lookAt(world));
    assert.deepEqual([status.cost.usd, status.cost.unpricedAttempts, status.cost.ledgerUnpricedAttempts], ['unknown', 6, 6]);
    const { checks, ok } = await verifyState(lookAt(world));
    assert.ok(ok, JSON.stringify(checks));
    const texts = {
      summary: renderSummary(summary, plain),
      status: renderStatus(status, { now: world.clock(), colour: false }),
      progress: renderProgress(
        views[0] as RunView,
        { etaMs: null, projectedNanoUsd: null },
        { now: world.clock(), columns: 120, rows: 24, colour: false },
      ).join('\n'),
      verify: checks.map(({ detail }) => detail).join('\n'),
    };
    for (const [name, text] of Object.entries(texts)) {
      assert.match(text, /unknown/, name);
      assert.doesNotMatch(text.replace(/.*(?:budget|estimated).*/g, ''), /\$0(?:\.0+)?\b/, `${name}:\n${text}`);
    }
    assert.match(world.read('out.report.html'), /Spent<\/th><td class="n">unknown/);
  });

  test(`a row with a partly unknown cost has none, its known part is orphaned, and the books balance: ${mode}`, async (t) => {
    const faults = [
      { match: { custom_id: '*-r1' }, do: { world: 'usage-absent' } },
      { match: { every: 3 }, do: { answer: 'invalid_json' } },
    ];
    const world = await makeWorld(t, { rows: makeRows(6), faults, job: 'retry: { attempts: 2 }' });
    const { summary } = await run(world, mode);
    world.assertFaultsFired();
    const { cost, rows } = summary;
    assert.deepEqual([rows.failed, cost.unpricedAttempts], [2, 2]);
    const costs = costsOf(world).filter((text) => text !== '');
    assert.equal(costs.length, 4);
    const nanoUsd = costs.reduce((sum, text) => sum + Math.round(Number(text) * 1e9), 0);
    assert.deepEqual([cost.rowsNanoUsd, cost.orphanedNanoUsd > 0, cost.nanoUsd], [nanoUsd, true, nanoUsd + cost.orphanedNanoUsd]);
    const known = world.simulator.bill().slice(0, 6);
    const billed = known.reduce((sum, { usage }) => sum + Number(usage.prompt_tokens) * 150 + Number(usage.completion_tokens) * 600, 0);
    assert.equal(cost.nanoUsd, mode === 'live' ? billed : billed / 2);
    assert.match(renderSummary(summary, plain), /or whose row cost an unknown amount besides/);
    assert.ok((await verifyState(lookAt(world))).ok);
  });

  test(`a hard budget keeps the reservation of each call whose usage is unknown, and no more: ${mode}`, async (t) => {
    const job = 'output: text\nlimits: { concurrency: 1 }';
    const reserve = mode === 'live' ? 2_000_000 : 1_000_000;
    const world = await makeWorld(t, { rows: makeRows(40), job, faults: UNKNOWN });
    const first = await run(world, mode, { maxNanoUsd: reserve });
    const sent = world.simulator.bill().length;
    assert.equal(first.summary.exitCode, 5, first.summary.verdict);
    // A call of this job reserves between 60 and 150 microdollars live, half of that in a batch.
    const perCall = reserve / sent;
    assert.ok(
      perCall < (mode === 'live' ? 150_000 : 75_000) && perCall > (mode === 'live' ? 60_000 : 30_000),
      `${sent} calls at ${perCall}`,
    );
    const again = await run(world, mode, { maxNanoUsd: reserve });
    assert.deepEqual([again.summary.exitCode, world.simulator.bill().length], [5, sent], 'a later process keeps them too');
    const enough = await run(world, mode, { maxNanoUsd: 40 * 150_000 });
    assert.deepEqual([enough.summary.exitCode, enough.summary.rows.ok], [0, 40]);
  });
}

test('conflicting and foreign lines are in the short summary with their cost, and progress counts no row twice', async (t) => {
  const faults = [
    { match: { row: 2 }, do: { line: 'duplicate_new_id' } },
    { match: { row: 3 }, do: { line: 'duplicate_new_id' } },
    { match: { row: 4 }, do: { line: 'duplicate_new_id' } },
    { match: { row: 5 }, do: { line: 'foreign' } },
  ];
  const rows = makeRows(8);
  const world = await makeWorld(t, { rows: [...rows, ['again', rows[0]?.[1] ?? ''], ['', '']], faults });
  const views: RunView[] = [];
  const { summary } = await run(world, 'batch', { watch: (view: RunView) => void views.push(view) });
  world.assertFaultsFired();
  assert.deepEqual(summary.anomalies, { conflict: 3, foreign: 1 });
  const bill = world.simulator.bill();
  const costOf = ({ usage }: (typeof bill)[number]) => (Number(usage.prompt_tokens) * 150 + Number(usage.completion_tokens) * 600) / 2;
  const twice = bill.filter(({ customId }, index) => bill.findIndex((line) => line.customId === customId) !== index);
  assert.equal(
    summary.anomalyCosts?.conflict,
    twice.reduce((sum, line) => sum + costOf(line), 0),
  );
  assert.ok((summary.anomalyCosts?.foreign ?? 0) > 0);
  assert.equal(
    summary.cost.nanoUsd,
    bill.reduce((sum, line) => sum + costOf(line), 0),
    'foreign lines are in no sum',
  );
  const text = renderSummary(summary, { colour: false, full: false });
  assert.match(text, /conflict +3 lines more for requests that were answered: \$0\.0\d+ of what was spent/);
  assert.match(text, /foreign +1 line answering nothing of ours: \$0\.0\d+, in no sum/);
  const { okRows, rowsAsked, okRequests, requests } = views[0] as RunView;
  assert.deepEqual([okRows, rowsAsked, okRequests, requests], [9, 9, 8, 8]);
  assert.match(world.read('out.report.html'), /Conflicting lines/);
  assert.equal((await readReport(lookAt(world), null)).summary.anomalyCosts?.conflict, summary.anomalyCosts?.conflict);
});

test('rows of an earlier table whose answers come later are not counted', async (t) => {
  const world = await makeWorld(t, { rows: makeRows(8) });
  await run(world, 'batch', { waitMs: 0 }).catch(() => {});
  world.write('in.csv', renderCsv(makeRows(3, 500)));
  const views: RunView[] = [];
  await run(world, 'batch', { watch: (view: RunView) => void views.push(view) });
  const { okRows, rowsAsked } = views[0] as RunView;
  assert.deepEqual([okRows, rowsAsked], [3, 3]);
});
