import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { renderKillReport, runKillLoop } from './helpers/kill-loop.ts';

/** Printed, so that a failure can be repeated. */
const SEED = Number(process.env.ROWMILL_TEST_SEED ?? 1);

/** With the simulator inside of it, and more of them: slow.kill-loop; and 20 more in rowmill prove. */
const KILLS = 6;

describe('a process killed at any step of its work', () => {
  test(`ends with the undisturbed table and bill (seed ${SEED})`, async (t) => {
    const report = await runKillLoop({ mode: 'outside', kills: KILLS, seed: SEED });
    t.diagnostic(renderKillReport('simulator outside', report));
    assert.ok(report.hits >= KILLS);
  });
});
