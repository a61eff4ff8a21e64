import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readOutput } from '../src/input/job/output-spec.ts';

const LABELS = ['bug', 'other'];

function schemaOf(output: unknown): unknown {
  const reading = readOutput(output, LABELS);
  assert.deepEqual(reading.problems, []);
  assert.ok(reading.output.type === 'json');
  return reading.output.schema;
}

function problemsOf(output: unknown): string {
  return readOutput(output, LABELS)
    .problems.map(({ message }) => message)
    .join('\n');
}

const FIELDS: readonly [word: unknown, schema: object][] = [
  ['string', { type: 'string' }],
  ['number', { type: 'number' }],
  ['integer', { type: 'integer' }],
  ['boolean', { type: 'boolean' }],
  ['number 0..1', { type: 'number', minimum: 0, maximum: 1 }],
  ['number -1..1', { type: 'number', minimum: -1, maximum: 1 }],
  ['number 0..', { type: 'number', minimum: 0 }],
  ['integer 1..5', { type: 'integer', minimum: 1, maximum: 5 }],
  ['string[]', { type: 'array', items: { type: 'string' } }],
  ['integer 1..5 []', { type: 'array', items: { type: 'integer', minimum: 1, maximum: 5 } }],
  ['label', { type: 'string', enum: ['bug', 'other'] }],
  ['label[]', { type: 'array', items: { type: 'string', enum: ['bug', 'other'] } }],
  ['a | b c | d', { type: 'string', enum: ['a', 'b c', 'd'] }],
  ['string?', { type: ['string', 'null'] }],
  ['a | b?', { type: ['string', 'null'], enum: ['a', 'b', null] }],
  ['string[]?', { type: ['array', 'null'], items: { type: 'string' } }],
  [
    { type: 'string', description: 'short' },
    { type: 'string', description: 'short' },
  ],
  [
    { type: 'label', description: 'one' },
    { type: 'string', enum: ['bug', 'other'], description: 'one' },
  ],
  [
    { type: 'array', items: { type: 'string' }, maxItems: 3 },
    { type: 'array', items: { type: 'string' }, maxItems: 3 },
  ],
  [
    { x: 'string', y: 'number?' },
    {
      type: 'object',
      properties: { x: { type: 'string' }, y: { type: ['number', 'null'] } },
      required: ['x', 'y'],
      additionalProperties: false,
    },
  ],
];

for (const [word, field] of FIELDS) {
  test(`the shorthand ${JSON.stringify(word)} expands to a strict schema`, () => {
    assert.deepEqual(schemaOf({ f: word }), { type: 'object', properties: { f: field }, required: ['f'], additionalProperties: false });
  });
}

test('the columns of an answer are its fields in order, including __proto__', () => {
  const { output, problems } = readOutput(JSON.parse('{"b":"string","__proto__":"string","a":"number"}'), []);
  assert.deepEqual(problems, []);
  assert.ok(output.type === 'json');
  assert.deepEqual(output.columns, ['b', '__proto__', 'a']);
});

test('text is text, and json: object is JSON mode with the schema unchanged', () => {
  assert.deepEqual(readOutput('text', []), { output: { type: 'text' }, problems: [] });
  assert.deepEqual(readOutput('text', ['a', 'b c']), { output: { type: 'text', labels: ['a', 'b c'] }, problems: [] });
  assert.deepEqual(readOutput('vector', ['a']).output, { type: 'text' });
  const padded = readOutput('text', ['a', ' b', '']).problems.map(({ message }) => message);
  assert.deepEqual(padded, [
    'labels: " b" is blank or has spaces around it, which an answer in plain text cannot keep',
    'labels: "" is blank or has spaces around it, which an answer in plain text cannot keep',
  ]);
  const schema = { type: 'object', properties: { a: { minLength: 2 } }, required: ['a'] };
  assert.deepEqual(readOutput({ json: 'object', schema }, []).output, { type: 'json', format: 'json_object', schema, columns: ['a'] });
  assert.deepEqual(readOutput({ json: 'object' }, []).output, { type: 'json', format: 'json_object', schema: null, columns: [] });
});

test('a JSON Schema is completed only if strict mode leaves no choice', () => {
  const schema = {
    type: 'object',
    required: ['label', 'parts'],
    properties: {
      label: { enum: ['a', 'b'] },
      parts: { type: 'array', items: { type: 'object', properties: { n: { const: 1 } }, required: ['n'] } },
    },
  };
  assert.deepEqual(schemaOf(schema), {
    type: 'object',
    required: ['label', 'parts'],
    properties: {
      label: { type: 'string', enum: ['a', 'b'] },
      parts: {
        type: 'array',
        items: { type: 'object', properties: { n: { type: 'number', const: 1 } }, required: ['n'], additionalProperties: false },
      },
    },
    additionalProperties: false,
  });
});

const REFUSED: readonly [title: string, output: unknown, message: RegExp][] = [
  ['an unknown word', { a: 'strng' }, /^output\.a: unknown type "strng"; .*Did you mean "string"\?$/],
  ['a list', { a: ['x', 'y'] }, /^output\.a: a list is not a type; write "a \| b \| c"/],
  ['an empty range', { a: 'number 5..1' }, /the range number 5\.\.1 is empty/],
  ['a choice twice', { a: 'x | y | x' }, /^output\.a: the choices/],
  ['a word at the root', 'txt', /^output: must be text or a map of fields, not "txt"\. Did you mean "text"\?$/],
  ['a nested unknown word', { a: { b: { c: 'what' } } }, /^output\.a\.b\.c: unknown type/],
  [
    'an unknown key beside json',
    { json: 'object', shema: {} },
    /^output\.shema: unknown key beside json: object\. Did you mean "schema"\?$/,
  ],
  ['a schema ajv refuses', { json: 'object', schema: { type: 'objekt' } }, /^output\.schema: not a usable JSON Schema/],
  ['a misspelt keyword', { json: 'object', schema: { requird: ['a'] } }, /output\.schema: not a usable JSON Schema: .*requird/],
  [
    'a pattern that is no expression',
    { json: 'object', schema: { properties: { a: { type: 'string', pattern: '(a+' } } } },
    /not a usable JSON Schema: .*[Rr]egular expression/,
  ],
  ['an optional property', { type: 'object', properties: { a: { type: 'string' } } }, /^output\.properties\.a: must be listed in required/],
  [
    'additional properties',
    { type: 'object', properties: { a: { type: 'string' } }, required: ['a'], additionalProperties: true },
    /^output\.additionalProperties: must be false/,
  ],
  [
    'allOf',
    { type: 'object', properties: { a: { allOf: [] } }, required: ['a'] },
    /output\.properties\.a\.allOf: "allOf" is not supported by strict schemas/,
  ],
  [
    'a property without a type',
    { type: 'object', properties: { a: { description: 'x' } }, required: ['a'] },
    /^output\.properties\.a: needs a type/,
  ],
  ['a format of its own', { a: { type: 'string', format: 'uri' } }, /^output\.a\.format: must be one of/],
  ['a list without items', { type: 'object', properties: { a: { type: 'array' } }, required: ['a'] }, /a list needs items/],
  ['too many enum values', { a: Array.from({ length: 1001 }, (_, index) => `v${index}`).join('|') }, /1001 enum values; at most 1000/],
  ['too deep a nesting', [...Array(11)].reduce<unknown>((inner) => ({ x: inner }), 'string'), /nested deeper than 10 levels/],
];

for (const [title, output, message] of REFUSED) {
  test(`an output is refused with its path: ${title}`, () => {
    assert.match(problemsOf(output), message);
  });
}
