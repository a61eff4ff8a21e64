import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { compileJob } from '../src/input/compile-job.ts';
import { loadJob } from '../src/input/job/load-job.ts';
import { makeJob } from '../src/input/job/make-job.ts';
import { readOutput } from '../src/input/job/output-spec.ts';

const ROOT = { $defs: { name: { type: 'string' }, kind: { type: 'string', enum: ['a'] } } };

/** An output with one field. */
function fieldOf(field: object, more: object = {}) {
  return { type: 'object', properties: { x: field }, required: ['x'], ...more };
}

function problemsOf(output: unknown): string {
  return readOutput(output, [])
    .problems.map(({ message }) => message)
    .join('\n');
}

function compile(output: unknown, model = 'gpt-4o-mini') {
  const job = makeJob({ name: 'j', input: { path: 't.csv' }, model, output, prompt: 'JSON {{ a }}' }, { directory: '/data' });
  return compileJob({ job }, { columns: ['a'], format: 'csv' });
}

function refusalOf(output: unknown, model: string): string {
  try {
    compile(output, model);
  } catch (error) {
    return (error as Error).message;
  }
  return assert.fail('the job was accepted');
}

/** What stands in a pattern, and what of it is refused; null: taken. */
const PATTERNS: readonly [pattern: string, refused: string | null][] = [
  ['^(?=.*@).+$', '(?='],
  ['^(?!\\.)[a-z]+$', '(?!'],
  ['(?<=a)b', '(?<='],
  ['(?<!a)b', '(?<!'],
  ['((a(?=b)))', '(?='],
  ['a\\\\(?=b)', '(?='],
  ['(?=a)(?=b)(?!c)', '(?= (?!'],
  ['[\\]](?=b)', '(?='],
  ['^(?:a|b)+$', null],
  ['(?<year>\\d{4})-(\\d\\d)', null],
  ['\\(\\?=a', null],
  ['[(?=]+', null],
  ['[^(?!]', null],
  ['[\\](?=]', null],
  ['^\\d{4}-\\d{2}$', null],
];

for (const [pattern, refused] of PATTERNS) {
  test(`the pattern ${pattern} is ${refused === null ? 'taken' : 'refused, with its path'}`, () => {
    const found = problemsOf(fieldOf({ type: 'string', pattern }));
    assert.equal(found, refused === null ? '' : `output.properties.x.pattern: lookaround (${refused}) is not supported by strict schemas`);
  });
}

const SHARED = { $ref: '#/$defs/kind' };

/** Schemas that break a rule, and what is said of them. */
const BROKEN: readonly [title: string, output: object, says: RegExp][] = [
  [
    'a description',
    fieldOf({ ...SHARED, description: 'why' }, ROOT),
    /^output\.properties\.x\.\$ref: a \$ref must be alone .* move description/,
  ],
  ['a default and a title', fieldOf({ ...SHARED, title: 't', default: 'a' }, ROOT), /\.\$ref: .* move title, default into/],
  ['a type', fieldOf({ ...SHARED, type: 'string' }, ROOT), /\.\$ref: .* move type/],
  ['a keyword, in a list', fieldOf({ type: 'array', items: { ...SHARED, title: 't' } }, ROOT), /^output\.properties\.x\.items\.\$ref: /],
  ['a keyword, in a branch', fieldOf({ anyOf: [{ ...SHARED, title: 't' }] }, ROOT), /^output\.properties\.x\.anyOf\[0\]\.\$ref: /],
  [
    'a keyword, in a definition',
    fieldOf(SHARED, { $defs: { ...ROOT.$defs, kind: { $ref: '#/$defs/name', title: 't' } } }),
    /^output\.\$defs\.kind\.\$ref: /,
  ],
];

for (const [title, output, says] of BROKEN) {
  test(`a $ref beside ${title} is refused with its path`, () => assert.match(problemsOf(output), says));
}

test('an enum value of another type than its neighbour `type` is refused with its path', () => {
  const says = 'output.properties.x.enum: "1" does not have the type given, so no answer could match it';
  assert.equal(problemsOf(fieldOf({ type: 'integer', enum: [1, '1'] })), says);
  for (const field of [
    { type: 'number', enum: [1, 2.5] },
    { type: ['string', 'null'], enum: ['a', null] },
    { type: 'integer', enum: [1] },
  ])
    assert.equal(problemsOf(fieldOf(field)), '');
});

test('a $ref on its own is accepted, to a definition and to the root', () => {
  assert.equal(problemsOf(fieldOf(SHARED, ROOT)), '');
  assert.equal(problemsOf(fieldOf({ anyOf: [{ $ref: '#' }, { type: 'null' }], description: 'the rest' })), '');
});

/** Keywords of JSON Schema that strict mode does not know: anything that is not on the list of what it takes. */
const FOREIGN: readonly object[] = [
  ...[
    { allOf: [] },
    { oneOf: [] },
    { not: {} },
    { if: {} },
    { prefixItems: [] },
    { contains: {} },
    { uniqueItems: true },
    { default: 'a' },
  ],
  ...[
    { examples: ['a'] },
    { patternProperties: {} },
    { propertyNames: {} },
    { minProperties: 1 },
    { dependentRequired: {} },
    { nullable: true },
  ],
  ...[
    { $comment: 'c' },
    { $id: 'x' },
    { $anchor: 'x' },
    { readOnly: true },
    { contentEncoding: 'base64' },
    { unevaluatedProperties: false },
  ],
];

test('a keyword that strict mode is not known to accept is refused by its path, wherever it is', () => {
  for (const keyword of FOREIGN) {
    const [name = ''] = Object.keys(keyword);
    const field = { type: 'string', ...keyword };
    const message = `${name}: "${name}" is not supported by strict schemas`;
    assert.equal(problemsOf(fieldOf(field)), `output.properties.x.${message}`);
    assert.equal(problemsOf(fieldOf(SHARED, { $defs: { kind: field } })), `output.$defs.kind.${message}`);
  }
});

test('keywords that constrain a value are sent unchanged, and checked here too', () => {
  const narrow: readonly [field: object, good: string, bad: string][] = [
    [{ type: 'string', minLength: 2, maxLength: 3 }, '"abc"', '"abcd"'],
    [{ type: 'string', pattern: '^a+$' }, '"aa"', '"b"'],
    [{ type: 'number', minimum: 0, exclusiveMaximum: 1, multipleOf: 0.25 }, '0.5', '1'],
    [{ type: 'array', items: { type: 'string', minLength: 1 }, minItems: 1, maxItems: 2 }, '["a"]', '[""]'],
  ];
  for (const [field, good, bad] of narrow) {
    for (const output of [{ x: field }, fieldOf(field)]) {
      const { render, checkAnswer } = compile(output);
      const rendered = render({ index: 0, file: 't.csv', line: 2, cells: ['a'], record: null, key: null });
      assert.ok(rendered.status === 'request');
      const sent = JSON.parse(rendered.request.body) as { response_format: { json_schema: { schema: { properties: object } } } };
      assert.deepEqual(sent.response_format.json_schema.schema.properties, { x: field });
      assert.equal(checkAnswer(`{"x":${good}}`).ok, true);
      assert.equal(checkAnswer(`{"x":${bad}}`).ok, false);
    }
  }
});

/** Fields the API may refuse: told, not refused. */
const DOUBTED: readonly [field: object, warning: RegExp | null][] = [
  [{ enum: ['a', 1] }, /^output\.properties\.x: enum without a type, which the API may refuse; add a type$/],
  [{ enum: ['a', null] }, /enum without a type/],
  [{ const: { y: 1 } }, /const without a type/],
  [{ type: 'array', items: { enum: [['a'], 'b'] } }, /^output\.properties\.x\.items: enum/],
  [{ type: 'string', pattern: '(a)\\1' }, /^output\.properties\.x\.pattern: \\1 in a pattern is not known/],
  [{ type: 'string', pattern: '\\bword\\b' }, /\\b in a pattern/],
  [{ type: 'string', pattern: '[\\b]' }, null],
  [{ type: 'string', pattern: '\\\\b' }, null],
  [{ enum: ['a', 'b'] }, null],
  [{ const: true }, null],
  [{ type: ['string', 'null'], enum: ['a', null] }, null],
];

for (const [field, warning] of DOUBTED) {
  test(`${JSON.stringify(field)} is ${warning === null ? 'sent without a word' : 'warned about'}`, () => {
    const { warnings } = compile(fieldOf(field));
    if (warning === null) assert.deepEqual(warnings, []);
    else assert.match(warnings.join('\n'), warning);
  });
}

const FINE_TUNED = 'ft:gpt-4.1-mini-2025-04-14:acme::x';

test('keywords that fine-tuned models refuse are refused before anything is sent; those they may refuse cause a warning', () => {
  const refused = ['pattern', 'format', 'minimum', 'maximum', 'multipleOf', 'minItems', 'maxItems'];
  const doubted = ['minLength', 'maxLength', 'exclusiveMinimum', 'exclusiveMaximum'];
  const fields: readonly Record<string, unknown>[] = [
    { type: 'string', pattern: 'a', format: 'date', minLength: 1, maxLength: 9 },
    { type: 'number', minimum: 0, maximum: 1, multipleOf: 0.5, exclusiveMinimum: -1, exclusiveMaximum: 2 },
    { type: 'array', items: { type: 'string' }, minItems: 0, maxItems: 1 },
  ];
  const seen = new Set<string>();
  for (const field of fields) {
    for (const [key, value] of Object.entries(field)) {
      if (key === 'type' || key === 'items') continue;
      seen.add(key);
      const alone = fieldOf({ type: field.type, ...(field.items === undefined ? {} : { items: field.items }), [key]: value });
      assert.deepEqual(compile(alone).warnings, [], `${key} is taken by other models`);
      if (refused.includes(key))
        assert.match(refusalOf(alone, FINE_TUNED), new RegExp(`^output\\.properties\\.x\\.${key}: fine-tuned models refuse it`));
      else assert.match(compile(alone, FINE_TUNED).warnings.join(), new RegExp(`x\\.${key}: fine-tuned models are not known to take it`));
    }
  }
  assert.deepEqual([...seen].toSorted(), [...refused, ...doubted].toSorted());
  assert.deepEqual(compile({ kind: 'a | b', tags: 'string[]' }, FINE_TUNED).warnings, []);
  assert.deepEqual(compile({ json: 'object', schema: fieldOf({ type: 'number', minimum: 0 }) }, FINE_TUNED).warnings, []);
});

test('models older than schemas, or than JSON mode, cause a warning', () => {
  for (const model of ['gpt-4', 'gpt-4-turbo-preview', 'gpt-4-32k', 'gpt-3.5-turbo', 'ft:gpt-3.5-turbo-0125:acme::x', 'gpt-4o-2024-05-13'])
    assert.match(
      compile({ x: 'string' }, model).warnings.join(),
      /^output: .* is not known to take a JSON Schema; write json: object/,
      model,
    );
  for (const model of ['gpt-4', 'gpt-4-32k', 'gpt-4-0613'])
    assert.match(compile({ json: 'object' }, model).warnings.join(), /^output: .* is not known to have JSON mode/, model);
  for (const model of ['gpt-4o', 'gpt-4o-2024-08-06', 'gpt-4.1-mini', 'gpt-5.6-luna', 'o3', 'llama-4'])
    assert.deepEqual([compile({ x: 'string' }, model).warnings, compile({ json: 'object' }, model).warnings], [[], []], model);
  assert.deepEqual(compile({ json: 'object' }, 'gpt-4-turbo').warnings, []);
});

const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'rowmill-'));
after(() => fs.rmSync(directory, { recursive: true }));

/** Job files, each with what is said of it. */
const FILES: readonly [output: string, says: RegExp][] = [
  [
    'output:\n  type: object\n  required: [x]\n  properties:\n    x:\n      type: string\n      pattern: "(?=a)"\n',
    /^job\.yaml:11:7 {2}output\.properties\.x\.pattern: lookaround/m,
  ],
  ['output:\n  mail: { type: string, pattern: "^(?!x)" }\n', /^job\.yaml:6:25 {2}output\.mail\.pattern: lookaround/m],
  ['output:\n  mail: { type: string, format: email }\n', /^job\.yaml:6:25 {2}output\.mail\.format: fine-tuned models refuse it/m],
  ['output:\n  kind: string\n  score: number 0..1\n', /^job\.yaml:7:3 {2}output\.score\.minimum: fine-tuned models refuse it/m],
];

for (const [output, says] of FILES) {
  test(`${JSON.stringify(output)} is refused by file, line and column`, async () => {
    const text = `name: j\ninput: { path: t.csv }\nmodel: "${FINE_TUNED}"\nprompt: "{{ a }}"\n${output}`;
    fs.writeFileSync(path.join(directory, 'job.yaml'), text);
    const read = async () => compileJob(await loadJob('job.yaml', { cwd: directory }), { columns: ['a'], format: 'csv' });
    await assert.rejects(read, ({ message }: Error) => {
      assert.match(message, says);
      return true;
    });
  });
}
