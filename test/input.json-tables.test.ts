import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import type { Row } from '../src/core/row.ts';
import { openTable } from '../src/input/table/open-table.ts';
import { runsOf } from './helpers/wide.ts';

const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'rowmill-'));
after(() => fs.rmSync(directory, { recursive: true }));
const { signal } = new AbortController();
let files = 0;

async function read(content: string | Buffer, extension = 'jsonl') {
  const file = path.join(directory, `table-${files++}.${extension}`);
  fs.writeFileSync(file, content);
  const spec = { path: file, format: null, delimiter: null, encoding: null, columns: null, id: [] };
  const table = await openTable(spec, { cwd: directory, signal });
  const rows: Row[] = [];
  for await (const chunk of table.readRows(signal)) rows.push(...chunk);
  return { table, rows, cells: rows.map((row) => row.cells), lines: rows.map((row) => row.line) };
}

test('JSONL is read with the union of its keys as columns; a missing key is undefined', async () => {
  const { table, cells, lines } = await read('{"a":1,"b":"x"}\r\n\r\n  {"b":null,"c":[1,{"d":true}]}\n{"a":false}');
  assert.deepEqual(table.columns, ['a', 'b', 'c']);
  assert.deepEqual(cells, [
    [1, 'x', undefined],
    [undefined, null, [1, { d: true }]],
    [false, undefined, undefined],
  ]);
  assert.deepEqual(lines, [1, 3, 4]);
});

test('a key that first appears after a thousand records is in the record, but not a column', async () => {
  const { table, rows } = await read(`${'{"a":1}\n'.repeat(1000)}{"a":1,"late":2}\n`);
  assert.deepEqual(table.columns, ['a']);
  assert.equal(rows[1000]?.record?.late, 2);
});

test('__proto__ is a key like any other and pollutes nothing', async () => {
  const { table, rows, cells } = await read('{"__proto__":{"polluted":1},"constructor":"c","toString":"t"}\n{"x":1}\n');
  assert.deepEqual(table.columns, ['__proto__', 'constructor', 'toString', 'x']);
  assert.deepEqual(cells[0], [{ polluted: 1 }, 'c', 't', undefined]);
  assert.deepEqual(cells[1], [undefined, undefined, undefined, 1]);
  assert.equal(Object.getPrototypeOf(rows[0]?.record), null);
  assert.equal(({} as { polluted?: unknown }).polluted, undefined);
});

test('a byte order mark and UTF-16 are read', async () => {
  assert.deepEqual((await read('\ufeff{"a":"ü"}\n')).cells, [['ü']]);
  assert.deepEqual((await read(Buffer.from('\ufeff{"a":"ü"}\n', 'utf16le'))).cells, [['ü']]);
});

const BAD: readonly [title: string, content: string, message: RegExp, extension?: string][] = [
  ['a line that is no JSON', '{"a":1}\n{"a":}\n', /^table-\d+\.jsonl:2:6 {2}not valid JSON: expected a value$/m],
  ['a line that is no object', '{"a":1}\n\n[1]\n', /:3:1 {2}each record must be a JSON object, not a list/],
  [
    'an array that does not end',
    '[{"a":1},\n{"a":2}',
    /\.json:2:8 {2}the array does not end|\.json:2:1 {2}the element that starts here does not end/,
    'json',
  ],
  ['text after the array', '[{"a":1}]\n x', /\.json:2:2 {2}text after the end of the array/, 'json'],
  ['a comma too many', '[{"a":1},]', /\.json:1:10 {2}a comma without an element/, 'json'],
  ['a broken element', '[{"a":1},\n  {"a":tru}]', /\.json:2:8 {2}not valid JSON/, 'json'],
  ['an element that is no object', '[{"a":1}, 7]', /\.json:1:11 {2}each record must be a JSON object, not a number/, 'json'],
  ['no array', '"x"', /\.json:1:1 {2}a JSON table is one array of objects/, 'json'],
  ['an empty array', '[]', /no rows/, 'json'],
  ['only blank lines', '\n\n', /no rows/],
];

for (const [title, content, message, extension] of BAD) {
  test(`a damaged JSON table is refused with its place: ${title}`, async () => {
    await assert.rejects(read(content, extension), (error: Error) => {
      assert.match(error.message, message);
      return true;
    });
  });
}

test('digits in strings and exact numbers are left alone', async () => {
  const { cells } = await read('{"a":"12345678901234567890 1e999","b":0.1234567890123456,"c":9007199254740991,"d":10000000000000000}\n');
  assert.deepEqual(cells, [['12345678901234567890 1e999', 0.1234567890123456, 9007199254740991, 10000000000000000]]);
});

test('a .json file of one object per line is JSONL', async () => {
  const { table, rows } = await read('{"a":1}\n{"a":2}\n', 'json');
  assert.equal(table.format, 'jsonl');
  assert.equal(rows.length, 2);
});

test('any list of objects comes back from JSONL and from a JSON array, however it is spaced', async () => {
  const object = fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 }), { minKeys: 1, maxKeys: 4 });
  await fc.assert(
    fc.asyncProperty(fc.array(object, { minLength: 1, maxLength: 6 }), fc.constantFrom(0, 2), async (objects, indent) => {
      const plain = JSON.parse(JSON.stringify(objects)) as object[];
      const strip = (rows: readonly Row[]) => rows.map((row) => JSON.parse(JSON.stringify(row.record)));
      assert.deepEqual(strip((await read(objects.map((item) => JSON.stringify(item)).join('\n'))).rows), plain);
      assert.deepEqual(strip((await read(JSON.stringify(objects, null, indent), 'json')).rows), plain);
    }),
    { numRuns: runsOf(60) },
  );
});
