import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type KillMode, renderKillReport, runKillLoop } from './helpers/kill-loop.ts';

/** Printed, so that a failure can be repeated. */
const SEED = Number(process.env.ROWMILL_TEST_SEED ?? 2);

describe('a process killed at any step of its work, again and again', { concurrency: 2 }, () => {
  for (const [mode, kills] of [
    ['inside', 10],
    ['outside', 28],
  ] as readonly [KillMode, number][]) {
    test(`ends with the undisturbed table and bill, the simulator ${mode} of it (seed ${SEED})`, async (t) => {
      const report = await runKillLoop({ mode, kills, seed: SEED });
      t.diagnostic(renderKillReport(`simulator ${mode}`, report));
      assert.ok(report.hits >= kills);
    });
  }
});
