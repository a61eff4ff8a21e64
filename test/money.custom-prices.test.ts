import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { test } from 'node:test';
import type { CustomPrice } from '../src/core/custom-price.ts';
import { loadPrices } from '../src/input/job/load-prices.ts';
import { makeCostOf } from '../src/money/cost.ts';
import { createFindPrice } from '../src/money/price.ts';
import { runInProcess } from './helpers/run-in-process.ts';
import { makeWorld } from './helpers/run-world.ts';
import { wideTest } from './helpers/wide.ts';

async function withPrices<T>(text: string, use: (directory: string) => Promise<T>): Promise<T> {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'rowmill-'));
  try {
    fs.writeFileSync(path.join(directory, 'prices.yaml'), text);
    return await use(directory);
  } finally {
    fs.rmSync(directory, { recursive: true, force: true });
  }
}

const read = (text: string): Promise<readonly CustomPrice[]> => withPrices(text, (directory) => loadPrices(directory, directory));

/** Nano-dollars of 1,000 input tokens, 400 of them cached, and 100 output tokens. */
function costWith(own: readonly CustomPrice[], model: string, tier: string, day: string, inputTokens = 1000): number | null {
  const costOf = makeCostOf({ findPrice: createFindPrice(own) });
  const usage = { inputTokens, cachedInputTokens: 400, cacheWriteTokens: 0, outputTokens: 100, reasoningTokens: 0 };
  const lane = tier === 'batch' ? 'batch' : 'live';
  return costOf({ isBilled: true, model, lane, tier: tier === 'batch' ? null : tier, createdSeconds: Date.parse(day) / 1000, usage });
}

test('a custom price takes precedence over every other from its first day on, and leaves open what it does not set', async () => {
  const own = await read(`
prices:
  - { model: gpt-4o-mini, from: 2026-01-01, to: 2027-01-01, input: 0.1, cached_input: 0.02, output: 0.4, source: our contract }
  - { model: my-deployment, like: gpt-4o }
  - model: "llama-*"
    input: 0.2
    output: 0.3
    batch: none
    priority: { input: 1, cached_input: 0.5, output: 2 }
    long_context: { over_tokens: 5000, input_factor: 3, output_factor: 2 }
`);
  const day = '2026-11-21';
  assert.equal(costWith(own, 'gpt-4o-mini-2024-07-18', 'default', day), 600 * 100 + 400 * 20 + 100 * 400);
  assert.equal(costWith(own, 'gpt-4o-mini', 'batch', day), (1000 * 100 + 100 * 400) / 2, 'a cached batch rate is not sold for this model');
  assert.equal(costWith(own, 'gpt-4o-mini', 'default', '2025-06-01'), 600 * 150 + 400 * 75 + 100 * 600, 'before its first day');
  assert.equal(costWith(own, 'gpt-4o-mini', 'default', '2027-01-01'), 600 * 150 + 400 * 75 + 100 * 600, 'after its last day');
  assert.equal(costWith(own, 'My-Deployment', 'batch', day), costWith([], 'gpt-4o', 'batch', day));
  assert.equal(costWith(own, 'llama-70b', 'default', day), 1000 * 200 + 100 * 300);
  assert.equal(costWith(own, 'llama-70b', 'batch', day), null, 'not sold');
  assert.equal(costWith(own, 'llama-70b', 'flex', day), null, 'not known');
  assert.equal(costWith(own, 'llama-70b', 'priority', day), 600 * 1000 + 400 * 500 + 100 * 2000);
  assert.equal(costWith(own, 'llama-70b', 'default', day, 5001), 5001 * 600 + 100 * 600);
  assert.equal(costWith(own, 'llama-70b', 'priority', day, 5001), 4601 * 3000 + 400 * 1500 + 100 * 4000);
});

test('a custom price keeps the long-context rule of its model unless it sets its own', async () => {
  const own = await read(
    'prices:\n  - { model: gpt-5.5, input: 4, output: 20 }\n  - { model: gpt-5.4, input: 2, output: 10, long_context: none }',
  );
  const at = '2026-11-21';
  const longOf = (model: string) => createFindPrice(own)(model, { lane: 'live', tier: null, at })?.longContext;
  assert.equal(longOf('gpt-5.5')?.rates?.inputPicoUsd, 8_000_000);
  assert.equal(longOf('gpt-5.5')?.rates?.outputPicoUsd, 30_000_000);
  assert.equal(longOf('gpt-5.4'), null);
  assert.match(createFindPrice(own)('gpt-5.4', { lane: 'live', tier: null, at })?.source ?? '', /prices\.yaml/);
});

test('every problem of prices.yaml is reported with its place, unknown keys with a suggestion', async () => {
  const problemsOf = (text: string) =>
    read(text).then(
      () => [],
      (error: Error) => error.message.split('\n'),
    );
  assert.deepEqual(
    await problemsOf(`prices:
  - { modl: x, input: "1" }
  - { model: a*b, like: x, output: 3, from: 2026-02-30, to: 2025-01-01 }
  - { model: q, input: 1, output: 2, batch: { input: 1, ouput: 3 }, flex: no }
pricez: 3
`),
    [
      'prices.yaml:2:5  prices[0].model: missing',
      'prices.yaml:2:5  prices[0].output: missing (or name a model to price it like)',
      'prices.yaml:2:7  prices[0].modl: unknown key. Did you mean "model"?',
      'prices.yaml:2:16  prices[0].input: must be a number, not "1"',
      'prices.yaml:3:7  prices[1].model: a * is allowed only at its end',
      'prices.yaml:3:28  prices[1].output: cannot be combined with like; use one of them',
      'prices.yaml:3:39  prices[1].from: must be a day like 2026-11-22, not 2026-02-30',
      'prices.yaml:3:57  prices[1].to: must be later than the first day',
      'prices.yaml:4:38  prices[2].batch.output: missing',
      'prices.yaml:4:57  prices[2].batch.ouput: unknown key. Did you mean "output"?',
      'prices.yaml:4:69  prices[2].flex: "no" is not allowed here; it must match ^none$',
      'prices.yaml:5:1  pricez: unknown key. Did you mean "prices"?',
    ],
  );
  assert.deepEqual(await problemsOf('- a'), ['prices.yaml:1:1  must be a map with the key prices']);
  assert.deepEqual(await problemsOf('prices: [-1]'), ['prices.yaml:1:10  prices[0]: must be a map, not -1']);
  assert.equal((await problemsOf('prices: ['))[0]?.startsWith('prices.yaml:1:'), true);
  assert.deepEqual(await read(''), []);
});

test('prices shows what is used and why, for one model or for all, on any day', async () => {
  const prices = 'prices:\n  - { model: my-deployment, like: gpt-4o-mini, source: hosting }\n';
  await withPrices(prices, async (cwd) => {
    const ask = async (...args: string[]) => runInProcess(['prices', ...args], { cwd, env: { PATH: process.env.PATH ?? '' } });
    const all = JSON.parse((await ask('--json')).stdout);
    assert.deepEqual([all.schema, all.customPrices, all.models[0].model], ['rowmill.prices/1', 1, 'my-deployment']);
    const names = new Set(all.models.map(({ model }: { model: string }) => model));
    for (const name of ['gpt-6.1-sol', 'gpt-5.6-luna', 'gpt-4o-mini', 'gpt-4-32k', 'o4-mini', 'text-embedding-3-large'])
      assert.ok(names.has(name), name);

    const launch = JSON.parse((await ask('gpt-4o', '--price-as-of', '2024-06-01', '--json')).stdout).models[0];
    assert.deepEqual(launch.tiers.standard.usdPerMillion, { input: 5, cached: 5, write: 5, output: 15 });
    assert.equal(launch.tiers.flex, null);
    assert.deepEqual(
      launch.changes.map(({ from }: { from: string }) => from),
      ['2024-10-02'],
    );
    assert.match(launch.source, /at launch/);

    const text = (await ask('gpt-5.6-luna', '--price-as-of', '2026-08-01')).stdout;
    for (const part of [/since 2026-07-30/, /over 271,999 tokens +0\.4/, /genai-prices/, /batch +0\.1/]) assert.match(text, part);
    assert.match((await ask('my-deployment')).stdout, /hosting \(prices\.yaml\), as gpt-4o-mini/);

    const unknown = await ask('gpt-4oo');
    assert.equal(unknown.exitCode, 2);
    assert.match(unknown.stderr, /no price is known for gpt-4oo.*Did you mean "gpt-4o"\?[\s\S]*prices\.yaml/);
    for (const day of ['2026-02-30', 'yesterday', '2026-1-1', '2026-11-22T00:00:00Z']) {
      assert.equal((await ask('gpt-4o', '--price-as-of', day)).exitCode, 2, day);
    }
  });
});

wideTest('a run uses the prices.yaml next to its job, and a report the prices of any day', async (t) => {
  const world = await makeWorld(t, { job: 'model: o3\nparams: { max_output_tokens: 4000 }' });
  const { summary } = await world.run();
  const { input, output } = summary.tokens;
  assert.equal(summary.cost.nanoUsd, input * 1000 + output * 4000);
  const env = { PATH: process.env.PATH ?? '' };
  const report = async (...args: string[]) =>
    JSON.parse((await runInProcess(['report', 'job.yaml', '--json', ...args], { cwd: world.directory, env })).stdout);
  assert.equal((await report()).cost.nanoUsd, summary.cost.nanoUsd);
  const launch = await report('--price-as-of', '2025-06-01');
  assert.deepEqual(
    [launch.cost.nanoUsd, launch.cost.rowsNanoUsd, launch.cost.orphanedNanoUsd, launch.cost.pricesAsOf],
    [input * 5000 + output * 20_000, input * 5000 + output * 20_000, 0, '2025-06-01'],
  );
  assert.deepEqual(launch.rows, summary.rows);
  world.write('prices.yaml', 'prices:\n  - { model: o3, input: 1, output: 2 }\n');
  const own = await report('--price-as-of', '2026-11-22');
  assert.equal(own.cost.nanoUsd, input * 500 + output * 1000);
  const verified = await runInProcess(['verify', 'job.yaml'], { cwd: world.directory, env });
  assert.equal(verified.exitCode, 0, verified.stdout);
  assert.match(verified.stdout, /prices\.yaml has changed/);
});

test('a model without a price runs without a budget, with a warning, counted as unpriced and never shown as free', async (t) => {
  const job = 'model: ft:gpt-5.4-mini:acme::x';
  const world = await makeWorld(t, { job });
  const { summary } = await world.run();
  assert.deepEqual([summary.exitCode, summary.cost.nanoUsd, summary.cost.unpricedAttempts], [0, 0, 12]);
});
