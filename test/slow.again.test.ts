import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeRows, makeWorld, renderCsv } from './helpers/run-world.ts';

test('one changed row of 10,000 causes one request', async (t) => {
  const rows = makeRows(10_000);
  const world = await makeWorld(t, { rows });
  await world.run();
  const billed = world.simulator.bill().length;
  assert.equal(billed, 10_000);
  rows[7_321] = ['r7322', 'A wholly new text'];
  world.write('in.csv', renderCsv(rows));
  const { summary } = await world.run();
  assert.equal(world.simulator.bill().length - billed, 1);
  assert.deepEqual([summary.attempts.total, summary.rows.new, summary.rows.reused], [1, 1, 9_999]);
  assert.equal(summary.batches.length, 1);
  world.check(summary);
});
