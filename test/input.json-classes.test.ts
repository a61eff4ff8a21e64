import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { stringifyExactly } from '../src/core/exact/exact-number.ts';
import { compileCheckAnswer } from '../src/input/answer/check-answer.ts';
import { wideTest } from './helpers/wide.ts';

/** JSON mode with a schema that takes any value in `a`, and nothing beside it. */
const SCHEMA = { type: 'object', required: ['a'], properties: { a: {} }, additionalProperties: false };
const check = compileCheckAnswer({ type: 'json', format: 'json_object', schema: SCHEMA, columns: ['a'] });

/** Values RFC 8259 allows; as `a` of an answer each is taken, and comes out as JSON.parse reads it. */
const VALID = [
  ...['null', 'true', 'false', '[]', '{}', '""', ' [ ] ', '\t{\r\n}\n', '[null,1,"2",{}]', '[[[[[]]]]]', '{"":0}', '{"x":{"x":{"x":[]}}}'],
  ...['0', '-0', '-1', '123', '1.5', '-0.000001', '0e1', '0e+1', '1e2', '1E22', '1e-2', '1E+2', '123.456e78', '1.7976931348623157e308'],
  ...['9007199254740991', '-9007199254740991', '9007199254740992', '1e-400', '0.1000000000000000055511151231257827'],
  ...['"a"', '" "', '"\\""', '"\\\\"', '"\\/"', '"\\b\\f\\n\\r\\t"', '"\\u00e9"', '"\\uD834\\uDd1e"', '"\\uFFFF"', '"\\\\u0000"'],
  ...[
    '"\u007f"',
    '"é"',
    '"中文"',
    '"😀"',
    '"\u2028\u2029"',
    '"\uFEFF"',
    '"\u{10FFFF}"',
    '"```"',
    '"{}"',
    '"// no comment"',
    '"\\u0061\\u0301"',
  ],
  ...['{"constructor":1}', '{"toString":null}', '{"a":1,"A":2}', '["a","a"]', `[${'[],'.repeat(999)}[]]`],
];

/** Values no grammar of JSON allows; as `a` of an answer each makes it invalid. */
const INVALID = [
  ...[
    '',
    ' ',
    ',',
    '[',
    ']',
    '{',
    '[1',
    '[1,',
    '[,1]',
    '[1,]',
    '[1,,2]',
    '[1 2]',
    '[1;2]',
    '["a":1]',
    '[}',
    '{]',
    '[][]',
    '{}{}',
    '1 2',
    '"a" "b"',
  ],
  ...[
    '{"a"}',
    '{"a":}',
    '{:1}',
    '{"a":1,}',
    '{,"a":1}',
    '{"a":1 "b":2}',
    '{"a":1,,"b":2}',
    '{"a"::1}',
    '{a:1}',
    "{'a':1}",
    '{1:1}',
    '{null:1}',
    '{"a";1}',
  ],
  ...[
    'True',
    'FALSE',
    'nul',
    'nulll',
    'undefined',
    'NaN',
    '-NaN',
    'Infinity',
    '-Infinity',
    'inf',
    'None',
    'a',
    "'a'",
    '`a`',
    '*',
    '#',
    '\\',
    '\\u0031',
  ],
  ...[
    '+1',
    '-',
    '--1',
    '- 1',
    '01',
    '-01',
    '00',
    '.5',
    '-.5',
    '5.',
    '1.e1',
    '1e',
    '1e+',
    '1E-',
    '1e1.5',
    '1.2.3',
    '1_000',
    '1,000',
    '0x1',
    '0b1',
    '0o7',
    '1n',
    '１',
  ],
  ...[
    '"',
    '"a',
    'a"',
    '"\\"',
    '"\\x41"',
    '"\\a"',
    '"\\u"',
    '"\\u00"',
    '"\\u00g0"',
    '"\\U0041"',
    '"\\\'"',
    '"\n"',
    '"\t"',
    '"\u0000"',
    '"\u001f"',
    '“a”',
  ],
  ...[
    '1 // one',
    '/* one */ 1',
    '1 # one',
    '<!-- --> 1',
    '[1]]',
    '\u00a01',
    '\u000c1',
    '\u000b1',
    '\u20281',
    '\uFEFF1',
    '1\u0000',
    '=1',
    '(1)',
  ],
];

/** Values parsers may read as they like, or that JSON.parse changes without a word: none comes through in another shape. */
const CHANGED: readonly [title: string, value: string, why: RegExp][] = [
  ['a number beyond doubles', '1e999', /the number 1e999 cannot be kept exactly/],
  ['its negative', '-1e999', /the number -1e999/],
  ['a number of 400 digits', '9'.repeat(400), /cannot be kept exactly/],
  ['an integer beyond 2^53', '9007199254740993', /the number 9007199254740993 cannot be kept exactly/],
  ['its negative', '-9007199254740993', /cannot be kept exactly/],
  ['a lone high surrogate', '"\\ud800"', /half of a character/],
  ['a lone low surrogate', '"\\uDC00x"', /half of a character/],
  ['surrogates the wrong way round', '"\\udc00\\ud800"', /half of a character/],
  ['a lone surrogate in a key', '{"\\ud800":1}', /half of a character/],
  ['a lone surrogate not escaped', '"\ud800"', /half of a character/],
  ['the character nobody means', '"\\u0000"', /control character U\+0000/],
  ['the same in a key', '{"\\u0000":1}', /control character U\+0000/],
  ['a key twice', '{"b":1,"b":2}', /the key "b" occurs twice/],
  ['a key twice, spelled otherwise', '{"b":1,"\\u0062":1}', /the key "b" occurs twice/],
  ['a key twice, deep in a list', '[[{"c":[{"b":1,"b":1}]}]]', /the key "b"/],
];

const asAnswer = (value: string) => `{"a":${value}}`;

describe('answers of every class of JSON', () => {
  it('valid ones are read like JSON.parse reads them', () => {
    for (const value of VALID) {
      const checked = check(asAnswer(value));
      assert.ok(checked.ok, value);
      assert.deepEqual(checked.value, JSON.parse(asAnswer(value)), value);
      // Numbers are kept as they stand there beside what they are.
      if (checked.written !== undefined) assert.deepEqual(JSON.parse(stringifyExactly(checked.written)), checked.value, value);
    }
  });

  it('valid ones that are not objects are not answers, alone or in prose', () => {
    for (const value of VALID) {
      assert.doesNotThrow(() => JSON.parse(value));
      const checked = check(value);
      const isObject = value.trim().startsWith('{');
      assert.ok(!checked.ok, value);
      assert.match(checked.message, isObject ? /^(the answer|answer|.*not allowed|.*lacks)/ : /^the answer is not a JSON object$/);
    }
  });

  it('invalid ones are invalid, and say so', () => {
    for (const value of INVALID) {
      assert.throws(() => JSON.parse(asAnswer(value)), SyntaxError, value);
      const checked = check(asAnswer(value));
      assert.ok(!checked.ok, value);
      assert.match(checked.message, /^the answer is not JSON: ./);
      assert.equal(check(value).ok, false, value);
    }
  });

  for (const [title, value, why] of CHANGED) {
    it(`what cannot be kept exactly is invalid: ${title}`, () => {
      assert.doesNotThrow(() => JSON.parse(asAnswer(value)));
      for (const text of [asAnswer(value), `\`\`\`json\n${asAnswer(value)}\n\`\`\``]) {
        const checked = check(text);
        assert.ok(!checked.ok);
        assert.match(checked.message, why);
      }
    });
  }

  it('__proto__ is a key like any other: refused where the schema allows none, else kept, and nothing is polluted', () => {
    assert.equal(check('{"a":1,"__proto__":{"polluted":true}}').ok, false);
    const open = compileCheckAnswer({ type: 'json', format: 'json_object', schema: null, columns: [] });
    const checked = open('{"__proto__":{"polluted":true},"a":{"__proto__":null,"constructor":{"prototype":{"polluted":true}}}}');
    assert.ok(checked.ok);
    assert.deepEqual(Object.keys(checked.value as object), ['__proto__', 'a']);
    assert.equal(({} as { polluted?: unknown }).polluted, undefined);
  });

  wideTest('deeply nested answers neither crash nor take long, open or closed, alone or wrapped', () => {
    const started = process.cpuUsage();
    for (const [open, close] of [
      ['[', ']'],
      ['{"a":', '}'],
      ['[{"a":', '}]'],
    ] as const) {
      for (const depth of [2_000, 100_000]) {
        const bomb = `${open.repeat(depth)}1${close.repeat(depth)}`;
        for (const text of [
          bomb,
          asAnswer(bomb),
          open.repeat(depth),
          asAnswer(open.repeat(depth)),
          `See: ${bomb}`,
          `\`\`\`\n${bomb}\n\`\`\``,
        ])
          assert.equal(check(text).ok, false);
      }
    }
    for (const text of [
      '```'.repeat(100_000),
      `${' '.repeat(300_000)}{`,
      `\`\`\`${'a'.repeat(300_000)}{}`,
      `{}x${'\n'.repeat(300_000)}y`,
      '{}'.repeat(100_000),
    ])
      assert.equal(check(text).ok, false);
    assert.ok(process.cpuUsage(started).user < 5_000_000);
  });
});
