import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Liquid } from 'liquidjs';
import { parseExactly } from '../src/core/exact/parse-exactly.ts';
import { compileWhere } from '../src/input/where/compile-where.ts';

const COLUMNS = ['lang', 'stars', 'note', 'Odd Name', 'flag', 'list', 'big', 'price', 'nested'];

/** The same row as a CSV table has it, and a JSONL one. */
const AS_TEXT = ['en', '2', '', 'x', 'False', '["a","b"]', '9007199254740993', '1.10', ''];
const AS_JSON = parseExactly('["en", 2, null, "x", false, ["a","b"], 9007199254740993, 1.10, {"a": {"b": 1.50}}]') as unknown[];

const CASES: readonly [condition: string, isMet: boolean][] = [
  ['lang == "en" and stars < 3', true],
  ['lang == "en" and stars < 2', false],
  ["lang == 'de' or stars >= 2", true],
  ['stars == 2', true],
  ['stars == "2"', true],
  ['stars != 2.0', false],
  // What stands in quotes is a text.
  ['price == "1.10"', true],
  ['price == "1.1"', false],
  ['"1.1" != price', true],
  ['price == 1.1', true],
  ['price == 1.100', true],
  ['price <= 1.1 and price >= 1.10', true],
  ['price == price', true],
  ['stars == 2 and stars != "2.0"', true],
  ['2 == stars', true],
  ['stars > 10', false],
  ['stars < 10', true],
  ['note', false],
  ['note == ""', true],
  ['note == blank', true],
  ['note == nil and note < 3', false],
  ['note >= 0 or note <= 0', false],
  ['note != blank', false],
  ['row["Odd Name"] == "x"', true],
  ['row.lang == "en"', true],
  ['flag', false],
  ['flag == false', true],
  ['flag == true', false],
  ['not flag', true],
  ['not lang == "en"', false],
  ['list contains "a"', true],
  ['lang contains "n"', true],
  ['note contains "n"', false],
  ['stars contains "2"', true],
  ['big == "9007199254740993"', true],
  ['big == "9007199254740992"', false],
  ['big > 9007199254740991', true],
  ['lang > "de"', true],
  ['lang < 3', false],
  ['lang == "en"\n and stars < 3', true],
  // From the right, as Liquid reads them.
  ['lang == "de" and lang == "de" or stars == 2', false],
  ['lang == "en" or lang == "de" and stars == 9', true],
];

test('a condition matches the same rows in every format', () => {
  for (const [text, isMet] of CASES) {
    const { condition, problems } = compileWhere(text, COLUMNS);
    assert.deepEqual(problems, [], text);
    assert.deepEqual([condition?.isMet(AS_TEXT), condition?.isMet(AS_JSON)], [isMet, isMet], text);
  }
  assert.equal(compileWhere('nested.a.b == 1.5 and list.size == 2', COLUMNS).condition?.isMet(AS_JSON), true);
});

test('conditions over texts have the same meaning as in a template', () => {
  const engine = new Liquid({ ownPropertyOnly: true, lenientIf: true });
  const operands = ['a', 'b', '"x"', '"y"', 'nil'];
  const tests = operands.flatMap((left) =>
    ['==', '!=', 'contains'].map((name, index) => `${left} ${name} ${operands[(index * 2 + 1) % 5]}`),
  );
  let met = 0;
  for (const [index, first] of tests.entries()) {
    for (const text of [first, `${first} and ${tests[(index * 7 + 3) % tests.length]} or ${tests[(index * 5 + 1) % tests.length]}`]) {
      for (const [a, b] of [
        ['x', 'y'],
        ['x', 'x'],
        ['xy', 'y'],
      ] as const) {
        const expected = engine.parseAndRenderSync(`{% if ${text} %}1{% endif %}`, { a, b }) === '1';
        assert.equal(compileWhere(text, ['a', 'b']).condition?.isMet([a, b]), expected, `${text} of ${a}, ${b}`);
        met += expected ? 1 : 0;
      }
    }
  }
  assert.ok(met > 20 && met < tests.length * 6 - 20, String(met));
});

test('a condition may have thousands of comparisons', () => {
  const text = Array.from({ length: 30_000 }, (_, index) => `stars == ${index + 10}`).join(' or ');
  assert.deepEqual(
    ['10', '30009', '2'].map((stars) => compileWhere(text, ['stars']).condition?.isMet([stars])),
    [true, true, false],
  );
  assert.equal(compileWhere(`${'not '.repeat(30_001)}stars == 1`, ['stars']).condition?.isMet(['2']), true);
});

const PROBLEMS: readonly [condition: string, line: number, column: number, message: RegExp][] = [
  ['lang = "en"', 1, 6, /^unexpected "= \\"en\\""; equal is written ==$/],
  ['lang == "en" && stars', 1, 14, /comparisons are joined by and, or$/],
  ['language == "en"', 1, 1, /^no column "language"$/],
  ['lang == "en"\n  and star < 3', 2, 7, /^no column "star"$/],
  ['lang == "en" stars', 1, 14, /^unexpected "stars"; comparisons are joined by and, or$/],
  ['lang ==', 1, 8, /^a column or a constant is missing here$/],
  ['== 3', 1, 1, /is missing here$/],
  ['lang == "en" and', 1, 17, /is missing here$/],
  ['stars < 3 < 4', 1, 11, /^unexpected "<"/],
  ['{{ lang }} == "en"', 1, 1, /without \{\{ \}\}/],
  ['lang == "x" %}{% if lang', 1, 1, /without/],
  ['', 1, 1, /^says nothing$/],
  ['  ', 1, 1, /^says nothing$/],
  ['(stars < 3) and lang', 1, 8, /^brackets group nothing; and, or are read from the right$/],
  ['stars > .5', 1, 9, /^\.5 is neither a column nor a number such as -1 or 0\.5$/],
  ['stars > 1e3', 1, 9, /^1e3 is neither a column nor a number/],
  ['(1..3) contains stars', 1, 1, /cannot be used in a condition/],
  ['row[lang] == 1', 1, 1, /name a column$/],
  ['row == 1', 1, 1, /^no column "row"$/],
  ['big == 9007199254740993', 1, 8, /write it in quotes$/],
  ['lang == "en', 1, 9, /^the quote that opens here is not closed$/],
];

test('an invalid condition is refused with the position of its first error', () => {
  for (const [text, line, column, message] of PROBLEMS) {
    const { condition, problems } = compileWhere(text, COLUMNS);
    assert.equal(condition, null, text);
    assert.equal(problems.length, 1, text);
    const [problem] = problems;
    assert.match(problem?.message ?? '', message, text);
    assert.deepEqual([problem?.line, problem?.column], [line, column], text);
  }
});
