import assert from 'node:assert/strict';
import fs from 'node:fs';
import { test } from 'node:test';
import { makeReadOptions } from '../src/cli/read-options.ts';
import { readBill } from '../src/inspect/bill/read-bill.ts';
import { readReport } from '../src/inspect/report.ts';
import { formatDollars } from '../src/output/format-numbers.ts';
import { renderSummary } from '../src/output/render-summary.ts';
import type { Plan } from '../src/run/plan/plan-result.ts';
import { makePng } from './helpers/images.ts';
import { planWorld } from './helpers/plan-world.ts';
import { makeReadOptionsOf } from './helpers/read-options.ts';
import { makeRows, makeWorld, type RunChange, type World, type WorldOptions } from './helpers/run-world.ts';
import { someOf } from './helpers/wide.ts';

interface Case {
  readonly name: string;
  readonly options: WorldOptions;
  /** How far the bill may be from the estimate, as a factor. */
  readonly within: number;
  readonly prepare?: (world: World) => void;
}

const LONG = 'These are the rules for every label, in more words than anybody needs, so that the prefix is long. '.repeat(80);

const CASES: readonly Case[] = [
  { name: 'batch', options: {}, within: 2 },
  {
    name: 'reasons a little',
    options: { job: 'model: gpt-6-luna\nparams: { reasoning_effort: low, max_output_tokens: 2000 }' },
    within: 2,
  },
  { name: 'reasons much', options: { job: 'model: gpt-6-luna\nparams: { reasoning_effort: high, max_output_tokens: 2000 }' }, within: 2 },
  {
    name: 'images',
    options: {
      rows: makeRows(12).map(([id]) => [id, `${id}.png`]),
      job: 'prompt: { user: "In JSON, what is it?", images: ["{{ text }}"] }',
    },
    within: 2,
    prepare: (world) => {
      for (const [index, [id]] of makeRows(12).entries()) fs.writeFileSync(world.path(`${id}.png`), makePng(640 + index, 480));
    },
  },
  {
    name: 'prompt cache',
    options: { job: `model: gpt-5.6-luna\nparams: { reasoning_effort: none }\nprompt: { system: "${LONG} JSON.", user: "{{ text }}" }` },
    within: 2,
  },
  { name: 'asked again', options: { faults: [{ match: { every: 4 }, do: { answer: 'wrong_schema' } }] }, within: 3 },
  {
    name: 'split document',
    options: { rows: makeRows(3).map(([id, text]) => [id, `${text}. `.repeat(40)]) },
    within: 2,
    prepare: (world) =>
      world.write('job.yaml', world.read('job.yaml').replace('id: id }', 'id: id, split: { column: text, tokens: 120 } }')),
  },
];

for (const lane of ['batch', 'live'] as const) {
  test(`plan, confirmation, summary, report and bill tell the same figures: ${lane}`, async (t) => {
    for (const { name, options, within, prepare } of someOf(CASES, lane === 'batch' ? 3 : 2)) {
      await t.test(name, async (t) => {
        const world = await makeWorld(t, options);
        prepare?.(world);
        const overrides: RunChange['overrides'] = { cwd: world.directory, input: null, out: null, mode: lane };
        const planned = await planWorld(world, { type: 'all' }, { overrides });
        const asked: Plan[] = [];
        const { summary } = await world.run({ overrides, confirm: async (plan) => void asked.push(plan) });
        if (options.faults !== undefined) world.assertFaultsFired();
        const { cost } = summary;
        const estimate = planned.cost[lane]?.expectedNanoUsd ?? 0;
        assert.deepEqual([asked[0]?.cost, cost.estimateNanoUsd], [planned.cost, estimate]);
        const factor = cost.nanoUsd / estimate;
        assert.ok(factor < within && factor > 1 / within, `it cost ${factor} times the estimate`);
        assert.ok(cost.nanoUsd <= (planned.cost[lane]?.worstNanoUsd ?? 0));
        assert.deepEqual((await readReport(makeReadOptionsOf(world), null)).summary, summary);
        const text = renderSummary(summary, { colour: false, full: false });
        assert.ok(text.includes(` ${formatDollars(cost.nanoUsd)}, estimated ${formatDollars(estimate)}`), text);
        const bill = await readBill({
          ...makeReadOptions('', {}),
          folder: world.directory,
          since: null,
          until: null,
          by: null,
          csvPath: null,
        });
        assert.equal(bill.apart?.total.nanoUsd ?? bill.total.nanoUsd, cost.nanoUsd);
        const billed = world.simulator
          .bill()
          .reduce((sum, { usage }) => sum + Number((usage as { completion_tokens: number }).completion_tokens), 0);
        assert.equal(summary.tokens.output, billed);
      });
    }
  });
}

test('a pilot tells what the rest will cost, the plan of the rest says the same, and the whole costs as much', async (t) => {
  const rows = makeRows(60);
  const world = await makeWorld(t, { rows, job: 'model: gpt-6-luna\nparams: { reasoning_effort: high, max_output_tokens: 2000 }' });
  const pilot = await world.run({ selection: { type: 'first', rows: 20 } });
  const plan = await planWorld(world);
  const rest = pilot.summary.notAsked?.expectedNanoUsd ?? 0;
  assert.deepEqual([plan.tokens.outputMeasured, plan.rows.new], [20, 40]);
  assert.ok(Math.abs(rest / (plan.cost.batch?.expectedNanoUsd ?? 0) - 1) < 0.02);
  const { summary } = await world.run();
  assert.equal(summary.cost.estimateNanoUsd, plan.cost.batch?.expectedNanoUsd);
  assert.ok(Math.abs(summary.cost.nanoUsd / rest - 1) < 0.1);
});
