import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { scanJson } from '../src/core/exact/scan-json.ts';
import { runsOf } from './helpers/wide.ts';

const TEXTS: readonly (readonly [text: string, keys: number, levels: number])[] = [
  ['{}', 0, 1],
  ['7', 0, 0],
  ['"a: 1.10, {[\\"b\\": 1e3"', 0, 0],
  ['{"a:":":","b" : "\\\\","c"\n:\t[{"d":{}},[[]]]}', 4, 4],
  ['{"a":1,"a":2,"\\u0061":3}', 3, 1],
  ['["\\\\\\"","x\\\\"]', 0, 1],
];

/** Numbers that JavaScript writes as they stand there, and some that it does not. */
const PLAIN = ['0', '-1', '12', '0.5', '-0.25', '100', '123456789012345', '9007199254740992', '0.000001', '-0.000001', '1e+21', '1e-7'];
const ODD = [
  '-0',
  '0.0',
  '-0.0',
  '1.10',
  '10.0',
  '1e3',
  '1E3',
  '9007199254740993',
  '0.0000001',
  '0.1000000000000000055',
  '1e400',
  '100.50',
];

test('keys and levels of a text are counted whatever its strings contain', () => {
  for (const [text, keys, levels] of TEXTS) {
    JSON.parse(text);
    assert.deepEqual(scanJson(text), { keys, levels, hasOddNumber: false }, text);
  }
});

test('exactly the numbers that JavaScript would write differently are found, wherever they are', () => {
  for (const number of [...PLAIN, ...ODD]) {
    const isOdd = ODD.includes(number);
    assert.equal(String(Number(number)) !== number, isOdd, number);
    for (const text of [number, `[${number}]`, `{"a":${number},"b":1}`, `{"a" : ${number} }`, `[1,\n${number}\t]`])
      assert.equal(scanJson(text).hasOddNumber, isOdd, text);
    assert.equal(scanJson(JSON.stringify({ [number]: `:${number}, ` })).hasOddNumber, false, number);
  }
});

test('the number of keys of any text is that of its value, if none is repeated', () => {
  const countKeys = (value: unknown): number =>
    typeof value === 'object' && value !== null
      ? Object.values(value).reduce((sum: number, inner) => sum + countKeys(inner), Array.isArray(value) ? 0 : Object.keys(value).length)
      : 0;
  const property = fc.property(fc.json({ maxDepth: 4 }), (text) => assert.equal(scanJson(text).keys, countKeys(JSON.parse(text))));
  fc.assert(property, { numRuns: runsOf(500) });
});
