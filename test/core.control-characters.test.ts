import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findControlsOfJson } from '../src/core/answer/control-characters.ts';

const CONTROL = /(?![\t\n\r])\p{Cc}/u;

test('exactly the control characters of a JSON text are found, in keys and values, literal or escaped', () => {
  for (let code = 0; code < 0x3000; code += 1) {
    const character = String.fromCharCode(code);
    const expected = CONTROL.test(character) ? character : '';
    const escaped = `"\\u${code.toString(16).padStart(4, '0')}"`;
    for (const json of [JSON.stringify([`a${character}`]), JSON.stringify({ [character]: 1 }), `{"a":${escaped}}`])
      assert.equal(findControlsOfJson(json), expected, json);
  }
});
