import assert from 'node:assert/strict';
import { test } from 'node:test';
import { boundAnswerBytes, readAllowed } from '../src/core/bounds/answer-size.ts';
import { clip } from '../src/core/bounds/clip.ts';
import { isBeyondBounds } from '../src/core/bounds/json-size.ts';
import { decideOutcome, readResponseLine } from '../src/core/response-line.ts';
import { readUsage } from '../src/core/usage.ts';
import { compileCheckAnswer } from '../src/input/answer/check-answer.ts';

const decide = (response: object | null, error: unknown = null) => decideText(JSON.stringify({ id: 'l', custom_id: 'k', response, error }));
const decideText = (line: string) => {
  const reading = readResponseLine(line);
  assert.equal(reading.status, 'line');
  return reading.status === 'line' ? decideOutcome(reading.line, compileCheckAnswer({ type: 'text' })) : assert.fail();
};
const long = 'w'.repeat(1 << 20);
const nested = `${'['.repeat(1_900)}${']'.repeat(1_900)}`;
const said = (change: object) => ({
  status_code: 200,
  body: { choices: [{ message: { content: 'hi', ...change }, finish_reason: 'stop' }] },
});

const checkBy = (schema: Readonly<Record<string, unknown>>) =>
  compileCheckAnswer({ type: 'json', format: 'json_object', schema, columns: [] });

const spoken: readonly (readonly [string, () => ReturnType<typeof decide>])[] = [
  ['an error', () => decide(null, { message: long, code: long })],
  ['an error that is a text', () => decide(null, long)],
  ['an error that is a list', () => decide(null, [long])],
  ['an error in the body', () => decide({ status_code: 500, body: { error: { message: long, code: long } } })],
  ['a refusal', () => decide(said({ refusal: long }))],
  ['a model and a tier', () => decide({ status_code: 200, body: { ...said({}).body, model: long, service_tier: long } })],
  ['a request id', () => decide({ ...said({}), request_id: long })],
];
for (const [what, judge] of spoken) {
  test(`${what} of a megabyte is kept short`, () => {
    const { message, code, model, tier } = judge();
    assert.ok(message.length <= 2_000, String(message.length));
    for (const name of [code, model, tier]) assert.ok((name ?? '').length <= 200);
  });
}

test('a deeply nested error is a failure of its row', () => {
  for (const error of [nested, `{"a":${nested}}`, `[[1],${nested}]`])
    assert.equal(decideText(`{"custom_id":"k","response":null,"error":${error}}`).status, 'server_error');
});

test('endless brackets are not a line', () => {
  for (const text of ['['.repeat(1 << 20), `{"custom_id":"k","a":${'{"a":'.repeat(1 << 18)}`, `[${'{},'.repeat(2_000_001)}{}]`])
    assert.equal(readResponseLine(text).status, 'malformed');
});

test('brackets within a string are not levels', () => {
  const text = JSON.stringify({ a: `${'['.repeat(100)}"\\` });
  assert.equal(isBeyondBounds(text, { levels: 2, values: 10 }), false);
  assert.equal(isBeyondBounds('[[[1]]]', { levels: 2, values: 10 }), true);
  assert.equal(isBeyondBounds('[1,2,3]', { levels: 2, values: 2 }), true);
});

for (const count of [2 ** 53, 1e300, -1, 1.5, '7', Number.MAX_SAFE_INTEGER]) {
  test(`a usage of ${count} tokens is unknown`, () => {
    assert.equal(readUsage({ prompt_tokens: count, completion_tokens: 1, total_tokens: Number(count) + 1 }), null);
  });
}

test('a text is never cut within a character', () => {
  assert.equal(clip('ab😀cd', 4), 'ab…');
  assert.equal(clip('ab😀cd', 5), 'ab😀…');
  assert.equal(clip('abcd', 4), 'abcd');
});

test('an answer may be as long as its request allows, plus what it echoes', () => {
  const bound = (body: object) => boundAnswerBytes(readAllowed(JSON.stringify(body)), { requests: 1, requestBytes: 1_000 });
  const capped = bound({ max_completion_tokens: 100 });
  assert.equal(capped, 64 * 1024 + 2_000 + 100 * 128);
  assert.equal(bound({ max_tokens: 100, n: 3 }), 64 * 1024 + 2_000 + 300 * 128);
  assert.equal(bound({ max_output_tokens: 100, messages: [{ content: '"max_output_tokens":999999999' }] }), capped);
  assert.equal(bound({}), 64 * 1024 + 2_000 + 4 * 2 ** 20);
  assert.ok(bound({ max_tokens: 100, logprobs: true }) > 10 * 100 * 128);
});

for (const schema of [{ $ref: '#' }, { allOf: [{ $ref: '#' }] }]) {
  test(`a schema without an end makes answers invalid: ${JSON.stringify(schema)}`, () => {
    const check = checkBy(schema);
    assert.deepEqual(check('{"a":1}'), { ok: false, message: 'the schema refers to itself without an end' });
  });
}

test('a schema that refers to itself accepts an answer of many levels', () => {
  const check = checkBy({ type: 'object', properties: { c: { $ref: '#' } }, additionalProperties: false });
  assert.equal(check(`${'{"c":'.repeat(900)}{}${'}'.repeat(900)}`).ok, true);
  assert.equal(check(`${'{"c":'.repeat(900)}{"d":1}${'}'.repeat(900)}`).ok, false);
});

const levels = (count: number) => `${'['.repeat(count)}${']'.repeat(count)}`;
const deep = levels(1_980);
for (const body of [
  `{"data":[{"embedding":${deep}},{"embedding":${deep}}]}`,
  `{"choices":[{"finish_reason":${deep},"message":{"content":"hi"}}]}`,
  `{"choices":[{"finish_reason":"stop","message":{"content":${deep}}}]}`,
  `{"choices":[{"finish_reason":"stop","message":{"content":[{"type":${deep},"text":${deep}}]}}]}`,
  `{"choices":[{"finish_reason":"stop","message":{"refusal":${deep},"content":"hi"}}]}`,
  `{"choices":[{"error":${deep}}]}`,
  `{"choices":${deep}}`,
  `{"output":${deep}}`,
  `{"output":[{"type":"message","status":${deep},"content":${deep}}],"status":${deep},"incomplete_details":${deep}}`,
  `{"error":${deep}}`,
  `{"error":{"message":${deep},"code":${deep},"param":${deep}}}`,
  `{"usage":${deep},"model":${deep},"created":${deep},"choices":[{"message":{"content":"hi"},"finish_reason":"stop","logprobs":${deep}}]}`,
  deep,
]) {
  test(`an answer nested as deeply as allowed is judged: ${body.replaceAll(deep, '[…]')}`, () => {
    for (const response of [`{"status_code":200,"body":${body}}`, `{"status_code":400,"body":${body}}`]) {
      const outcome = decideText(`{"custom_id":"k","response":${response},"error":null}`);
      assert.ok(outcome.message.length <= 2_000);
      assert.doesNotThrow(() => JSON.stringify(outcome));
    }
  });
}

test('a more deeply nested answer is not a line', () => {
  assert.equal(readResponseLine(`{"custom_id":"k","response":{"body":${levels(2_000)}}}`).status, 'malformed');
});
