import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readXml } from '../src/input/xlsx/read-xml.ts';

const MEBIBYTE = Buffer.alloc(1024 * 1024, 'x');

async function* makeXml(before: string) {
  yield Buffer.from(before);
  for (let count = 0; count < 200; count++) yield MEBIBYTE;
}

test('a text, an attribute or a comment of a workbook that never ends is refused before it fills memory', async () => {
  for (const before of ['<a>', '<a b="', '<a><!--', '<a']) {
    let pieces = 0;
    const read = async () => {
      for await (const _ of readXml(makeXml(before), {})) pieces += 1;
    };
    await assert.rejects(read, { message: 'it holds a text of more than 64 MB' }, before);
    assert.ok(pieces <= 66, before);
  }
});
