import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createEngine } from '../src/input/request/liquid-engine.ts';
import { compileTemplate } from '../src/input/request/template.ts';
import { anyText } from './helpers/any-text.ts';
import { runsOf } from './helpers/wide.ts';

const engine = createEngine();

function compile(text: string, columns: readonly string[], labels: readonly { name: string; description: string }[] = []) {
  const { template, problems } = compileTemplate(text, { engine, columns, labels });
  assert.deepEqual(problems, []);
  assert.ok(template !== null);
  return template;
}

function problemsOf(text: string, columns: readonly string[]): string[] {
  return compileTemplate(text, { engine, columns, labels: [] }).problems.map(({ line, column, message }) => `${line}:${column} ${message}`);
}

const LABELS = [
  { name: 'bug', description: 'broken' },
  { name: 'other', description: '' },
];

const RENDERED: readonly [title: string, template: string, columns: string[], cells: unknown[], text: string][] = [
  ['a column', 'Hi {{ a }}!', ['a'], ['Ann'], 'Hi Ann!'],
  ['an odd name', '{{ row["Review Text"] }}', ['Review Text'], ['ok'], 'ok'],
  ['a filter', '{{ a | truncate: 6 }}', ['a'], ['Hello world'], 'Hel...'],
  ['whitespace control', 'x  {{- a -}}  y', ['a'], ['1'], 'x1y'],
  ['labels', '{% for label in labels %}- {{ label.name }}: {{ label.description }}\n{% endfor %}', [], [], '- bug: broken\n- other: \n'],
  [
    'labels as text by their names',
    '{{ labels | join: ", " }} {{ labels | first | upcase }} {{ "" | append: labels }}',
    [],
    [],
    'bug, other BUG bugother',
  ],
  ['labels printed alone as JSON', '{{ labels[0] }}', [], [], '{"name":"bug","description":"broken"}'],
  [
    'groups through a filter',
    '{{ labels | group_by: "name" | last | append: a }}{{ labels | group_by_exp: "label", "label.name.size" | map: "name" | join: " " }}',
    ['a'],
    ['!'],
    '{"name":"other","items":[{"name":"other","description":""}]}!3 5',
  ],
  ['a condition', '{% if a == "x" %}yes{% else %}no{% endif %}', ['a'], ['x'], 'yes'],
  ['a local variable', '{% assign b = a | upcase %}{{ b }}', ['a'], ['x'], 'X'],
  ['numbers and booleans', '{{ a }} {{ b }} {{ c }}', ['a', 'b', 'c'], [1.5, true, 0], '1.5 true 0'],
  ['nothing for null and missing', '[{{ a }}{{ b }}]', ['a', 'b'], [null, undefined], '[]'],
  ['objects as compact JSON', '{{ a }} {{ b }}', ['a', 'b'], [{ x: [1, 'é'] }, ['p', 2]], '{"x":[1,"é"]} ["p",2]'],
  ['objects through a filter', '{{ a | truncate: 8 }}', ['a'], [{ x: [1, 2, 3] }], '{"x":...'],
  [
    'lists through Liquid',
    '{{ a | join: ", " }}|{% for x in a %}{{ x.n }};{% endfor %}',
    ['a'],
    [[{ n: 1 }, { n: 2 }]],
    '{"n":1}, {"n":2}|1;2;',
  ],
  ['a part of an object', '{{ a.b.c }}', ['a'], [{ b: { c: 'deep' } }], 'deep'],
  ['raw changes nothing', '{{ a | raw }}', ['a'], [{ x: 1 }], '{"x":1}'],
  [
    'names of the language',
    '{{ row["size"] }}{{ row["__proto__"] }}{{ row["row"] }}{{ row["empty"] }}{{ toString }}',
    ['size', '__proto__', 'row', 'empty', 'toString'],
    ['1', '2', '3', '4', '5'],
    '12345',
  ],
  [
    'the same, rendered by Liquid',
    '{{ row["size"] | append: "" }}{{ row["__proto__"] }}{{ __proto__ }}{{ row["row"] }}',
    ['size', '__proto__', 'row'],
    ['1', '2', '3'],
    '1223',
  ],
  ['a date of the row, in UTC', '{{ a | date: "%Y-%m-%d %H:%M" }}', ['a'], ['2026-05-01T23:30:00Z'], '2026-05-01 23:30'],
  ['a column without a name', '{{ row[""] }}', ['', 'b'], ['x', 'y'], 'x'],
];

for (const [title, template, columns, cells, text] of RENDERED) {
  test(`a template renders ${title}`, () => {
    assert.equal(compile(template, columns, LABELS).render(cells), text);
  });
}

const REFUSED: readonly [title: string, template: string, columns: string[], problems: RegExp][] = [
  ['a column the table lacks', 'a\n {{ b }}', ['a'], /^2:5 no column "b"$/],
  ['a column lacking inside a loop', '{% for x in a %}{{ y }}{% endfor %}', ['a'], /^1:20 no column "y"$/],
  ['an unknown filter', '{{ a | shout }}', ['a'], /^1:1 undefined filter: shout$/],
  ['random filters', '{{ a | sample }}', ['a'], /undefined filter: sample/],
  ['other templates', '{% include "x" %}', [], /tag "include" not found/],
  ['a block left open', '{% if a %}', ['a'], /^1:1 tag .* not closed/],
  ['the row as a whole', '{{ row }}', ['row'], /row is the whole row; .* the column of that name is \{\{ row\["row"\] \}\}/],
  ['labels the job does not have', '{{ labels }}', ['labels'], /the job has no labels; the column of that name is/],
  [
    'a name with a space',
    'x {% if a %}{{ Review Text }}{% endif %}',
    ['a', 'Review'],
    /^1:13 unexpected "Text"; a column with such a name is written \{\{ row\["Review Text"\] \}\}$/,
  ],
  ['a name with a dot', '{{ a.b }}', ['a.b'], /^1:4 a column with a dot is written/],
];

for (const [title, template, columns, problem] of REFUSED) {
  test(`a template is refused for ${title}`, () => {
    assert.match(problemsOf(template, columns).join('\n'), problem);
  });
}

test('a template that would render differently from day to day fails', () => {
  assert.match(problemsOf('x {{ "now" | date: "%Y" }}', []).join(), /^1:\d+ .*the same row must give the same text every day/);
  assert.throws(() => compile('{{ a | date: "%Y" }}', ['a']).render(['today']), /the same row must give the same text every day/);
});

test('a missing key of an object fails the row, unless it has a default', () => {
  assert.throws(() => compile('{{ a.b }}', ['a']).render([{ c: 1 }]), /undefined variable: a\.b/);
  assert.equal(compile('{{ a.b | default: "-" }}', ['a']).render([{ c: 1 }]), '-');
});

test('a template of text and plain columns needs no Liquid, others do', () => {
  assert.deepEqual(compile('x {{ a }}{{ row["b c"] }} y', ['a', 'b c']).pieces, ['x ', 0, 1, ' y']);
  assert.equal(compile('{{ a | upcase }}', ['a']).pieces, null);
  assert.equal(compile('{{ a.size }}', ['a']).pieces, null);
});

const hostile = fc.oneof(
  anyText(),
  fc.constantFrom(
    '{{ a }}',
    '{% include "x" %}',
    '{{ row["b"] }}',
    '$&',
    "$'",
    '{%',
    '}}',
    '__proto__',
    '<b>&amp;</b>',
    '{{ labels[0].name }}',
  ),
);

test('cells are never evaluated as templates: each is inserted unchanged, on both paths', () => {
  fc.assert(
    fc.property(hostile, hostile, (a, b) => {
      const cells = [a, b];
      assert.equal(compile('<{{ a }}|{{ row["b"] }}>', ['a', 'b']).render(cells), `<${a}|${b}>`);
      assert.equal(compile('<{{ a | append: "" }}|{% if true %}{{ row["b"] }}{% endif %}>', ['a', 'b']).render(cells), `<${a}|${b}>`);
    }),
  );
});

test('the fast path renders what Liquid renders', () => {
  const literal = fc.constantFrom('', ' ', 'text', '\n', '"quoted"', '{ ', '} ', ' % ', '日本', '  \n  ');
  const output = fc.constantFrom(
    '{{ a }}',
    '{{a}}',
    '{{- a }}',
    '{{ a -}}',
    '{{ row["b b"] }}',
    "{{ row['b b'] }}",
    '{{ row.c }}',
    '{{- c -}}',
  );
  const template = fc.array(fc.oneof(literal, output), { maxLength: 8 }).map((parts) => parts.join(''));
  const cell = fc.oneof(fc.string({ unit: 'grapheme' }), fc.jsonValue({ maxDepth: 2 }), fc.constant(undefined));
  fc.assert(
    fc.property(template, fc.tuple(cell, cell, cell), (text, cells) => {
      const columns = ['a', 'b b', 'c'];
      const fast = compile(text, columns);
      assert.ok(fast.pieces !== null);
      const slow = compile(`{% if c %}{% endif %}${text}`, columns);
      assert.equal(slow.pieces, null);
      assert.equal(fast.render(cells), slow.render(cells));
    }),
    { numRuns: runsOf(250) },
  );
});
