import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findJsonFault } from '../src/input/table/json-fault.ts';

/** `|` stands where the text stops being JSON, and is no part of it. */
const FAULTS: readonly (readonly [marked: string, why: RegExp])[] = [
  ['{"a":|', /^it ends too early$/],
  ['|', /^it ends too early$/],
  ['{"a":1|', /^it ends too early$/],
  ["{|'a':1}", /^expected a key in double quotes/],
  ['{|a:1}', /^expected a key/],
  ['{"a":1,|}', /^expected a key/],
  ['{"a"|}', /^expected a colon/],
  ['{"a":|}', /^expected a value/],
  ['{"a":|NaN}', /^expected a value/],
  ['{"a":|None}', /^expected a value/],
  ['{"a":|\'x\'}', /^expected a value/],
  ['{"a":0|07}', /^expected a comma or the end/],
  ['{"a":1|. }', /^expected a comma or the end/],
  ['{"a":1 |"b":2}', /^expected a comma or the end/],
  ['{"a":[1|}', /^expected a comma or the end/],
  ['{"a":[1,|]}', /^expected a value/],
  ['{"a":1}|,', /^unexpected text after/],
  ['{"a":1}\r|{"a":2}', /^unexpected text after/],
  ['{"a":|"x}', /^the string that starts here does not end$/],
  ['{"a":"x|\ty"}', /^a control character/],
  ['{"a":"x|\\q"}', /^a backslash/],
  ['{"a":"x|\\u12g4"}', /^a backslash/],
  ['|\u00a0{"a":1}', /^expected a value/],
];

test('the position where a text stops being JSON is found, and described without quoting it', () => {
  for (const [marked, why] of FAULTS) {
    const text = marked.replace('|', '');
    assert.throws(() => JSON.parse(text), SyntaxError, marked);
    const fault = findJsonFault(text);
    assert.equal(fault.position, marked.indexOf('|'), marked);
    assert.match(fault.why, why, marked);
  }
});

test('the fault of a truncated text is at its end, or in its last string', () => {
  const whole = '{"a":[1,-2.5e3,"x\\n\\u00e9"],"b":{"c":null,"d":true},"e":{}}';
  for (let length = 0; length < whole.length; length += 1) {
    const text = whole.slice(0, length);
    const { position, why } = findJsonFault(text);
    assert.ok(position <= text.length && position >= text.lastIndexOf('"'), `${text}: ${why}`);
  }
});
