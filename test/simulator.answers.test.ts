import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import type { SimulatorOptions } from '../src/simulator/options.ts';
import { type RawAnswer, withSimulator } from './helpers/simulator-api.ts';
import { runsOf } from './helpers/wide.ts';

type Ask = (body: Readonly<Record<string, unknown>>) => Promise<RawAnswer>;

/** Asks for chat completions of gpt-4o-mini, unless the body names another model. */
async function withChat(ask: (chat: Ask) => Promise<void>, options: SimulatorOptions = {}): Promise<void> {
  await withSimulator(options, ({ request }) =>
    ask((body) => request('POST', '/chat/completions', { model: 'gpt-4o-mini', messages: user('Hello'), ...body })),
  );
}

const user = (content: string) => [{ role: 'user', content }];
const strict = (schema: unknown, name = 'answer') => ({ type: 'json_schema', json_schema: { name, strict: true, schema } });
const contentOf = ({ json }: RawAnswer) => JSON.parse(json.choices[0].message.content);

/** `__proto__` is left out because ajv ignores a property of that name and then takes its value for an additional one. */
const names = fc.stringMatching(/^[a-z_]{1,12}$/).filter((name) => name !== '__proto__');

/** Schemas of the strict subset, nested at most three deep. */
const { schema: strictSchemas } = fc.letrec((tie) => ({
  schema: fc.oneof({ depthSize: 'small', maxDepth: 3 }, tie('leaf'), tie('object'), tie('array'), tie('nullable')),
  leaf: fc.oneof(
    fc.record({ type: fc.constant('string') }),
    fc.record({ type: fc.constant('string'), minLength: fc.nat({ max: 20 }), maxLength: fc.integer({ min: 20, max: 40 }) }),
    fc.record({ type: fc.constant('string'), format: fc.constantFrom('date-time', 'date', 'email', 'uuid', 'ipv4') }),
    fc.record({
      type: fc.constant('string'),
      pattern: fc.constantFrom('^[A-Z]{3}-\\d{4}$', '^(yes|no)$', '^#[0-9a-f]{6}$', '^\\+?[0-9 ]{5,}$'),
    }),
    fc.record({ type: fc.constant('boolean') }),
    fc.record({ type: fc.constant('integer'), minimum: fc.integer({ min: -5, max: 0 }), maximum: fc.integer({ min: 1, max: 9 }) }),
    fc.record({
      type: fc.constant('number'),
      exclusiveMinimum: fc.integer({ min: -3, max: 0 }),
      exclusiveMaximum: fc.integer({ min: 1, max: 3 }),
    }),
    fc.record({ type: fc.constant('number'), multipleOf: fc.constantFrom(0.5, 2), minimum: fc.constant(-4), maximum: fc.constant(4) }),
    fc.record({ enum: fc.uniqueArray(fc.oneof(fc.string(), fc.integer()), { minLength: 1, maxLength: 5 }) }),
    fc.record({ const: fc.constantFrom('fixed', 7, true) }),
  ),
  nullable: tie('leaf').map((leaf) => ({ anyOf: [leaf, { type: 'null' }] })),
  array: fc.record({
    type: fc.constant('array'),
    items: tie('schema'),
    minItems: fc.nat({ max: 2 }),
    maxItems: fc.integer({ min: 2, max: 3 }),
  }),
  object: fc
    .dictionary(names, tie('schema'), { maxKeys: 4 })
    .map((properties) => ({ type: 'object', properties, required: Object.keys(properties), additionalProperties: false })),
}));

test('an answer, the best or another, satisfies any requested schema of the strict subset', () =>
  withChat(
    async (chat) => {
      const ajv = new Ajv2020({ strict: false, validateFormats: false });
      const sentences = fc.string({ unit: 'grapheme', maxLength: 60 });
      await fc.assert(
        fc.asyncProperty(strictSchemas, sentences, async (schema, text) => {
          const root = { type: 'object', properties: { value: schema }, required: ['value'], additionalProperties: false };
          const answer = await chat({ messages: user(text), response_format: strict(root) });
          assert.equal(answer.status, 200, answer.text);
          const validate = ajv.compile(root);
          assert.ok(validate(contentOf(answer)), `${answer.json.choices[0].message.content} ${ajv.errorsText(validate.errors)}`);
        }),
        { numRuns: runsOf(75) },
      );
    },
    { answers: 'lifelike', degrade: 0.5 },
  ));

test('a recursive schema with references is answered, and the answer ends', () =>
  withChat(async (chat) => {
    const node = {
      type: 'object',
      properties: {
        name: { type: 'string' },
        children: { type: 'array', items: { $ref: '#/$defs/node' } },
        next: { anyOf: [{ $ref: '#/$defs/node' }, { type: 'null' }] },
      },
      required: ['name', 'children', 'next'],
      additionalProperties: false,
    };
    const schema = {
      type: 'object',
      properties: { root: { $ref: '#/$defs/node' } },
      required: ['root'],
      additionalProperties: false,
      $defs: { node },
    };
    const answer = contentOf(await chat({ response_format: strict(schema) }));
    assert.ok(new Ajv2020({ strict: false }).compile(schema)(answer));
  }));

test('an enum value is chosen by the words of the row and the descriptions in the instructions', () =>
  withChat(async (chat) => {
    const labels = ['billing', 'bug', 'feature', 'other'];
    const schema = { type: 'object', properties: { label: { enum: labels } }, required: ['label'], additionalProperties: false };
    const instructions =
      'Labels:\n- billing: charges, invoices, refunds\n- bug: something is broken\n- feature: asks for something new\n- other: none of the above';
    const rows = {
      'Please refund the second invoice': 'billing',
      'The export is broken since Monday': 'bug',
      'This is a bug': 'bug',
      'Grüße aus Köln': 'other',
    };
    for (const [row, expected] of Object.entries(rows)) {
      const messages = [{ role: 'system', content: instructions }, ...user(row)];
      assert.equal(contentOf(await chat({ messages, response_format: strict(schema) })).label, expected, row);
    }
  }));

test('in JSON mode the quoted names of the prompt become keys with fitting values', () =>
  withChat(async (chat) => {
    const prompt = (text: string) => user(`Rate the sentiment of this review. Reply in JSON with "sentiment" and "score".\n${text}`);
    const answer = async (text: string) => contentOf(await chat({ messages: prompt(text), response_format: { type: 'json_object' } }));
    const good = await answer('Great shoes, I love them');
    assert.equal(good.sentiment, 'positive');
    assert.ok(good.score > 0 && good.score <= 1);
    assert.equal((await answer('Terrible quality, it broke')).sentiment, 'negative');
    const system = {
      role: 'system',
      content: 'Answer in JSON: {"label": string, "summary": "short"}\n- spam: adverts\n- ham: mail from people',
    };
    const labelled = contentOf(await chat({ messages: [system, ...user('Adverts again')], response_format: { type: 'json_object' } }));
    assert.deepEqual(labelled, { label: 'spam', summary: 'Adverts again' });
  }));

test('the same request gets the same answer, another seed may give another', async () => {
  const schema = { type: 'object', properties: { score: { type: 'number' } }, required: ['score'], additionalProperties: false };
  const ask = async (seed: number) => {
    const values: unknown[] = [];
    await withSimulator({ seed }, async ({ request }) => {
      const body = {
        model: 'gpt-4o-mini',
        messages: user('Hello'),
        response_format: strict({ ...schema, properties: { x: { type: 'number' } }, required: ['x'] }),
      };
      for (let call = 0; call < 2; call += 1) {
        const { json } = await request('POST', '/chat/completions', body);
        values.push([json.id, json.choices, json.usage]);
      }
    });
    assert.deepEqual(values[0], values[1]);
    return values[0];
  };
  assert.deepEqual(await ask(1), await ask(1));
  assert.notDeepEqual(await ask(1), await ask(2));
});

test('a cap below the answer ends it with finish_reason length and bills the cap', () =>
  withChat(async (chat) => {
    const messages = user('One two three four five six seven eight nine ten eleven twelve');
    const [whole] = (await chat({ messages })).json.choices;
    const cut = (await chat({ messages, max_completion_tokens: 3 })).json;
    assert.equal(whole.finish_reason, 'stop');
    assert.equal(cut.choices[0].finish_reason, 'length');
    assert.equal(cut.usage.completion_tokens, 3);
    assert.ok(whole.message.content.startsWith(cut.choices[0].message.content));
    assert.ok(cut.choices[0].message.content.length < whole.message.content.length);
  }));

test('a reasoning model spends reasoning tokens inside its cap, and gives way to the answer', () =>
  withChat(async (chat) => {
    const free = (await chat({ model: 'gpt-5-mini' })).json;
    assert.equal(free.usage.completion_tokens_details.reasoning_tokens, 64);
    const capped = (await chat({ model: 'gpt-5-mini', max_completion_tokens: 20 })).json;
    assert.equal(capped.choices[0].finish_reason, 'stop');
    assert.equal(capped.usage.completion_tokens, 20);
    const tiny = (await chat({ model: 'gpt-5-mini', messages: user('one two three four five'), max_completion_tokens: 2 })).json;
    assert.deepEqual([tiny.choices[0].finish_reason, tiny.choices[0].message.content], ['length', '']);
    assert.equal(tiny.usage.completion_tokens_details.reasoning_tokens, 2);
    assert.equal(
      (await chat({ model: 'gpt-5-mini', reasoning_effort: 'minimal' })).json.usage.completion_tokens_details.reasoning_tokens,
      0,
    );
  }));

test('a long constant prefix is reported as cached for most rows, in steps of 128', () =>
  withChat(async (chat) => {
    const system = { role: 'system', content: 'Follow each of these rules carefully. '.repeat(300) };
    const seen = new Set<number>();
    for (let row = 0; row < 40; row += 1) {
      const { usage } = (await chat({ model: 'gpt-5.5', messages: [system, ...user(`Row ${row}`)] })).json;
      const { cached_tokens: cached, cache_write_tokens: written } = usage.prompt_tokens_details;
      assert.ok(cached % 128 === 0 && (cached === 0 || cached >= 1_024) && cached < usage.prompt_tokens && written === undefined);
      seen.add(cached);
    }
    assert.equal(seen.size, 2, 'some rows find the cache, some do not');
    assert.equal(
      (await chat({ messages: [{ role: 'system', content: 'Short.' }, ...user('x')] })).json.usage.prompt_tokens_details.cached_tokens,
      0,
    );
  }));

const REFUSED = [
  {
    title: 'JSON mode without the word json',
    body: { response_format: { type: 'json_object' } },
    error: {
      message: "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'.",
      param: 'messages',
      code: null,
    },
  },
  {
    title: 'max_tokens on a reasoning model',
    body: { model: 'gpt-6-luna', max_tokens: 50 },
    error: {
      message: "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
      param: 'max_tokens',
      code: 'unsupported_parameter',
    },
  },
  {
    title: 'a temperature on a reasoning model',
    body: { model: 'gpt-5', temperature: 0 },
    error: {
      message: "Unsupported value: 'temperature' does not support 0 with this model. Only the default (1) value is supported.",
      param: 'temperature',
      code: 'unsupported_value',
    },
  },
  {
    title: 'a misspelt parameter',
    body: { max_token: 5 },
    error: { message: "Unknown parameter: 'max_token'.", param: 'max_token', code: 'unknown_parameter' },
  },
  {
    title: 'a strict schema that leaves additionalProperties open',
    body: { response_format: strict({ type: 'object', properties: {}, required: [] }, 'open') },
    error: {
      message:
        "Invalid schema for response_format 'open': In context=(), 'additionalProperties' is required to be supplied and to be false.",
      param: 'response_format',
      code: null,
    },
  },
  {
    title: 'a strict schema with an optional property',
    body: {
      response_format: strict({
        type: 'object',
        additionalProperties: false,
        required: ['a'],
        properties: { a: { type: 'object', additionalProperties: false, required: [], properties: { b: { type: 'string' } } } },
      }),
    },
    error: {
      message:
        "Invalid schema for response_format 'answer': In context=('properties', 'a'), 'required' is required to be supplied and to be an array including every key in properties. Missing 'b'.",
      param: 'response_format',
      code: null,
    },
  },
  {
    title: 'a schema whose root is not an object',
    body: { response_format: strict({ type: 'array', items: { type: 'string' } }) },
    error: {
      message: `Invalid schema for response_format 'answer': In context=(), schema must be a JSON Schema of 'type: "object"', got 'type: "array"'.`,
      param: 'response_format',
      code: null,
    },
  },
];

for (const { title, body, error } of REFUSED) {
  test(`${title} is refused with the API's text`, () =>
    withChat(async (chat) => {
      const { status, json } = await chat(body);
      assert.equal(status, 400);
      assert.deepEqual(json.error, { type: 'invalid_request_error', ...error });
    }));
}

test('a prompt longer than the context is refused, and in a batch its row alone', () =>
  withSimulator({}, async ({ request, submit, finish, readLines, simulator }) => {
    const long = { model: 'gpt-4', messages: user('word '.repeat(9_000)) };
    const live = await request('POST', '/chat/completions', long);
    assert.deepEqual([live.status, live.json.error.code, live.json.error.param], [400, 'context_length_exceeded', 'messages']);
    const line = (customId: string, body: unknown) => ({ custom_id: customId, method: 'POST', url: '/v1/chat/completions', body });
    const batch = await finish(await submit([line('long', long), line('short', { model: 'gpt-4', messages: user('Hello') })]));
    assert.deepEqual(batch.request_counts, { total: 2, completed: 1, failed: 1 });
    const [refused] = await readLines(batch.error_file_id);
    assert.deepEqual([refused.custom_id, refused.error, refused.response.status_code], ['long', null, 400]);
    assert.equal(refused.response.body.error.code, 'context_length_exceeded');
    assert.deepEqual(
      simulator.bill().map(({ customId }) => customId),
      ['short'],
    );
  }));

test('Responses bodies carry instructions, schema and cap in their own words', () =>
  withSimulator({}, async ({ request }) => {
    const schema = { type: 'object', properties: { urgent: { type: 'boolean' } }, required: ['urgent'], additionalProperties: false };
    const format = { type: 'json_schema', name: 'ticket', strict: true, schema };
    const ask = (body: Record<string, unknown>) =>
      request('POST', '/responses', { model: 'gpt-4.1-mini', input: 'It is urgent', text: { format }, ...body });
    const { json } = await ask({ instructions: 'Judge the ticket.' });
    assert.deepEqual(JSON.parse(json.output[0].content[0].text), { urgent: true });
    assert.equal('output_text' in json, false);
    assert.equal(json.usage.total_tokens, json.usage.input_tokens + json.usage.output_tokens);
    assert.equal((await ask({ max_output_tokens: 5 })).json.error.code, 'integer_below_min_value');
    const cut = await ask({ max_output_tokens: 16, text: { format: { type: 'text' } }, input: 'understand '.repeat(30) });
    assert.deepEqual([cut.json.status, cut.json.incomplete_details], ['incomplete', { reason: 'max_output_tokens' }]);
  }));
