import assert from 'node:assert/strict';
import { test } from 'node:test';
import { measureUse } from './helpers/live-measure.ts';

/** From fast to real: a machine that is busy makes too few calls in ten times real time to come near the limit. */
const SPEEDS = [10, 3, 1];

test('a provider that charges what is reserved causes no storm of 429s, and is recognised', async (t) => {
  for (const speed of SPEEDS) {
    const measured = await measureUse(t, 50_000, {
      speed,
      requestsPerMinute: 3_000,
      tokensPerMinute: 200_000,
      accounting: 'reserved',
      burstSeconds: 10,
      body: { max_completion_tokens: 600 },
    });
    t.diagnostic(JSON.stringify({ speed, ...measured }));
    assert.ok(measured.refused <= 0.1, `${measured.refused}`);
    if (measured.tokenCharging === 'reserved') return;
  }
  assert.fail('what is reserved was charged for 50 s of real time, and nobody noticed');
});
