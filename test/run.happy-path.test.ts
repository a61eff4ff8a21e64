import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CANARY_CELL, makeRows, makeWorld } from './helpers/run-world.ts';

test('a table goes through the Batch API and comes back in order, with balanced books', async (t) => {
  const rows = [...makeRows(40), ['twin', makeRows(1)[0]?.[1] as string] as const, ['void', ''] as const, ['secret', CANARY_CELL] as const];
  const world = await makeWorld(t, { rows });
  const { summary, requests } = await world.run();
  world.check(summary);
  assert.equal(summary.exitCode, 3, 'an empty row is skipped');
  assert.deepEqual(summary.causes, { empty: 1 });
  assert.deepEqual({ ...summary.rows }, { in: 43, ok: 42, failed: 0, skipped: 1, pending: 0, new: 41, reused: 0, duplicate: 1 });
  assert.deepEqual(requests['POST /v1/batches'], 1);
  assert.equal(world.simulator.bill().length, 41);
});
