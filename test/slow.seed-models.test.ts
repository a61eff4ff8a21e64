import assert from 'node:assert/strict';
import { test } from 'node:test';
import { modelLimits } from '../src/money/model-limits.ts';
import { findPrice } from '../src/money/price.ts';
import { findModelEnd } from '../src/openai/model-ends.ts';
import { makeJobText, makeWorld } from './helpers/run-world.ts';

/** Models whose end has come or is announced: dollars per million tokens, live, in and out, as books of before were priced; the lane they are tried in. */
const SEEDS: readonly (readonly [model: string, input: number, output: number, lane: 'batch' | 'live'])[] = [
  ['gpt-4-turbo-preview', 10, 30, 'live'],
  ['gpt-4-32k', 60, 120, 'live'],
  ['gpt-4', 30, 60, 'batch'],
  ['gpt-4o', 2.5, 10, 'live'],
  ['gpt-3.5-turbo', 0.5, 1.5, 'batch'],
];

test('models that ended stay priced, before and after their end, and run where a server has them', async (t) => {
  const world = await makeWorld(t, { rows: [['r1', 'A note']] });
  for (const [model, input, output, lane] of SEEDS) {
    assert.notEqual(findModelEnd(model), null, `${model} ends`);
    assert.notEqual(modelLimits(model).maxOutputTokens, null);
    for (const at of ['2025-06-01', '2026-11-29', '2027-06-01']) {
      const { inputPicoUsd, outputPicoUsd } = findPrice(model, { lane: 'live', tier: null, at })?.rates ?? {};
      assert.deepEqual([inputPicoUsd, outputPicoUsd], [input * 1e6, output * 1e6], `${model} on ${at}`);
    }
    world.write('job.yaml', makeJobText(`model: ${model}\noutput: text`));
    const { summary } = await world.run({ overrides: { cwd: world.directory, input: null, out: null, mode: lane } });
    assert.deepEqual([summary.exitCode, summary.rows.new, summary.cost.unpricedAttempts], [0, 1, 0], model);
    assert.ok(summary.cost.nanoUsd > 0, model);
  }
});
