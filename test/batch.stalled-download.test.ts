import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createManualTimers, until } from './helpers/manual-timers.ts';
import { makeWorld } from './helpers/run-world.ts';

test('a download that stalls is restarted', async (t) => {
  const downloads = { path: '/v1/files/*/content' };
  const world = await makeWorld(t, { faults: [{ match: { ...downloads, nth: 1 }, do: { dripBytes: 1, everyMs: 50 } }] });
  const timers = createManualTimers();
  const running = world.run({ effects: { ...world.effects, startTimer: timers.startTimer } });
  await until(() => world.simulator.faultsFired()[0]?.fired === 1 && timers.armedMs().includes(60_000));
  timers.fire();
  const { summary } = await running;
  world.assertFaultsFired();
  assert.equal(summary.exitCode, 0);
  // The one that broke off is counted when its server notices.
  await until(() => world.simulator.requests()['GET /v1/files/:id/content'] === 2);
  assert.deepEqual(timers.armedMs(), [], 'no timer outlives its download');
  world.check(summary);
});
