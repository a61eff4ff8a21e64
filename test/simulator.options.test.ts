import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type SimulatorOptions, startSimulator } from '../src/simulator/start.ts';

/** As a program without types gives them. */
const REFUSED: readonly (readonly [object, RegExp])[] = [
  [{ noise: 0.6 }, /noise: give a share from 0 to 0\.5, not 0\.6/],
  [{ noise: Number.NaN }, /noise: .* not NaN/],
  [{ degrade: 1.5 }, /degrade: give a share from 0 to 1, not 1\.5/],
  [{ answers: 'lively' }, /answers: give "lifelike" or "plain", not lively/],
  [{ latency: 40 }, /latency: unknown; there are .*latencyMs/],
  [{ latencyMs: '40' }, /latencyMs: give milliseconds, or \{ p50Ms, sigma \}, not 40/],
  [{ latencyMs: { p50: 40 } }, /latencyMs: give/],
  [{ batchSeconds: -1 }, /batchSeconds: give a number from 0 on, not -1/],
  [{ tokensPerMinute: 0 }, /tokensPerMinute: give a number above 0, not 0/],
  [{ requestsPerMinute: Number.NaN }, /requestsPerMinute: .* not NaN/],
  [{ enqueuedTokens: { 'gpt-4o-mini': 'many' } }, /enqueuedTokens: give tokens/],
  [{ limits: { requestPerBatch: 5 } }, /limits: give amounts of batchFileBytes/],
  [{ port: 70_000 }, /port: give a port from 0 to 65535, not 70000/],
  [{ listOrder: 'newest' }, /listOrder: give "newest_first" or/],
  [{ virtualTime: 1, seed: 0.5 }, /virtualTime: give true or false, not 1; seed: give a whole number, not 0\.5/],
];

test('unknown and invalid options are refused by name', async () => {
  for (const [options, message] of REFUSED) await assert.rejects(startSimulator(options as SimulatorOptions), message);
});
