import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PROFILES } from './helpers/provider-profiles.ts';
import { MOST_TO_STOP_MS, makeProviderStage } from './helpers/provider-stage.ts';
import { readShape } from './helpers/provider-stub.ts';

for (const profile of PROFILES) {
  for (const name of profile.shapes) {
    const shape = readShape(name);
    if (shape.kind !== 'call' || !/^(\/v1)?\/chat\/completions$/.test(shape.endpoint)) continue;
    const { want } = shape;
    const isForever = want.run === 'stops';

    test(`${profile.name}: a live job that meets ${name} ${isForever ? 'stops and says why' : 'continues'}`, async (t) => {
      let served = 0;
      const { run, startWatch, world } = await makeProviderStage(t, profile, {
        intercept(_method, path, body) {
          if (path !== '/chat/completions' || (!isForever && served > 0)) return null;
          // What another cap would change is answered so while that one is sent.
          if (/cap-unknown/.test(name) && !body.includes('"max_completion_tokens"')) return null;
          served += 1;
          return shape;
        },
      });
      const readWaitedMs = startWatch();
      const { summary } = await run('live');
      assert.ok(served > 0, 'the shape was served');
      const told = [summary.verdict, ...world.said].join('\n');
      if (isForever) {
        assert.ok(readWaitedMs() < MOST_TO_STOP_MS, 'it stops soon');
        assert.ok([4, 5].includes(summary.exitCode), String(summary.exitCode));
        if (want.exitCode !== undefined) assert.equal(summary.exitCode, want.exitCode, told);
        assert.equal(summary.rows.pending, 3, 'no row is at fault');
        if (want.says !== undefined) assert.ok(told.includes(want.says), told);
      } else if (want.askedAgain === true || want.outcome === 'unknown') {
        assert.deepEqual([summary.exitCode, summary.rows.ok], [0, 3], told);
      } else assert.deepEqual([summary.exitCode, summary.rows.ok, summary.causes], [3, 2, { [want.outcome]: 1 }], told);
    });
  }
}
