import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { compilePattern, PatternTimeError } from '../src/input/answer/linear-pattern.ts';
import { runsOf, wideTest } from './helpers/wide.ts';

/** Parts of expressions, of which random ones are made: without lookaround and kin, which JavaScript's own engine tries. */
const ATOM = fc.constantFrom(
  ...[
    'a',
    'b',
    '.',
    '\\s',
    '\\S',
    '\\d',
    '\\D',
    '\\w',
    '\\W',
    '\\b',
    '[ab]',
    '[^ab]',
    '[\\s\\d]',
    '[^\\s]',
    '[\\S]',
    '[a-c.]',
    '[[]',
    '\\.',
    '\\/',
  ],
  ...[
    '^',
    '$',
    'é',
    '\\u00e9',
    '\\u{1F600}',
    '\\p{L}',
    '\\P{L}',
    '[\\p{Lu}x]',
    '\\n',
    '\\cJ',
    '\\x41',
    '(?=a)',
    '(?!b)',
    '(?<=a)',
    '[\\b]',
    '\\0',
  ],
);
const PATTERN: fc.Arbitrary<string> = fc.letrec<{ pattern: string; sequence: string; item: string }>((tie) => ({
  pattern: fc.array(tie('sequence'), { minLength: 1, maxLength: 2 }).map((branches) => branches.join('|')),
  sequence: fc.array(tie('item'), { minLength: 1, maxLength: 3 }).map((items) => items.join('')),
  item: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    ATOM,
    fc.tuple(tie('pattern'), fc.constantFrom('', '*', '+', '?', '{1,2}', '*?')).map(([inner, count]) => `(${inner})${count}`),
  ),
})).pattern;
const TEXT = fc
  .array(
    fc.constantFrom('a', 'b', 'A', '1', ' ', '\u00a0', '\ufeff', '\n', '\r', '\u2028', 'é', 'É', '😀', '.', '/', '[', '-', '\b', '\0'),
    { maxLength: 8 },
  )
  .map((letters) => letters.join(''));

const isExpression = (source: string) => {
  try {
    return new RegExp(source, 'u') !== null;
  } catch {
    return false;
  }
};

test('a pattern matches what the same expression of ECMA-262 matches', () => {
  fc.assert(
    fc.property(PATTERN.filter(isExpression), TEXT, (source, text) => {
      assert.equal(compilePattern(source, 'u').test(text), new RegExp(source, 'u').test(text), JSON.stringify([source, text]));
    }),
    { numRuns: runsOf(1_000) },
  );
});

wideTest('untrusted patterns end: most in linear time, the others at a time limit', () => {
  const text = `${'a'.repeat(50_000)}!`;
  for (const source of ['^(a+)+$', '^(a|aa)*$', '^(a*)*$', '(x+x+)+y', '^(([a-z])+.)+[A-Z]$', '^(?:a?){30}a{30}$'])
    assert.equal(compilePattern(source, 'u').test(source.startsWith('^(?:a?)') ? 'a'.repeat(29) : text), false, source);
  for (const source of ['^(?=(a+)+$)', '^(a+)+\\1$', '^(?!(a|aa)+$)a*!!'])
    assert.throws(() => compilePattern(source, 'u').test(text.slice(-5_000)), PatternTimeError, source);
  assert.throws(() => compilePattern('(', 'u'), SyntaxError);
});
