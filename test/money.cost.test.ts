import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeCostOf } from '../src/money/cost.ts';
import { boundOutputTokens, estimateCost } from '../src/money/estimate-cost.ts';
import { modelLimits } from '../src/money/model-limits.ts';
import { findPrice } from '../src/money/price.ts';

type Attempt = Parameters<ReturnType<typeof makeCostOf>>[0];
type Counts = readonly [input: number, cached: number, written: number, output: number];

/** 2026-11-21 */
const TODAY_SECONDS = 1_795_262_400;

function attempt(
  model: string,
  [inputTokens, cachedInputTokens, cacheWriteTokens, outputTokens]: Counts,
  rest: Partial<Attempt> = {},
): Attempt {
  const usage = { inputTokens, cachedInputTokens, cacheWriteTokens, outputTokens, reasoningTokens: 0 };
  return { isBilled: true, model, lane: 'live', tier: null, createdSeconds: TODAY_SECONDS, usage, ...rest };
}

const costOf = makeCostOf();
const seconds = (day: string) => Date.parse(day) / 1000;

test('the worked examples of the money rules are reproduced to the nano-dollar', () => {
  const rows: readonly (readonly [Attempt, number])[] = [
    [attempt('gpt-4o-mini', [1200, 1024, 0, 80]), 151_200],
    [attempt('gpt-4o-mini', [1200, 1024, 0, 80], { lane: 'batch' }), 114_000],
    [attempt('gpt-5-mini', [1200, 1024, 0, 80], { lane: 'batch' }), 114_800],
    [attempt('gpt-5.6-luna', [2000, 0, 1536, 100]), 596_800],
    [attempt('gpt-5.5', [300_000, 0, 0, 1000]), 3_045_000_000],
    [attempt('gpt-5-mini', [50, 0, 0, 220]), 452_500],
  ];
  for (const [record, nanoUsd] of rows) assert.equal(costOf(record), nanoUsd, `${record.lane} ${record.model}`);
});

test('half a nano-dollar is rounded up, once, after the sum', () => {
  assert.equal(costOf(attempt('gpt-5-nano', [3, 1, 0, 7], { lane: 'batch' })), 1453);
  assert.equal(costOf(attempt('gpt-5-nano', [1, 1, 0, 0], { lane: 'batch' })), 3);
  assert.equal(costOf(attempt('gpt-5-nano', [2, 2, 0, 0], { lane: 'batch' })), 5);
});

test("the long-context price begins at the model's threshold", () => {
  const input = (model: string, tokens: number) => costOf(attempt(model, [tokens, 0, 0, 0]));
  for (const [model, rate] of [
    ['gpt-5.4', 2500],
    ['gpt-5.5', 5000],
    ['gpt-6-astra', 10_000],
  ] as const) {
    assert.equal(input(model, 271_999), 271_999 * rate);
    assert.equal(input(model, 272_000), 272_000 * rate * 2, model);
  }
  for (const [model, rate] of [
    ['gpt-6-sol', 2000],
    ['gpt-6-luna', 100],
    ['gpt-6.1-sol', 2000],
  ] as const) {
    assert.equal(input(model, 272_000), 272_000 * rate);
    assert.equal(input(model, 272_001), 272_001 * rate * 2, model);
  }
});

test('the day of the answer selects among dated prices, and a given day replaces all of them', () => {
  const million = (model: string, day: string, cached = 0) =>
    costOf(attempt(model, [1_000_000, cached, 0, 0], { createdSeconds: seconds(day) }));
  assert.equal(million('gpt-4o', '2024-10-01T23:59:59Z'), 5e9);
  assert.equal(million('gpt-4o', '2024-10-02'), 2.5e9);
  assert.equal(million('gpt-4o-2024-08-06', '2024-09-01'), 2.5e9);
  assert.equal(million('o3', '2025-06-09', 1_000_000), 2.5e9);
  assert.equal(million('o3', '2025-06-10', 1_000_000), 0.5e9);
  assert.equal(million('gpt-6.1-terra', '2026-10-25'), null);
  assert.equal(makeCostOf({ asOf: '2024-09-01' })(attempt('gpt-4o', [1_000_000, 0, 0, 0])), 5e9);
  const luna = (day: string) => costOf(attempt('gpt-5.6-luna', [1000, 0, 0, 0], { createdSeconds: seconds(day) }));
  assert.deepEqual([luna('2026-07-29'), luna('2026-07-30')], [1_000_000, 200_000]);
});

test('an answer without a date, or with an impossible one, has the price of the day the table was checked', () => {
  for (const createdSeconds of [null, -1e15, 1e15]) assert.equal(costOf(attempt('gpt-4o', [1000, 0, 0, 0], { createdSeconds })), 2_500_000);
});

test('unknown models and tiers have no price, and are never free', () => {
  for (const model of [
    'my-deployment',
    'openai/gpt-4o',
    'ft:gpt-5.4-mini:acme::x',
    'gpt-4o-audio-preview',
    'gpt-4o-mini-search-preview',
    '',
  ]) {
    assert.equal(costOf(attempt(model, [10, 0, 0, 10])), null, model);
  }
  for (const tier of ['auto', 'scale', 'turbo', 'flex']) assert.equal(costOf(attempt('gpt-4o', [10, 0, 0, 10], { tier })), null, tier);
  assert.equal(costOf(attempt('gpt-4o', [10, 0, 0, 10], { usage: null })), null);
  assert.equal(costOf({ ...attempt('gpt-4o', [10, 0, 0, 10]), model: null }), null);
  assert.equal(costOf(attempt('o1-pro', [Number.MAX_SAFE_INTEGER, 0, 0, 0])), null);
});

test('an attempt that was not billed costs nothing, even if nothing else is known', () => {
  assert.equal(costOf({ ...attempt('who', [0, 0, 0, 0]), isBilled: false, usage: null, model: null }), 0);
});

test('fast is priority, and no tier is the standard one', () => {
  assert.equal(costOf(attempt('gpt-4o', [1000, 0, 0, 0], { tier: 'fast' })), 4_250_000);
  assert.equal(costOf(attempt('gpt-4o', [1000, 0, 0, 0], { tier: 'default' })), costOf(attempt('gpt-4o', [1000, 0, 0, 0])));
});

test('a price says under which name, where and how reliably it was found', () => {
  const at = '2026-11-22T08:00:00Z';
  const dated = findPrice('gpt-4o-mini-2024-07-18', { lane: 'batch', tier: null, at });
  assert.deepEqual([dated?.pricedAs, dated?.tier, dated?.isAssumed, dated?.note], ['gpt-4o-mini', 'batch', false, '']);
  assert.match(dated?.source ?? '', /genai-prices 0\.1\.8/);
  assert.equal(findPrice('chatgpt-4o-latest', { lane: 'batch', tier: null, at })?.isAssumed, true);
  assert.match(findPrice('gpt-5.6-sol', { lane: 'live', tier: null, at })?.note ?? '', /promotional/);
  assert.equal(findPrice('gpt-5.6-sol', { lane: 'live', tier: null, at: '2026-11-21' })?.note, '');
});

test('limits are found by name, by snapshot and for fine-tuned models, and are null when unknown', () => {
  assert.deepEqual(modelLimits('gpt-4o-mini'), { contextTokens: 128_000, maxOutputTokens: 16_384 });
  assert.deepEqual(modelLimits('gpt-4o-2024-05-13'), { contextTokens: 128_000, maxOutputTokens: 4096 });
  assert.deepEqual(modelLimits('gpt-5-mini-2025-08-07'), { contextTokens: 400_000, maxOutputTokens: 128_000 });
  assert.deepEqual(modelLimits('ft:gpt-4o-mini-2024-07-18:acme::x'), modelLimits('gpt-4o-mini'));
  assert.deepEqual(modelLimits('llama-3'), { contextTokens: null, maxOutputTokens: null });
  assert.equal(boundOutputTokens('gpt-4o-mini', 60), 60);
  assert.equal(boundOutputTokens('gpt-4o-mini', null), 16_384);
  assert.equal(boundOutputTokens('gpt-3.5-turbo-16k', null), 16_385);
  assert.equal(boundOutputTokens('llama-3', null), null);
});

test('an estimate is between the best case and a bound that no usage exceeds', () => {
  const price = findPrice('gpt-5.6-luna', { lane: 'live', tier: null, at: '2026-11-21' });
  assert.ok(price !== null);
  const forecast = { inputTokens: 1500, sharedTokens: 1300, inputTokensAtMost: 6000, outputTokens: { low: 10, expected: 50, atMost: 100 } };
  const range = estimateCost(price, forecast);
  assert.deepEqual(range, {
    lowNanoUsd: 220 * 200 + 1280 * 20 + 10 * 1200,
    expectedNanoUsd: 1500 * 200 + 50 * 1200,
    worstNanoUsd: 6000 * 250 + 100 * 1200,
  });
  assert.equal(estimateCost(price, { ...forecast, sharedTokens: 1000 })?.lowNanoUsd, 1500 * 200 + 10 * 1200);
  assert.equal(costOf(attempt('gpt-5.6-luna', [6000, 0, 6000, 100])), range?.worstNanoUsd);
});
