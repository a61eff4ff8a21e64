import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { CAUSES, type CheckAnswer, type Checked, decideNextStep, isIdle, type OutcomeStatus, usesAttempt } from '../src/core/outcome.ts';
import { decideOutcome, readResponseLine } from '../src/core/response-line.ts';
import { addUsage, NO_USAGE, readUsage } from '../src/core/usage.ts';
import { projectRoot } from './helpers/project-root.ts';

const checkJson: CheckAnswer = (text) => {
  try {
    return { ok: true, value: JSON.parse(text) };
  } catch {
    return { ok: false, message: 'not JSON' };
  }
};

function decide(line: unknown) {
  const reading = readResponseLine(typeof line === 'string' ? line : JSON.stringify(line));
  assert.equal(reading.status, 'line');
  return decideOutcome(reading.status === 'line' ? reading.line : assert.fail(), checkJson);
}

const usage = { prompt_tokens: 23, completion_tokens: 5, total_tokens: 28 };

/** A success line whose first choice is changed. */
function answer(choice: object, body: object = {}, line: object = {}) {
  const choices = [{ index: 0, message: { role: 'assistant', content: '{"label":"x"}', refusal: null }, finish_reason: 'stop', ...choice }];
  return {
    id: 'batch_req_1',
    custom_id: 'k',
    response: { status_code: 200, request_id: 'req_1', body: { model: 'gpt-4o-mini-2024-07-18', created: 1, choices, usage, ...body } },
    error: null,
    ...line,
  };
}

const message = (change: object) => ({ message: { role: 'assistant', content: null, refusal: null, ...change } });
const failedBody = (status: number, code: string | null = null) => ({
  id: 'b',
  custom_id: 'k',
  response: { status_code: status, request_id: 'r', body: { error: { message: 'why', type: 't', param: null, code } } },
  error: null,
});
const failedLine = (error: unknown) => ({ id: 'b', custom_id: 'k', response: null, error });

/** A line of POST /v1/responses. */
function response(change: object, content: readonly object[] = [{ type: 'output_text', text: '{"label":"x"}' }]) {
  const body = { object: 'response', status: 'completed', incomplete_details: null, error: null, created_at: 1, model: 'gpt-4o-mini' };
  const output = [{ type: 'reasoning' }, { type: 'message', content }];
  const billed = { input_tokens: 23, output_tokens: 5 };
  return answer({}, {}, { response: { status_code: 200, request_id: 'r', body: { ...body, output, usage: billed, ...change } } });
}

const incomplete = (reason: string | null) => ({ status: 'incomplete', incomplete_details: reason && { reason } });
const failedResponse = (code: string) => ({ status: 'failed', error: { code, message: 'x' }, output: [] });
const embedding = (...data: unknown[]) =>
  answer({}, {}, { response: { status_code: 200, request_id: 'r', body: { object: 'list', data, usage: { prompt_tokens: 7 } } } });

const LINES: readonly [title: string, line: unknown, outcome: OutcomeStatus, billed: boolean][] = [
  ['an answer', answer({}), 'ok', true],
  ['an answer of another version', answer({}, { usage: { input_tokens: 1, output_tokens: 1 } }), 'ok', true],
  ['an answer without usage', answer({}, { usage: undefined }), 'ok', true],
  ['a refusal', answer(message({ refusal: 'I cannot help with that' })), 'refused', true],
  ['a filtered answer', answer({ finish_reason: 'content_filter', ...message({ content: '{"la' }) }), 'filtered', true],
  ['a truncated answer, even if it is valid JSON', answer({ finish_reason: 'length' }), 'truncated', true],
  ['a refusal before truncation', answer({ finish_reason: 'length', ...message({ refusal: 'no' }) }), 'refused', true],
  ['a tool call', answer({ finish_reason: 'tool_calls', ...message({ tool_calls: [] }) }), 'invalid', true],
  ['an empty answer', answer(message({ content: '' })), 'invalid', true],
  ['no content', answer(message({})), 'invalid', true],
  ['no choices', answer({}, { choices: [] }), 'invalid', true],
  ['choices that are no list', answer({}, { choices: 'x' }), 'invalid', true],
  ['text that is not JSON', answer(message({ content: 'Sure!' })), 'invalid', true],
  ['a response', response({}), 'ok', true],
  [
    'a response whose first part was cut',
    response(
      {},
      ['{"la', '{"label":"x"}'].map((text) => ({ type: 'output_text', text })),
    ),
    'ok',
    true,
  ],
  [
    'a response in two parts',
    response(
      {},
      ['{"label"', ':"x"}'].map((text) => ({ type: 'output_text', text })),
    ),
    'ok',
    true,
  ],
  ['a response that refuses', response({}, [{ type: 'refusal', refusal: 'no' }]), 'refused', true],
  ['a response cut at its cap', response(incomplete('max_output_tokens')), 'truncated', true],
  ['a filtered response', response(incomplete('content_filter')), 'filtered', true],
  ['a response incomplete for no known reason', response(incomplete(null)), 'invalid', true],
  ['a response without text', response({ output: [] }), 'invalid', true],
  ['a response that calls a tool', response({ output: [{ type: 'function_call' }] }), 'invalid', true],
  ['a response that failed', response(failedResponse('server_error')), 'server_error', true],
  ['a response that failed on its prompt', response(failedResponse('invalid_prompt')), 'bad_request', true],
  ['a vector where a text was asked for', embedding({ index: 0, embedding: [0.5] }), 'invalid', true],
  ['a vector that is no list', embedding({ index: 0, embedding: 'AAAA' }), 'invalid', true],
  ['two vectors', embedding({ embedding: [1] }, { embedding: [2] }), 'invalid', true],
  ['a prompt that Azure filters', failedBody(400, 'content_filter'), 'filtered', false],
  ['400 in the body', failedBody(400, 'context_length_exceeded'), 'bad_request', false],
  ['404', failedBody(404), 'bad_request', false],
  ['422', failedBody(422), 'bad_request', false],
  ['408', failedBody(408), 'timeout', false],
  ['409', failedBody(409), 'server_error', false],
  ['429', failedBody(429, 'rate_limit_exceeded'), 'rate_limited', false],
  ['429 without money', failedBody(429, 'insufficient_quota'), 'rate_limited', false],
  ['500', failedBody(500), 'server_error', false],
  ['529', failedBody(529), 'server_error', false],
  [
    'a body with an error under status 200',
    answer({}, { error: { code: 'server_error', message: 'x' }, usage: undefined }),
    'server_error',
    false,
  ],
  [
    'status 0, lost inside the provider',
    { id: 'b', custom_id: 'k', response: { status_code: 0, request_id: '', body: {} }, error: null },
    'server_error',
    false,
  ],
  ['a null body', answer({}, {}, { response: { status_code: 200, request_id: 'r', body: null } }), 'unknown', false],
  ['expired', failedLine({ code: 'batch_expired', message: 'x' }), 'expired', false],
  ['cancelled', failedLine({ code: 'batch_cancelled', message: 'x' }), 'cancelled', false],
  ['an error of another code', failedLine({ code: 'server_error', message: 'x' }), 'server_error', false],
  [
    'an error that is plain text',
    { id: 'v', custom_id: 'k', response: { status_code: 400, request_id: 'x', body: null }, error: 'max_tokens must be positive' },
    'bad_request',
    false,
  ],
  ['neither response nor error', failedLine(null), 'unknown', false],
  ['an answer and an error on one line', answer({}, {}, { error: { code: 'server_error', message: 'x' } }), 'server_error', true],
];

for (const [title, line, outcome, billed] of LINES) {
  test(`${title} means ${outcome}, ${billed ? 'billed' : 'not billed'}`, () => {
    const decided = decide(line);
    assert.deepEqual([decided.status, decided.isBilled], [outcome, billed]);
    assert.equal(decided.status === 'ok', decided.message === '', 'a reason for everything that is not ok');
    assert.equal(decided.value === undefined, outcome !== 'ok');
  });
}

test('a vector is the answer if vectors were requested, and a response has its own time', () => {
  const takesVectors: CheckAnswer = Object.assign((): Checked => ({ ok: false, message: 'no vector' }), { takesVectors: true });
  const decideVector = (line: unknown) => {
    const reading = readResponseLine(JSON.stringify(line));
    return reading.status === 'line' ? decideOutcome(reading.line, takesVectors) : assert.fail();
  };
  const vector = decideVector(embedding({ index: 0, embedding: [0.5, -1] }));
  assert.deepEqual([vector.status, vector.value, vector.usage?.inputTokens, vector.createdSeconds], ['ok', [0.5, -1], 7, null]);
  assert.equal(decideVector(answer({})).status, 'invalid');
  assert.equal(decide(response({})).createdSeconds, 1);
});

test('the recorded lines are interpreted as their notes say', () => {
  const folder = path.join(projectRoot, 'fixtures', 'wire');
  const recorded = fs.readFileSync(path.join(folder, 'batch-output-lines.jsonl'), 'utf8').trimEnd().split('\n');
  const meanings = recorded.map((line) => decide(line));
  assert.deepEqual(
    meanings.map(({ status }) => status),
    ['ok', 'bad_request', 'expired', 'server_error', 'bad_request'],
  );
  assert.deepEqual(meanings[0]?.usage, { ...NO_USAGE, inputTokens: 23, outputTokens: 5 });
});

test('a broken line is malformed, whatever it contains, and reading never throws', () => {
  for (const line of ['', 'x', '[]', 'null', '"text"', '{}', '{"custom_id":1}', '{"custom_id":"k"}{"custom_id":"l"}', '{"custom_id":"k"'])
    assert.equal(readResponseLine(line).status, 'malformed', line);
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.json(),
        fc.jsonValue().map((value) => JSON.stringify({ custom_id: 'k', response: value, error: value })),
      ),
      (text) => {
        const reading = readResponseLine(text);
        if (reading.status === 'line') {
          const { status } = decideOutcome(reading.line, checkJson);
          assert.ok(status === 'ok' || CAUSES.includes(status));
        }
      },
    ),
  );
});

test('any damage to the body of an answer becomes an outcome, never an exception', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.constantFrom('choices', 'usage', 'model', 'error', 'created'), (value, field) => {
      const { status } = decide(answer({}, { [field]: value }));
      assert.ok(status === 'ok' || CAUSES.includes(status));
    }),
  );
});

test('usage is read in the form of every endpoint, subsets included', () => {
  assert.deepEqual(
    readUsage({
      prompt_tokens: 10,
      completion_tokens: 4,
      prompt_tokens_details: { cached_tokens: 3 },
      completion_tokens_details: { reasoning_tokens: 2 },
    }),
    {
      inputTokens: 10,
      cachedInputTokens: 3,
      cacheWriteTokens: 0,
      outputTokens: 4,
      reasoningTokens: 2,
    },
  );
  assert.deepEqual(
    readUsage({
      input_tokens: 10,
      output_tokens: 4,
      input_tokens_details: { cached_tokens: 1, cache_write_tokens: 2 },
      output_tokens_details: { reasoning_tokens: 4 },
    }),
    {
      inputTokens: 10,
      cachedInputTokens: 1,
      cacheWriteTokens: 2,
      outputTokens: 4,
      reasoningTokens: 4,
    },
  );
  assert.deepEqual(readUsage({ prompt_tokens: 7, total_tokens: 7 }), { ...NO_USAGE, inputTokens: 7 }, 'an embedding has no output');
  assert.deepEqual(readUsage({ prompt_tokens: 7, completion_tokens: 1, prompt_tokens_details: null }), {
    ...NO_USAGE,
    inputTokens: 7,
    outputTokens: 1,
  });
});

test('impossible usage is not usage', () => {
  const details = { cached_tokens: 11 };
  for (const value of [
    null,
    undefined,
    5,
    'x',
    {},
    { prompt_tokens: -1, completion_tokens: 0 },
    { prompt_tokens: 1.5, completion_tokens: 0 },
    { prompt_tokens: '1', completion_tokens: 0 },
    { prompt_tokens: 2 ** 53, completion_tokens: 0 },
    { prompt_tokens: 10, completion_tokens: 1, prompt_tokens_details: details },
    { prompt_tokens: 1, completion_tokens: 1, completion_tokens_details: { reasoning_tokens: 2 } },
  ])
    assert.equal(readUsage(value), null, JSON.stringify(value));
});

test('adding usages is adding each count', () => {
  const count = fc.nat(1_000_000);
  const usages = fc.record(
    { inputTokens: count, cachedInputTokens: count, cacheWriteTokens: count, outputTokens: count, reasoningTokens: count },
    { noNullPrototype: true },
  );
  fc.assert(
    fc.property(usages, usages, (a, b) => {
      assert.deepEqual(addUsage(a, b), addUsage(b, a));
      assert.deepEqual(addUsage(a, NO_USAGE), a);
    }),
  );
});

test('the next step after each outcome follows the table of outcomes, for every number of attempts and every policy', () => {
  fc.assert(
    fc.property(
      fc.constantFrom('ok' as const, ...CAUSES),
      fc.integer({ min: 1, max: 5 }),
      fc.integer({ min: 1, max: 4 }),
      fc.integer({ min: 1, max: 4 }),
      fc.boolean(),
      fc.constantFrom('retry' as const, 'hold' as const),
      (outcome, attempts, allowed, idleRounds, hasOutputCap, onUnknown) => {
        const step = decideNextStep({ outcome, attempts, idleRounds }, { attempts: allowed, onUnknown, hasOutputCap });
        if (outcome === 'ok') assert.equal(step, 'done');
        else if (['refused', 'filtered', 'bad_request'].includes(outcome)) assert.equal(step, 'failed');
        else if (outcome === 'rate_limited') assert.equal(step, 'again', 'no row fails for lack of rate');
        else if (isIdle(outcome)) assert.equal(step, idleRounds < 3 ? 'again' : 'failed');
        else if (attempts >= allowed) assert.equal(step, 'failed');
        else if (outcome === 'invalid') assert.equal(step, 'reask');
        else if (outcome === 'truncated') assert.equal(step, hasOutputCap ? 'reask' : 'failed');
        else if (outcome === 'unknown') assert.equal(step, onUnknown === 'retry' ? 'again' : 'failed');
        else assert.equal(step, 'again');
      },
    ),
  );
  assert.deepEqual(
    ['ok', ...CAUSES].filter((outcome) => !usesAttempt(outcome as OutcomeStatus)),
    ['rate_limited', 'expired', 'cancelled', 'missing', 'undelivered'],
  );
});
