import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { OutputSpec } from '../src/core/job.ts';
import { compileCheckAnswer } from '../src/input/answer/check-answer.ts';
import { anyText } from './helpers/any-text.ts';

const SCHEMA = {
  type: 'object',
  required: ['sentiment', 'score'],
  properties: {
    sentiment: { enum: ['negative', 'neutral', 'positive'] },
    score: { type: 'number', minimum: -1, maximum: 1 },
    id: { type: 'string', pattern: '^[a-z]+$' },
  },
};
const output: OutputSpec = { type: 'json', format: 'json_object', schema: SCHEMA, columns: ['sentiment', 'score', 'id'] };
const check = compileCheckAnswer(output);

test('an answer that matches the schema is returned as parsed, with nothing added or converted', () => {
  assert.deepEqual(check('{"sentiment":"neutral","score":0}'), { ok: true, value: { sentiment: 'neutral', score: 0 } });
});

const INVALID: readonly [title: string, text: string, message: RegExp][] = [
  ['prose alone', 'Sure! It is neutral.', /^the answer is not JSON: /],
  ['two objects', '{"sentiment":"neutral","score":0} or {"sentiment":"negative","score":0}', /^the answer is not JSON: /],
  [
    'two code fences',
    '```json\n{"sentiment":"neutral","score":0}\n```\n```json\n{"sentiment":"negative","score":0}\n```',
    /^the answer is not JSON: /,
  ],
  ['another fence before it', '```\nneutral\n```\n{"sentiment":"neutral","score":0}', /^the answer is not JSON: /],
  ['a fence that does not end', '```json\n{"sentiment":"neutral","score":0}', /^the answer is not JSON: /],
  ['a list in prose', 'Here: [{"sentiment":"neutral","score":0}]', /^the answer is not JSON: /],
  ['a list before it', 'Of [1, 2] I take {"sentiment":"neutral","score":0}', /^the answer is not JSON: /],
  ['another value behind it', '{"sentiment":"neutral","score":0}, 7', /^the answer is not JSON: /],
  ['a brace too many', '{"sentiment":"neutral","score":0}}', /^the answer is not JSON: /],
  ['a wrong object in a fence', '```json\n{"sentiment":"neutral"}\n```', /^the answer lacks "score"$/],
  [
    'a key twice in prose',
    'Sure: {"sentiment":"neutral","score":0,"score":1}',
    /^the answer cannot be taken as it is: the key "score" occurs twice$/,
  ],
  ['a list', '[{"sentiment":"neutral","score":0}]', /^the answer is not a JSON object$/],
  ['NaN', '{"sentiment":"neutral","score":NaN}', /^the answer is not JSON: /],
  ['a cut answer', '{"sentiment":"neut', /^the answer is not JSON: /],
  ['a missing property', '{"sentiment":"neutral"}', /^the answer lacks "score"$/],
  [
    'a value outside of the set',
    '{"sentiment":"happy","score":0}',
    /^sentiment must be one of "negative", "neutral", "positive", not "happy"$/,
  ],
  ['a number in quotes', '{"sentiment":"neutral","score":"0"}', /^score must be number, but is "0"$/],
  ['a number out of range', '{"sentiment":"neutral","score":7}', /^score must be <= 1, but is 7$/],
  ['several at once', '{"sentiment":"x","score":7}', /^sentiment must be .*; score must be <= 1/],
];

for (const [title, text, message] of INVALID) {
  test(`an answer is invalid with a reason: ${title}`, () => {
    const checked = check(text);
    assert.ok(!checked.ok);
    assert.match(checked.message, message);
  });
}

const WRAPPED: readonly [text: string, note: string][] = [
  ['```json\n{"sentiment":"neutral","score":0}\n```', 'a code fence around the JSON was removed'],
  ['```\r\n{"sentiment":"neutral","score":0}\r\n```\n', 'a code fence around the JSON was removed'],
  ['Here you are:\n```JSON\n{"sentiment":"neutral","score":0}\n```', 'a code fence and text around the JSON was removed'],
  ['The JSON: {"sentiment":"neutral","score":0}', 'text around the JSON was removed'],
  ['Sure! Here is the answer you asked for:\n\n{"sentiment":"neutral","score":0}', 'text around the JSON was removed'],
  ['**Answer:**\n{"sentiment":"neutral","score":0}', 'text around the JSON was removed'],
  ['结果如下：{"sentiment":"neutral","score":0}', 'text around the JSON was removed'],
  ['\uFEFF{"sentiment":"neutral","score":0}', 'text around the JSON was removed'],
];

for (const [text, note] of WRAPPED) {
  test(`text around the one object is removed, with a note: ${JSON.stringify(text)}`, () => {
    assert.deepEqual(check(text), { ok: true, value: { sentiment: 'neutral', score: 0 }, note });
  });
}

const SAID: readonly string[] = [
  'Sure! {}',
  '{}\n\nI hope that helps.',
  'I cannot help with that. The format would be:\n```json\n{}\n```',
  'I cannot rate this, the format is: {}',
  'Sorry! The format is: {}',
  'I’m not able to say. For example: {}',
  'This review talks about shoes and a seam that broke, so that I would say this: {}',
  'First line\nSecond line: {}',
  '<think>It is neutral.</think>\n{}',
  'Either "neutral", or: {}',
  '5: {}',
  'null: {}',
  '```json\n{}\n```\nAnything else?',
];

test('an object next to a full sentence is not an answer: a refusal may quote it', () => {
  for (const said of SAID) {
    const text = said.replace('{}', '{"sentiment":"neutral","score":0}');
    const checked = check(text);
    assert.match(checked.ok ? 'ok' : checked.message, /^the answer is not JSON: /, text);
  }
});

test('an object is extracted unchanged from a fence or a lead-in, whatever it contains', () => {
  const checkObject = compileCheckAnswer({ type: 'json', format: 'json_object', schema: null, columns: [] });
  const leadIn = fc.constantFrom('', 'Here it is:\n', 'The answer: ');
  const text = fc.string().filter((characters) => !characters.includes('\u0000'));
  const value = fc.dictionary(text, fc.oneof(text, fc.integer(), fc.boolean(), fc.array(text)));
  fc.assert(
    fc.property(value, leadIn, fc.boolean(), (object, before, isFenced) => {
      const json = JSON.stringify(object);
      const answer = isFenced ? `${before}\n\`\`\`json\n${json}\n\`\`\`\n` : `${before}${json}`;
      const checked = checkObject(answer);
      assert.ok(checked.ok, answer);
      assert.equal(JSON.stringify(checked.value), json);
      assert.equal(checked.note === undefined, isJson(answer));
    }),
  );
});

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

test('a text answer is anything but blank', () => {
  const checkText = compileCheckAnswer({ type: 'text' });
  assert.deepEqual(checkText(' hi\n'), { ok: true, value: ' hi\n' });
  assert.equal(checkText(' \n').ok, false);
});

test('a text answer of a job with labels is exactly one of them, ignoring blanks around it', () => {
  const checkLabel = compileCheckAnswer({ type: 'text', labels: ['billing', 'feature request'] });
  for (const text of ['billing', ' billing\n', '\tbilling']) assert.deepEqual(checkLabel(text), { ok: true, value: 'billing' });
  assert.deepEqual(checkLabel('feature request'), { ok: true, value: 'feature request' });
  for (const text of ['Billing', 'billing.', '"billing"', '`billing`', 'bill ing', 'billing feature request', 'feature  request', '{}', ''])
    assert.deepEqual(checkLabel(text), {
      ok: false,
      message: `the answer must be one of "billing", "feature request", not ${JSON.stringify(text)}`,
    });
});

test('JSON mode without a schema accepts any object', () => {
  const checkObject = compileCheckAnswer({ type: 'json', format: 'json_object', schema: null, columns: [] });
  assert.deepEqual(checkObject('{"a":[1]}'), { ok: true, value: { a: [1] } });
  assert.equal(checkObject('null').ok, false);
});

test('no text makes the check throw, pollute or take long', () => {
  const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
  const recursive = compileCheckAnswer({
    type: 'json',
    format: 'json_object',
    schema: { properties: { a: { $ref: '#' } } },
    columns: ['a'],
  });
  assert.equal(recursive(`${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}`).ok, false);
  assert.equal(check(deep).ok, false);
  check('{"__proto__":{"polluted":1},"sentiment":"neutral","score":0}');
  assert.equal(({} as { polluted?: unknown }).polluted, undefined);
  fc.assert(fc.property(fc.oneof(anyText(), fc.json()), (text) => typeof check(text).ok === 'boolean'));
});
