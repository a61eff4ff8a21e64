import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeWorld } from './helpers/run-world.ts';

for (const mode of ['batch', 'live'] as const) {
  test(`an effort the model does not have is told before, and its rows fail in the provider's words: ${mode}`, async (t) => {
    const job = 'model: gpt-6-luna\nparams: { reasoning_effort: minimal, max_output_tokens: 2000 }';
    const world = await makeWorld(t, { job });
    const { summary, warnings } = await world.run({ overrides: { cwd: world.directory, input: null, out: null, mode } });
    assert.ok(
      warnings.includes('params.reasoning_effort: gpt-6-luna is not known to take minimal, only none, low, medium, high, xhigh and max'),
    );
    assert.equal(summary.rows.ok, 0);
    assert.ok((summary.causes.bad_request ?? 0) > 0, JSON.stringify(summary.causes));
    assert.match(world.read('out.failures.csv'), /'reasoning_effort' does not support 'minimal' with this model/);
    assert.equal(summary.cost.nanoUsd, 0);
  });
}
