import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { makeRedisJobWorld } from './helpers/redis-job-world.ts';
import { whyNoRedis } from './helpers/redis-server.ts';
import { makeRows, makeWorld, type World } from './helpers/run-world.ts';

const SERIAL = 'limits: { concurrency: 1 }';
const UNREADABLE = { do: { world: 'content-an-unknown-object' } };
const VERDICT = /^the first 20 answers of this run cannot be read \(the answer cannot be read: its content is an object with "something"\)/;

const LANES = ['batch', 'live'] as const;
const run = (world: World, mode: (typeof LANES)[number]) =>
  world.run({ overrides: { cwd: world.directory, input: null, out: null, mode } });

for (const mode of LANES) {
  test(`a run whose first 20 answers are unreadable stops, replaces nothing, and sends no row twice: ${mode}`, async (t) => {
    const world = await makeWorld(t, { rows: makeRows(30), job: SERIAL, faults: [UNREADABLE] });
    world.write('out.csv', 'of last night\n');
    const { summary } = await run(world, mode);
    world.assertFaultsFired();
    assert.equal(summary.exitCode, 5);
    assert.match(summary.verdict, VERDICT);
    assert.equal(world.read('out.csv'), 'of last night\n');
    assert.deepEqual([summary.outputs.table, existsSync(world.path('out.partial.csv'))], ['out.partial.csv', true]);
    const billed = world.simulator.bill().length;
    assert.ok(mode === 'batch' ? billed === 30 : billed >= 20 && billed <= 22, `${billed} calls were billed`);
    const again = await run(world, mode);
    assert.deepEqual([again.summary.exitCode, again.summary.verdict, world.simulator.bill().length], [5, summary.verdict, billed]);
  });

  test(`one readable answer among the first 20 lets the run continue: ${mode}`, async (t) => {
    const faults = [{ match: { every: 20 }, do: { answer: 'refusal' } }, UNREADABLE];
    const world = await makeWorld(t, { rows: makeRows(30), job: SERIAL, faults });
    const { summary } = await run(world, mode);
    world.assertFaultsFired();
    assert.deepEqual([summary.exitCode, summary.causes, summary.attempts.total], [3, { invalid: 29, refused: 1 }, 30]);
  });

  test(`fewer than 20 unreadable answers become failed rows: ${mode}`, async (t) => {
    const world = await makeWorld(t, { rows: makeRows(19), job: SERIAL, faults: [UNREADABLE] });
    const { summary } = await run(world, mode);
    assert.deepEqual([summary.exitCode, summary.rows.failed, summary.attempts.total], [3, 19, 19]);
  });
}

test('a batch whose every line refuses address or key ends the run with 4, at any size, and replaces nothing; once fixed, the rows are sent again', async (t) => {
  const rowStatus = { match: { batch: 2 }, do: { rowStatus: 404, code: 'not_found', message: 'Invalid URL' } };
  const world = await makeWorld(t, { rows: makeRows(3), faults: [rowStatus] });
  await world.run();
  const table = world.read('out.csv');
  for (const isFresh of [true, false]) {
    const { summary } = await world.run({ isFresh });
    assert.equal(summary.exitCode, 4);
    assert.match(summary.verdict, /^every answer so far refuses the address or the key \(not_found: Invalid URL\)/);
    assert.equal(world.read('out.csv'), table);
  }
  world.assertFaultsFired();
  const { summary } = await world.run({ reopen: { causes: null, set: {} } });
  assert.deepEqual([summary.exitCode, summary.rows.ok], [0, 3]);
});

test('if any row has an answer, a "not found" is a failed row', async (t) => {
  const world = await makeWorld(t, { rows: makeRows(3), faults: [{ match: { row: 2 }, do: { rowStatus: 404 } }] });
  const { summary } = await world.run();
  world.assertFaultsFired();
  assert.deepEqual([summary.exitCode, summary.causes], [3, { bad_request: 1 }]);
});

test('after the stop --fresh sends every row again', async (t) => {
  const world = await makeWorld(t, { rows: makeRows(25), faults: [{ match: { batch: 1 }, ...UNREADABLE }] });
  assert.equal((await world.run()).summary.exitCode, 5);
  const { summary } = await world.run({ isFresh: true });
  assert.deepEqual([summary.exitCode, summary.rows.ok], [0, 25]);
});

test('rows reopened by a retry are counted by their new answers', async (t) => {
  const world = await makeWorld(t, { rows: makeRows(25), faults: [{ match: { batch: 1 }, ...UNREADABLE }] });
  assert.equal((await world.run()).summary.exitCode, 5);
  const { summary } = await world.run({ reopen: { causes: null, set: {} } });
  assert.deepEqual([summary.exitCode, summary.rows.ok], [0, 25]);
});

test('a run over Redis stops as well', { skip: whyNoRedis() }, async (t) => {
  const { world, run: runOverRedis } = await makeRedisJobWorld(t, { rows: makeRows(60), faults: [UNREADABLE], latencyMs: 20 });
  const { summary } = await runOverRedis();
  assert.equal(summary.exitCode, 5);
  assert.match(summary.verdict, VERDICT);
  assert.ok(!existsSync(world.path('out.csv')));
});
