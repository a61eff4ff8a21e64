import assert from 'node:assert/strict';
import { measureUse } from './helpers/live-measure.ts';
import { wideTest } from './helpers/wide.ts';

wideTest('ten seconds use at least nine tenths of the tokens per minute, without a 429', async (t) => {
  const measured = await measureUse(t, 10_000, {
    requestsPerMinute: 3_000,
    tokensPerMinute: 200_000,
    faults: [{ match: { path: '/v1/chat/completions', share: 0.01 }, do: { error: 'server_error' } }],
  });
  t.diagnostic(JSON.stringify(measured));
  assert.ok(measured.used >= 0.9, `${measured.used}`);
  assert.ok(measured.refused <= 0.005, `${measured.refused}`);
  assert.ok(measured.excess <= 0.055, `${measured.excess}`);
  assert.ok(measured.firstCallMs <= 1_000);
});
