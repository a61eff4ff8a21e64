import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { EFFORTS, isReasoningModel, readModelParams } from '../src/input/request/model-params.ts';
import { findParamDoubts } from '../src/input/request/param-doubts.ts';
import { projectRoot } from './helpers/project-root.ts';

const FROM_LOW = 'low medium high xhigh max';

/** Efforts by model, as the model pages give them (2026-11-29); `-`: no such parameter, `?`: nothing known. */
const KNOWN_EFFORTS: readonly [model: string, efforts: string][] = [
  ['gpt-6.2-astra', FROM_LOW],
  ['gpt-6.1-sol', FROM_LOW],
  ['gpt-6-luna', `none ${FROM_LOW}`],
  ['gpt-6.1-terra', `none ${FROM_LOW}`],
  ['gpt-5.6-luna', `none ${FROM_LOW}`],
  ['gpt-5.5', 'none low medium high xhigh'],
  ['gpt-5.4-pro', 'medium high xhigh'],
  ['gpt-5.1', 'none low medium high'],
  ['gpt-5.1-2025-11-13', 'none low medium high'],
  ['gpt-5-mini', 'minimal low medium high'],
  ['gpt-5-2025-08-07', 'minimal low medium high'],
  ['gpt-5-pro', 'high'],
  ['o3-mini-2025-01-31', 'low medium high'],
  ['ft:o4-mini-2025-04-16:acme::x', 'low medium high'],
  ['gpt-4o-mini', '-'],
  ['ft:gpt-4.1:acme::x', '-'],
  ['gpt-3.5-turbo-0125', '-'],
  ['gpt-5.2-chat-latest', '-'],
  ['chat-latest', '-'],
  ['gpt-7-nova', '?'],
  ['gpt-5.2-codex', '?'],
  ['gpt-oss-120b', '?'],
  ['qwen3-max', '?'],
];

test('a model accepts the efforts on its page; any other causes a warning that lists them, never a refusal, and an unknown model none', () => {
  for (const [model, efforts] of KNOWN_EFFORTS) {
    const known = readModelParams(model);
    assert.equal(known === null ? '?' : known.efforts.join(' ') || '-', efforts, model);
    for (const reasoning_effort of EFFORTS) {
      const doubts = findParamDoubts({ model, params: { reasoning_effort }, confidence: null });
      const isTaken = efforts === '?' || efforts.split(' ').includes(reasoning_effort);
      assert.equal(doubts.length, isTaken ? 0 : 1, `${model} ${reasoning_effort}`);
      const [doubt] = doubts;
      if (doubt === undefined) continue;
      assert.equal(doubt.isCertain, false);
      assert.deepEqual(doubt.path, ['params', 'reasoning_effort']);
      for (const value of known?.efforts ?? []) assert.ok(doubt.message.includes(value), doubt.message);
      if (efforts === '-') assert.match(doubt.message, /is not known to reason; leave it out$/);
    }
  }
});

type Verdict = 'taken' | 'doubted' | 'refused';

/** What becomes of a parameter, by model and effort. */
const SAMPLING: readonly [model: string, params: object, verdict: Verdict, says?: RegExp][] = [
  ['gpt-4o-mini', { temperature: 0, top_p: 0.5, logprobs: true, stop: 'x', max_output_tokens: 20 }, 'taken'],
  ['gpt-5.2-chat-latest', { temperature: 0 }, 'taken'],
  ['o3', { temperature: 1, top_p: 1 }, 'taken'],
  ['o3', { temperature: 0 }, 'refused', /^params\.temperature: o3 is a reasoning model and takes only the default, 1; leave it out$/],
  ['gpt-5-mini', { top_p: 0.5 }, 'refused', /^params\.top_p: .* leave it out$/],
  ['gpt-5-mini', { extra: { temperature: 0 } }, 'refused', /^params\.extra\.temperature: /],
  ['ft:o4-mini:acme::x', { temperature: 0 }, 'refused'],
  ['gpt-6-luna', { temperature: 0 }, 'refused', /leave it out, or set params\.reasoning_effort: none$/],
  ['gpt-6-luna', { temperature: 0, reasoning_effort: 'low' }, 'refused'],
  ['gpt-6-luna', { temperature: 0, reasoning_effort: 'none', logprobs: true, max_output_tokens: 20 }, 'taken'],
  // These answer at once unless they are told to think.
  ['gpt-5.1', { temperature: 0, max_output_tokens: 20 }, 'taken'],
  ['gpt-5.4-mini', { temperature: 0 }, 'taken'],
  ['gpt-5.4-mini', { temperature: 0, reasoning_effort: 'high' }, 'refused'],
  // Nobody says what its default is.
  ['gpt-5.5', { temperature: 0 }, 'doubted', /^params\.temperature: .*probably takes only the default/],
  // These always think.
  ['gpt-6-luna', { temperature: 0, extra: { reasoning: { effort: 'none' } } }, 'taken'],
  ['gpt-6-luna', { temperature: 0, extra: { reasoning: { effort: 'low' } } }, 'refused'],
  ['gpt-6-luna', { extra: { reasoning: { effort: 'minimal' } } }, 'doubted', /gpt-6-luna is not known to take minimal/],
  ['gpt-35-turbo', { temperature: 0, max_output_tokens: 20 }, 'taken'],
  ['gpt-6.1-sol', { temperature: 0 }, 'refused', /1; leave it out$/],
  ['gpt-6.1-sol', { temperature: 0, reasoning_effort: 'none' }, 'doubted', /probably/],
  // Known by its name only.
  ['gpt-7-nova', { temperature: 0 }, 'doubted', /probably/],
  ['gpt-7-nova', { temperature: 0, reasoning_effort: 'none' }, 'taken'],
  ['gpt-oss-120b', { temperature: 0, logprobs: true }, 'taken'],
  ['gpt-5-mini', { logprobs: true, stop: ['x'] }, 'doubted', /refuse logprobs, stop: leave it out/],
  ['gpt-6-luna', { logprobs: true }, 'doubted', /logprobs: leave it out, or set params\.reasoning_effort: none/],
  ['gpt-6-luna', { max_output_tokens: 999 }, 'doubted', /max_output_tokens 999 many answers will be cut short/],
  ['gpt-6-luna', { max_output_tokens: 1_000 }, 'taken'],
];

for (const [model, params, verdict, says = /./] of SAMPLING) {
  test(`${JSON.stringify(params)} is ${verdict} by ${model}`, () => {
    const doubts = findParamDoubts({ model, params: params as Record<string, unknown>, confidence: null });
    const found: Verdict = doubts.length === 0 ? 'taken' : doubts.some(({ isCertain }) => isCertain) ? 'refused' : 'doubted';
    assert.equal(found, verdict, JSON.stringify(doubts));
    if (verdict !== 'taken')
      assert.ok(
        doubts.some(({ message }) => says.test(message)),
        JSON.stringify(doubts),
      );
  });
}

test('confidence from log probabilities is warned about like the parameter itself', () => {
  assert.equal(findParamDoubts({ model: 'gpt-5-mini', params: {}, confidence: 'logprobs' }).length, 1);
  assert.equal(findParamDoubts({ model: 'gpt-4o', params: {}, confidence: 'logprobs' }).length, 0);
});

test('models that reason are distinguished from those that answer at once', () => {
  for (const model of ['o1', 'o4-mini', 'gpt-5', 'gpt-5.6-luna', 'gpt-6.2-sol', 'ft:o4-mini:acme::x', 'gpt-10'])
    assert.ok(isReasoningModel(model), model);
  for (const model of [
    'gpt-4o',
    'gpt-4.1-mini',
    'gpt-3.5-turbo',
    'gpt-35-turbo-16k',
    'gpt-5-chat-latest',
    'gpt-5.3-chat-latest',
    'chat-latest',
    'gpt-oss-20b',
    'llama-4',
  ])
    assert.ok(!isReasoningModel(model), model);
});

test('the page about parameters matches the table of models', () => {
  const page = readFileSync(join(projectRoot, 'docs', 'schemas.md'), 'utf8');
  const rows = [...page.matchAll(/^\| (gpt-\d[^|…]*|o1[^|]*) \| ([^|]*) \| ([^|]*) \|$/gm)];
  const told = rows.flatMap(([, models = '', efforts, byDefault = '']) =>
    models.split(', ').map((model) => [model, efforts, byDefault.trim()]),
  );
  assert.equal(told.length, 31);
  for (const [model = '', efforts, byDefault] of told) {
    const known = readModelParams(model);
    assert.deepEqual([known?.efforts.join(', '), known?.defaultEffort ?? 'not published'], [efforts, byDefault], model);
  }
});
