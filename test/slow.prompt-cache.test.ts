import assert from 'node:assert/strict';
import { test } from 'node:test';
import { priceConstant, proveLaneChanges, proveNoWrites } from './helpers/prompt-cache-world.ts';

for (const mode of ['batch', 'live', 'flex'] as const) {
  test(`1,000 rows of 1,200 tokens sent once through ${mode} pay for no cache write`, (t) => proveNoWrites(t, mode, 1_000));
}

test('1,000 short rows after 2,000 constant tokens cost live a third of what they would if the provider chose', async (t) => {
  const { provider, explicit, auto } = await priceConstant(t, 1_000);
  assert.ok(auto <= Math.min(provider, explicit) * 1.01, `auto ${auto}, explicit ${explicit}, provider ${provider}`);
  assert.ok(auto < provider / 3);
});

test('10,000 rows, then 10,400, through batch, live and flex: 400 requests are sent after the first 10,000', (t) =>
  proveLaneChanges(t, 10_000));
