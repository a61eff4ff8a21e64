import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parse } from 'csv-parse/sync';
import type { Summary } from '../src/core/summary.ts';
import { makeRows, makeWorld, type World } from './helpers/run-world.ts';
import { wideTest } from './helpers/wide.ts';

const LIVE = { mode: 'live' } as const;

function runLive(world: World, change: Parameters<World['run']>[0] = {}) {
  return world.run({ overrides: { cwd: world.directory, input: null, out: null, ...LIVE }, ...change });
}

/** What a reader of the table is after: ids and answers, in order. */
function readAnswers(world: World): readonly (readonly string[])[] {
  const rows = parse(world.read('out.csv'), { columns: true }) as Record<string, string>[];
  return rows.map(({ id, label, summary, _status }) => [id, label, summary, _status].map(String));
}

const sumBill = (world: World) => world.simulator.bill().length;

function assertIdentity({ rows }: Summary): void {
  assert.equal(rows.in, rows.ok + rows.failed + rows.skipped + rows.pending);
}

test('a live run writes the same table as a batch run, at the live price, and the bill matches the ledger', async (t) => {
  const live = await makeWorld(t, { rows: makeRows(40) });
  const { summary } = await runLive(live);
  const batch = await makeWorld(t, { rows: makeRows(40) });
  const other = await batch.run();
  assert.deepEqual(readAnswers(live), readAnswers(batch));
  assertIdentity(summary);
  assert.deepEqual(summary.attempts, { total: 40, batch: 0, live: 40, unknown: 0 });
  assert.equal(sumBill(live), summary.ledger.attempts);
  assert.equal(summary.cost.nanoUsd, other.summary.cost.nanoUsd * 2);
  assert.equal(summary.cost.possiblyBilledNanoUsd, 0);
});

test('repeating a finished live run in either lane sends nothing', async (t) => {
  const world = await makeWorld(t);
  await runLive(world);
  const table = world.read('out.csv');
  for (const again of [await runLive(world), await world.run()]) {
    assert.equal(again.summary.attempts.total, 0);
    assert.equal(again.requests['POST /v1/chat/completions'], undefined);
  }
  assert.equal(world.read('out.csv'), table);
});

wideTest('live rows are retried after a transient fault, invalid ones with what was wrong', async (t) => {
  const world = await makeWorld(t, {
    rows: makeRows(24),
    faults: [
      { match: { method: 'POST', path: '/v1/chat/completions', every: 6 }, do: { status: 500 }, times: 3 },
      { match: { lane: 'live', nth: 9 }, do: { answer: 'invalid_json' }, times: 1 },
    ],
  });
  const { summary } = await runLive(world);
  world.assertFaultsFired();
  assert.deepEqual([summary.exitCode, summary.rows.ok], [0, 24]);
  assert.equal(sumBill(world), 25, 'each row once, and the invalid answer');
  assert.equal(summary.attempts.total, 28);
});

wideTest('batches left with the provider are collected by a live run, which sends only what is new', async (t) => {
  const world = await makeWorld(t, { rows: makeRows(10), batchSeconds: 3_600 });
  const first = await world.run({ waitMs: 0 });
  assert.equal(first.summary.exitCode, 7);
  await world.restart({ batchSeconds: 0.05 });
  world.write('in.csv', `${world.read('in.csv')}r11,"A new note says fine, eleven"\n`);
  const { summary } = await runLive(world);
  assert.deepEqual([summary.exitCode, summary.rows.ok], [0, 11]);
  assert.deepEqual([summary.attempts.batch, summary.attempts.live], [10, 1]);
  assert.equal(sumBill(world), 11);
});

wideTest('a live budget stops the run below it with exit 5, and a larger one continues it', async (t) => {
  const world = await makeWorld(t, { rows: makeRows(60) });
  const whole = await makeWorld(t, { rows: makeRows(60) });
  const { summary: undisturbed } = await runLive(whole);
  const third = Math.floor(undisturbed.cost.nanoUsd / 3);
  const { summary } = await runLive(world, { maxNanoUsd: third });
  assert.equal(summary.exitCode, 5);
  assert.ok(summary.cost.nanoUsd + summary.cost.possiblyBilledNanoUsd <= third);
  assert.ok(summary.rows.pending > 0);
  assertIdentity(summary);
  const { summary: ended } = await runLive(world, { maxNanoUsd: undisturbed.cost.nanoUsd * 10 });
  assert.deepEqual([ended.exitCode, ended.rows.ok], [0, 60]);
  assert.equal(sumBill(world), 60);
});

test('a refused key ends a live run with exit 4 after a call or two', async (t) => {
  const world = await makeWorld(t, {
    faults: [{ match: { method: 'POST', path: '/v1/chat/completions' }, do: { status: 401 } }],
  });
  const { summary, requests } = await runLive(world);
  assert.equal(summary.exitCode, 4);
  assert.ok((requests['POST /v1/chat/completions'] ?? 0) <= 65);
  assert.equal(summary.rows.pending, 12);
  assert.equal(sumBill(world), 0);
});
