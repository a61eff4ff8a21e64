import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CHEAPER_MODELS } from '../src/money/cheaper-model.ts';
import { modelLimits } from '../src/money/model-limits.ts';
import { findPrice } from '../src/money/price.ts';
import { findModelEnd, MODEL_ENDS, makeToldEnd } from '../src/openai/model-ends.ts';
import { readRemoteModel } from '../src/openai/wire.ts';

/** The day the table was made. */
const TODAY = '2026-11-29';

/** Dates of OpenAI's page of deprecations, and what is proposed for the same work. */
const ENDS: readonly (readonly [model: string, endsOn: string | null, successor: string | null])[] = [
  ['gpt-4-32k', '2025-06-06', 'gpt-6.1-terra'],
  ['gpt-4-turbo-preview', '2026-03-26', 'gpt-6.1-terra'],
  ['gpt-3.5-turbo', '2026-10-23', 'gpt-6-luna'],
  ['gpt-4', '2026-10-23', 'gpt-6.1-terra'],
  ['gpt-4.1-nano', '2026-10-23', 'gpt-6-luna'],
  ['gpt-4o-2024-05-13', '2026-10-23', 'gpt-6-luna'],
  ['o1', '2026-10-23', 'gpt-6.2-sol'],
  ['o4-mini', '2026-10-23', 'gpt-6.1-terra'],
  ['gpt-5', '2026-12-11', 'gpt-6.1-sol'],
  ['gpt-5-mini', '2026-12-11', 'gpt-6.1-terra'],
  ['gpt-5-nano', '2026-12-11', 'gpt-6-luna'],
  ['o3-pro', '2026-12-11', 'gpt-6.2-sol'],
  ['gpt-4o', '2027-01-14', 'gpt-6-luna'],
  ['GPT-4o-mini', '2027-01-14', 'gpt-6-luna'],
  ['gpt-4.1-2025-04-14', '2027-01-14', 'gpt-6-luna'],
  ['ft:gpt-4.1-mini-2025-04-14:acme::x1', '2027-01-14', 'gpt-6-luna'],
  ['ft:gpt-3.5-turbo-0613:acme::x1', null, null],
  ['gpt-5.1', '2027-04-01', 'gpt-6.1-sol'],
  ['gpt-5.6-luna', null, null],
  ['gpt-6-luna', null, null],
  ['gpt-4o-2099-01-01', null, null],
  ['llama3.2', null, null],
];

test('the table has the end and the successor of a model; a fine-tuned model ends with its base', () => {
  for (const [model, endsOn, successor] of ENDS) {
    const end = findModelEnd(model);
    assert.deepEqual([end?.endsOn ?? null, end?.successor ?? null], [endsOn, successor], model);
  }
});

test('each row of the table has a date, a source, and a successor that is sold and has no end', () => {
  const seen = new Set<string>();
  for (const { endsOn, models, successor, source } of MODEL_ENDS) {
    assert.equal(new Date(endsOn).toISOString().slice(0, 10), endsOn);
    assert.match(source, /20\d\d/);
    for (const model of models) assert.ok(!seen.has(model) && seen.add(model), `${model} stands there twice`);
    assert.ok(successor !== null && findPrice(successor, { lane: 'batch', tier: null, at: TODAY }) !== null, `${successor} has a price`);
    assert.notEqual(modelLimits(successor).maxOutputTokens, null);
  }
  for (const { successor } of MODEL_ENDS) assert.ok(!seen.has(successor as string), `${successor} ends itself`);
  for (const model of CHEAPER_MODELS) assert.ok(!seen.has(model), `${model} is proposed as cheaper, and ends`);
});

const TOLD: readonly (readonly [told: unknown, endsOn: string | null | undefined])[] = [
  ['2027-02-28', '2027-02-28'],
  ['2027-02-28T23:00:00-08:00', '2027-02-28'],
  [1803772800, '2027-02-28'],
  [null, null],
  ...[undefined, '', 'unknown', '2027-13-45', '0001-01-01T00:00:00Z', 0, -1, true, {}].map((told) => [told, undefined] as const),
];

test('a day is read in every form; an invalid day is ignored', () => {
  for (const [told, endsOn] of TOLD) assert.deepEqual(readRemoteModel({ id: 'm', shutdown_date: told }), { id: 'm', endsOn }, String(told));
});

test('what an address says about its model takes precedence over the table, even that no end is announced', () => {
  assert.deepEqual(makeToldEnd('gpt-4o', '2027-02-28'), {
    model: 'gpt-4o',
    endsOn: '2027-02-28',
    successor: 'gpt-6-luna',
    source: 'shutdown_date of /v1/models',
  });
  assert.equal(makeToldEnd('llama3.2', '2027-02-28')?.successor, null);
  assert.equal(makeToldEnd('gpt-4o', null), null);
});
