import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { lintStrictSchema } from '../src/input/job/strict-schema.ts';
import { readModelParams } from '../src/input/request/model-params.ts';
import { findParamDoubts } from '../src/input/request/param-doubts.ts';
import { checkStrictSchema } from '../src/simulator/answers/strict-schema.ts';
import { findModelRules, listModels } from '../src/simulator/model-rules.ts';
import { checkReasoning } from '../src/simulator/reasoning-rules.ts';
import { withSimulator } from './helpers/simulator-api.ts';
import { wideTest } from './helpers/wide.ts';

/** A schema of one field. */
const fieldOf = (x: unknown, more: object = {}) => ({
  type: 'object',
  properties: { x },
  required: ['x'],
  additionalProperties: false,
  ...more,
});
const LUNA_EFFORTS = "'none', 'low', 'medium', 'high', 'xhigh', and 'max'";

function chatOf(schema: unknown, model = 'gpt-4o-mini') {
  return { model, response_format: { type: 'json_schema', json_schema: { name: 'answer', strict: true, schema } } };
}

/** What a body adds to a plain one, and the error that answers it. */
const REFUSALS: readonly [endpoint: 'chat' | 'responses', body: object, message: string, param: string | null, code: string | null][] = [
  [
    ...(['chat', { model: 'gpt-6-luna', reasoning_effort: 'minimal' }] as const),
    `Unsupported value: 'reasoning_effort' does not support 'minimal' with this model. Supported values are: ${LUNA_EFFORTS}.`,
    ...(['reasoning_effort', 'unsupported_value'] as const),
  ],
  [
    ...(['responses', { model: 'gpt-5.1', reasoning: { effort: 'minimal' } }] as const),
    "Unsupported value: 'minimal' is not supported with the 'gpt-5.1' model. Supported values are: 'none', 'low', 'medium', and 'high'.",
    ...(['reasoning.effort', 'unsupported_value'] as const),
  ],
  ['chat', { reasoning_effort: 'low' }, 'Unrecognized request argument supplied: reasoning_effort', null, null],
  [
    ...(['responses', { reasoning: { effort: 'low' } }] as const),
    "Unsupported parameter: 'reasoning.effort' is not supported with this model.",
    ...(['reasoning.effort', 'unsupported_parameter'] as const),
  ],
  [
    ...(['chat', { model: 'gpt-5-mini', top_p: 0.5 }] as const),
    "Unsupported value: 'top_p' does not support 0.5 with this model. Only the default (1) value is supported.",
    ...(['top_p', 'unsupported_value'] as const),
  ],
  [
    ...(['responses', { model: 'gpt-6-luna', temperature: 0 }] as const),
    "Unsupported parameter: 'temperature' is not supported with this model.",
    ...(['temperature', 'unsupported_parameter'] as const),
  ],
  [
    ...(['chat', { model: 'gpt-5.6-luna', logprobs: true }] as const),
    "Unsupported parameter: 'logprobs' is not supported with this model.",
    ...(['logprobs', 'unsupported_parameter'] as const),
  ],
  [
    ...(['chat', chatOf(fieldOf({ type: 'string', pattern: '^(?!x)' }))] as const),
    'Invalid JSON schema: regex lookaround is not supported. Found at $.properties.x.pattern.',
    ...(['response_format', 'invalid_json_schema'] as const),
  ],
  [
    ...(['chat', chatOf(fieldOf({ $ref: '#/$defs/k', description: 'd' }, { $defs: { k: { type: 'string' } } }))] as const),
    "Invalid schema for response_format 'answer': context=('properties', 'x'), $ref cannot have keywords {'description'}.",
    ...(['response_format', null] as const),
  ],
  [
    ...(['chat', chatOf(fieldOf({ type: 'array', items: { type: 'string' }, uniqueItems: true }))] as const),
    "Invalid schema for response_format 'answer': In context=('properties', 'x'), 'uniqueItems' is not permitted.",
    ...(['response_format', null] as const),
  ],
  [
    ...(['chat', chatOf(fieldOf({ type: 'number', minimum: 0 }), 'ft:gpt-4.1-mini:acme::x')] as const),
    "Invalid schema for response_format 'answer': In context=('properties', 'x'), 'minimum' is not permitted.",
    ...(['response_format', null] as const),
  ],
  [
    ...([
      'responses',
      { text: { format: { type: 'json_schema', name: 'n', strict: true, schema: fieldOf({ description: 'd' }) } } },
    ] as const),
    "Invalid schema for response_format 'n': In context=('properties', 'x'), schema must have a 'type' key.",
    ...(['text.format', null] as const),
  ],
  [
    ...(['responses', { text: { format: { type: 'json_object' } } }] as const),
    "'input' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'.",
    ...(['input', null] as const),
  ],
];

/** Bodies that are taken, each close to one that is not. */
const TAKEN: readonly ['chat' | 'responses', object][] = [
  ['chat', { model: 'gpt-6-luna', reasoning_effort: 'none', temperature: 0, top_p: 0.5, logprobs: true }],
  ['responses', { model: 'gpt-5.1', temperature: 0 }],
  ['chat', { model: 'gpt-5.4-mini', temperature: 0 }],
  ['chat', { model: 'o3', temperature: 1, top_p: 1, logprobs: false }],
  ['chat', { temperature: 0, logprobs: true }],
  ['chat', chatOf(fieldOf({ type: 'string', minLength: 1, maxLength: 9 }))],
  ['chat', chatOf(fieldOf({ type: 'string', pattern: '^(?:a|[(?=]|\\(\\?=)+$' }))],
  ['chat', chatOf(fieldOf({ enum: ['a', 1] }))],
];

test("efforts, sampling and schemas are refused in the API's words, and accepted ones are answered", () =>
  withSimulator({}, async ({ request }) => {
    const ask = (endpoint: 'chat' | 'responses', body: object) =>
      endpoint === 'chat'
        ? request('POST', '/chat/completions', { model: 'gpt-4o-mini', messages: [{ role: 'user', content: 'Hello' }], ...body })
        : request('POST', '/responses', { model: 'gpt-4o-mini', input: 'Hello', ...body });
    for (const [endpoint, body, message, param, code] of REFUSALS) {
      const { status, json } = await ask(endpoint, body);
      assert.deepEqual([status, json.error], [400, { message, type: 'invalid_request_error', param, code }]);
    }
    for (const [endpoint, body] of TAKEN) assert.equal((await ask(endpoint, body)).status, 200, JSON.stringify(body));
    const { usage } = (await ask('chat', { model: 'gpt-5.1' })).json;
    assert.equal(usage.completion_tokens_details.reasoning_tokens, 0, 'it answers at once unless it is told to think');
  }));

test('the simulator and the table of models agree about every model', () => {
  let known = 0;
  for (const model of listModels()) {
    const params = readModelParams(model);
    const reasoning = findModelRules(model)?.reasoning ?? null;
    if (params === null) continue;
    known += 1;
    assert.deepEqual(reasoning?.efforts ?? [], params.efforts, model);
    if (params.defaultEffort !== null) assert.equal(reasoning?.defaultEffort, params.defaultEffort, model);
  }
  assert.ok(known > 40);
});

test('everything we call certain to be refused is refused by the simulator, in each combination of model, effort and parameter', () => {
  for (const model of listModels().filter((name) => findModelRules(name)?.kind === 'chat')) {
    const reasoning = findModelRules(model)?.reasoning ?? null;
    for (const effort of [undefined, 'none', 'minimal', 'low', 'max']) {
      for (const param of [{}, { temperature: 0 }, { temperature: 1 }, { top_p: 0.5 }, { logprobs: true }]) {
        const params = { ...(effort === undefined ? {} : { reasoning_effort: effort }), ...param };
        const doubts = findParamDoubts({ model, params, confidence: null });
        const isRefused = throws(() => checkReasoning(params, { isChat: true, model, reasoning }));
        const title = `${model} ${JSON.stringify(params)}`;
        if (doubts.some(({ isCertain }) => isCertain)) assert.ok(isRefused, title);
        // Of what is refused there was at least a doubt.
        if (isRefused) assert.ok(doubts.length > 0, title);
      }
    }
  }
});

/** Fields of every kind; each is refused by both or by none. */
const FIELDS: readonly unknown[] = [
  ...[
    { type: 'string' },
    { type: ['string', 'null'] },
    { enum: ['a'] },
    { const: 1 },
    { description: 'd' },
    {},
    { anyOf: [{ type: 'null' }] },
  ],
  ...['allOf', 'oneOf', 'not', 'if', 'prefixItems', 'default', 'examples', 'patternProperties', 'nullable', '$comment', '$id'].map(
    (key) => ({
      type: 'string',
      [key]: {},
    }),
  ),
  ...['minLength', 'maxLength', 'minimum', 'exclusiveMaximum', 'multipleOf', 'minItems'].map((key) => ({ type: 'string', [key]: 1 })),
  ...['(?=a)', '(?!a)', '(?<=a)', '(?<!a)', '(?:a)', '(?<n>a)', '[(?=]', '\\(?=a', '[\\]](?=a)', '[[](?!a)', '((a)(?=b))'].map(
    (pattern) => ({
      type: 'string',
      pattern,
    }),
  ),
  ...['date', 'uri', 'email'].map((format) => ({ type: 'string', format })),
  ...[
    { $ref: '#' },
    { $ref: '#', title: 't' },
    { $ref: '#', type: 'object' },
    { type: 'array' },
    { type: 'array', items: { type: 'null' } },
  ],
  ...[
    fieldOf({ type: 'string' }),
    fieldOf({ type: 'string' }, { required: [] }),
    fieldOf({ type: 'string' }, { additionalProperties: true }),
  ],
];

test('a schema is refused before it is sent exactly when the simulator refuses it', () => {
  let refused = 0;
  for (const field of FIELDS) {
    for (const schema of [fieldOf(field), fieldOf({ type: 'array', items: field }), fieldOf({ type: 'null' }, { $defs: { d: field } })]) {
      const isRefused = throws(() => checkStrictSchema(schema, { name: 'n', param: 'response_format', isFineTuned: false }));
      refused += Number(isRefused);
      assert.equal(lintStrictSchema(schema).length > 0, isRefused, JSON.stringify(schema));
    }
  }
  assert.ok(refused > 50 && refused < 3 * FIELDS.length);
});

wideTest('lookaround is found in the same valid patterns here and in the simulator', () => {
  const parts = fc.constantFrom(
    ...['(?=a)', '(?!a)', '(?<=a)', '(?<!a)', '(?=', '(?<!', '(?:a)', '(?<n>a)', '(a)', '(', ')', 'a', '|', '?', '='],
    ...['[', ']', '[^', '[(?=a)]', '\\[', '\\]', '\\(', '\\\\'],
  );
  let lookarounds = 0;
  let patterns = 0;
  const check = (pattern: string) => {
    if (throws(() => void new RegExp(pattern, 'u'))) return;
    const schema = fieldOf({ type: 'string', pattern });
    const isRefused = throws(() => checkStrictSchema(schema, { name: 'n', param: 'response_format', isFineTuned: false }));
    assert.equal(lintStrictSchema(schema).length > 0, isRefused, pattern);
    patterns += 1;
    lookarounds += Number(isRefused);
  };
  fc.assert(
    fc.property(fc.array(parts, { maxLength: 8 }), (some) => check(some.join(''))),
    { numRuns: 3_000, seed: 1 },
  );
  assert.ok(lookarounds > 20 && patterns - lookarounds > 200, `${lookarounds} of ${patterns}`);
});

function throws(act: () => void): boolean {
  try {
    act();
    return false;
  } catch {
    return true;
  }
}
