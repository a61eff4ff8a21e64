import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LUNA, makeLongRows, readCache } from './helpers/prompt-cache-world.ts';
import { makeRedisJobWorld } from './helpers/redis-job-world.ts';
import { whyNoRedis } from './helpers/redis-server.ts';

test('the flex tier and the prompt cache settings reach the calls of workers', { skip: whyNoRedis() }, async (t) => {
  const { world, run } = await makeRedisJobWorld(t, { rows: makeLongRows(2), job: LUNA });
  const { summary } = await run({ overrides: { cwd: world.directory, input: null, out: null, mode: 'flex' } });
  assert.deepEqual([summary.exitCode, summary.rows.ok, summary.attempts.live], [0, 2, 2]);
  const bill = world.simulator.bill();
  assert.deepEqual(new Set(bill.map(({ lane, tier }) => `${lane} ${tier}`)), new Set(['live flex']));
  // Left to the provider, each of these rows would be written for nobody.
  assert.deepEqual([bill.length, readCache(world)], [2, { found: 0, written: 0 }]);
  assert.equal(summary.cost.nanoUsd, summary.tokens.input * 100 + summary.tokens.output * 600);
});
