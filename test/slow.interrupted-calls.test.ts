import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { AppError, EXIT } from '../src/core/errors.ts';
import { makeRows, makeWorld, type World } from './helpers/run-world.ts';

const CALLS = 'POST /v1/chat/completions';

/** A live job of one row whose calls hang, after they were billed. */
async function makeHangingWorld(t: Parameters<typeof makeWorld>[0]): Promise<World> {
  const world = await makeWorld(t, {
    rows: makeRows(1),
    faults: [{ match: { path: '/v1/chat/completions' }, do: { hang: true, processed: true } }],
  });
  world.write('job.yaml', world.read('job.yaml').replace('mode: batch', 'mode: live'));
  return world;
}

/** Runs until a call is under way, then ends the run as a second Ctrl-C does. @returns whether a call was made */
async function interrupt(world: World): Promise<boolean> {
  const ending = new AbortController();
  const before = world.simulator.requests()[CALLS] ?? 0;
  const ended = world.run({ stopping: ending.signal, signal: ending.signal }).then(
    () => true,
    () => true,
  );
  const isCalled = () => (world.simulator.requests()[CALLS] ?? 0) > before;
  while (!isCalled() && !(await Promise.race([ended, delay(5, false)])));
  ending.abort(new AppError('interrupted', { code: 'interrupted', exitCode: EXIT.interrupted }));
  await ended;
  return isCalled();
}

test('calls cut off by our own interruptions fail no row: after four of them, with three attempts allowed, it is sent and answered', async (t) => {
  const world = await makeHangingWorld(t);
  for (let interruptions = 1; interruptions <= 4; interruptions += 1) assert.equal(await interrupt(world), true);
  world.assertFaultsFired();
  await world.restart({});
  const { summary, warnings } = await world.run();
  assert.deepEqual([summary.exitCode, summary.rows.ok, warnings], [0, 1, []]);
  assert.deepEqual([summary.attempts.total, summary.attempts.unknown, world.simulator.bill().length], [5, 4, 5]);
  assert.deepEqual(
    summary.possiblyBilled?.map(({ why, calls, keys }) => [why, calls, keys.length]),
    [['lost_calls', 4, 4]],
  );
  assert.ok(summary.cost.possiblyBilledNanoUsd >= 4 * summary.cost.nanoUsd);
});

test('after five such calls the row is held, this is reported, and only retry sends it again', async (t) => {
  const world = await makeHangingWorld(t);
  for (let interruptions = 1; interruptions <= 5; interruptions += 1) assert.equal(await interrupt(world), true);
  assert.equal(await interrupt(world), false, 'it is not called a sixth time');
  await world.restart({});
  const { summary, warnings, requests } = await world.run();
  assert.deepEqual([summary.exitCode, summary.causes, requests[CALLS]], [3, { unknown: 1 }, undefined]);
  assert.match(warnings.join('\n'), /1 request held: each try may have been billed/);
  assert.match(world.read('out.failures.csv'), /held: 5 attempts were cut off when this program was interrupted/);
  const retried = await world.run({ reopen: { causes: null, set: {} } });
  assert.deepEqual([retried.summary.exitCode, retried.summary.rows.ok, world.simulator.bill().length], [0, 1, 6]);
});
