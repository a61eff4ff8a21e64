import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { test } from 'node:test';
import { parse } from 'csv-parse/sync';
import type { SimulatorOptions } from '../src/simulator/options.ts';
import { projectRoot } from './helpers/project-root.ts';
import { makeWorld, type World } from './helpers/run-world.ts';
import { someOf } from './helpers/wide.ts';

type Faults = NonNullable<SimulatorOptions['faults']>;

/** Nano-dollars per token from the price page (2026-11-21): input, cached input, output. Batches cost half; these prompts are too short for the cache. */
const PRICES: Readonly<Record<string, readonly [number, number, number]>> = {
  'gpt-5.6-luna': [200, 20, 1200],
  'gpt-4o-mini': [150, 75, 600],
  'gpt-6-luna': [100, 10, 500],
};

interface WireUsage {
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly prompt_tokens_details?: { readonly cached_tokens?: number };
}

function billNanoUsd(world: World): number {
  let sum = 0;
  for (const line of world.simulator.bill()) {
    const usage = line.usage as unknown as WireUsage;
    const [, rates] = Object.entries(PRICES).find(([model]) => line.model.startsWith(`${model}-2`) || line.model === model) ?? [];
    assert.ok(rates !== undefined, line.model);
    const [input, cachedInput, output] = rates;
    const cached = usage.prompt_tokens_details?.cached_tokens ?? 0;
    if (line.lane === 'batch') sum += Math.floor((usage.prompt_tokens * input + usage.completion_tokens * output) / 2 + 0.5);
    else sum += (usage.prompt_tokens - cached) * input + cached * cachedInput + usage.completion_tokens * output;
  }
  return sum;
}

/** The sum of the cells `_cost_usd` in nano-dollars: decimals with nine places, added as integers. */
function sumCostCells(file: string): number {
  const text = fs.readFileSync(file, 'utf8');
  const rows = file.endsWith('.jsonl')
    ? text
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as Record<string, unknown>)
    : (parse(text, { columns: true }) as Record<string, unknown>[]);
  assert.ok(rows.length > 0);
  const column = Object.keys(rows[0] ?? {}).find((name) => name.endsWith('_cost_usd')) ?? '';
  return rows.reduce((sum, row) => {
    const cell = row[column];
    const [whole = '', places = ''] = (typeof cell === 'number' ? cell.toFixed(9) : String(cell)).split('.');
    return sum + Number(whole) * 1e9 + Number(places.padEnd(9, '0'));
  }, 0);
}

const BATCH_PLANS: Readonly<Record<string, Faults>> = {
  'nothing goes wrong': [],
  'answers are unusable': [
    { match: { every: 4 }, do: { answer: 'length' } },
    { match: { every: 5 }, do: { answer: 'invalid_json' } },
    { match: { every: 7 }, do: { answer: 'refusal' } },
  ],
  'rows fail, expire and go missing': [
    { match: { every: 4, batch: 1 }, do: { rowStatus: 500 } },
    { match: { every: 5, batch: 1 }, do: { line: 'expired' } },
    { match: { every: 3, batch: 1 }, do: { line: 'missing' } },
  ],
  'lines come twice, under new ids too': [
    { match: { every: 3 }, do: { line: 'duplicate' } },
    { match: { every: 4 }, do: { line: 'duplicate_new_id' } },
  ],
  'a batch expires half done, and a create is answered by a broken connection': [
    { match: { batch: 1 }, do: { expire: 0.5 } },
    { match: { method: 'POST', path: '/v1/batches', nth: 2 }, do: { drop: 'after' }, times: 1 },
  ],
};

const CALLS = { method: 'POST', path: '/v1/chat/completions' };
const LIVE_PLANS: Readonly<Record<string, Faults>> = {
  'nothing goes wrong': [],
  'answers are unusable': [
    { match: { lane: 'live', every: 4 }, do: { answer: 'length' } },
    { match: { lane: 'live', every: 5 }, do: { answer: 'invalid_json' } },
    { match: { lane: 'live', every: 7 }, do: { answer: 'refusal' } },
  ],
  'calls fail and are too fast': [
    { match: { ...CALLS, every: 4 }, do: { status: 500 }, times: 3 },
    { match: { ...CALLS, every: 7 }, do: { error: 'rate_limit_exceeded' }, times: 1 },
  ],
};

const JOBS = [
  { name: 'nightly-summaries', table: 'threads.jsonl', plans: BATCH_PLANS },
  { name: 'review-sentiment', table: 'reviews.csv', plans: BATCH_PLANS },
  { name: 'ticket-labels', table: 'tickets.csv', plans: LIVE_PLANS },
];

for (const { name, table, plans } of someOf(JOBS, 1)) {
  for (const [plan, faults] of someOf(Object.entries(plans), 2)) {
    test(`jobs/${name}.yaml, ${plan}: the ledger is the bill, and the table is the run, to the nano-dollar`, async (t) => {
      const world = await makeWorld(t, { faults });
      fs.copyFileSync(path.join(projectRoot, 'fixtures', table), world.path(table));
      const job = fs.readFileSync(path.join(projectRoot, 'jobs', `${name}.yaml`), 'utf8');
      world.write('job.yaml', job.replace(`name: ${name}`, 'name: proof').replaceAll('../fixtures/', '').replaceAll('../out/', 'out/'));
      const { summary } = await world.runToEnd({ selection: { type: 'first', rows: 12 } });
      world.assertFaultsFired();
      const { cost, ledger } = summary;
      assert.deepEqual([summary.rows.in, summary.rows.pending, cost.unpricedAttempts, cost.possiblyBilledNanoUsd], [12, 0, 0, 0]);
      assert.equal(ledger.nanoUsd, billNanoUsd(world));
      assert.equal(cost.nanoUsd, ledger.nanoUsd);
      assert.equal(sumCostCells(world.path(summary.outputs.table ?? '')) + cost.orphanedNanoUsd, cost.nanoUsd);
      assert.ok(cost.nanoUsd > 0);
    });
  }
}

test('live calls whose answers are lost are not part of the total, and the bill is below the amount counted as possible', async (t) => {
  const world = await makeWorld(t, { faults: [{ match: { ...CALLS, every: 5 }, do: { drop: 'after' }, times: 4 }] });
  const { summary } = await world.run({ overrides: { cwd: world.directory, input: null, out: null, mode: 'live' } });
  world.assertFaultsFired();
  const { cost, attempts } = summary;
  const bill = billNanoUsd(world);
  assert.ok(attempts.unknown > 0);
  assert.ok(bill > cost.nanoUsd, 'the lost calls were billed');
  assert.ok(bill <= cost.nanoUsd + cost.possiblyBilledNanoUsd);
  assert.equal(sumCostCells(world.path('out.csv')) + cost.orphanedNanoUsd, cost.nanoUsd);
});

test('if a batch object counts other tokens than its lines, the difference is reported and bounds what may have been billed', async (t) => {
  const world = await makeWorld(t, {
    rows: [...Array(8).keys()].map((n) => [`r${n}`, `text ${n}`] as const),
    faults: [{ match: { row: 2, batch: 1 }, do: { line: 'lost' } }],
  });
  const { summary, warnings } = await world.run();
  world.assertFaultsFired();
  const { cost } = summary;
  assert.ok(
    warnings.some((warning) =>
      /batch batch_\w+: the provider counts \d+ input tokens more and \d+ output tokens more than its files contain; calls without an answer/.test(
        warning,
      ),
    ),
    warnings.join('\n'),
  );
  assert.equal(billNanoUsd(world), cost.nanoUsd + cost.possiblyBilledNanoUsd);
  assert.equal(summary.attempts.unknown, 1);
});
