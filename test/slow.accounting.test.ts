import assert from 'node:assert/strict';
import { test } from 'node:test';
import { measureUse } from './helpers/live-measure.ts';

test('a provider that charges what is reserved causes no storm of 429s, and is recognised', async (t) => {
  const measured = await measureUse(t, 50_000, {
    speed: 10,
    requestsPerMinute: 3_000,
    tokensPerMinute: 200_000,
    accounting: 'reserved',
    burstSeconds: 10,
    body: { max_completion_tokens: 600 },
  });
  t.diagnostic(JSON.stringify(measured));
  assert.equal(measured.tokenCharging, 'reserved');
  assert.ok(measured.refused <= 0.1, `${measured.refused}`);
});
