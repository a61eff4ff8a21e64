import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { stringify } from 'csv-stringify/sync';
import fc from 'fast-check';
import { UsageError } from '../src/core/errors.ts';
import type { InputSpec } from '../src/core/job.ts';
import { openTable } from '../src/input/table/open-table.ts';
import { runsOf, wideTest } from './helpers/wide.ts';

const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'rowmill-'));
after(() => fs.rmSync(directory, { recursive: true }));
const { signal } = new AbortController();
let files = 0;

function write(content: string | Buffer, extension = 'csv'): string {
  const file = path.join(directory, `table-${files++}.${extension}`);
  fs.writeFileSync(file, content);
  return file;
}

function specOf(file: string, more: Partial<InputSpec> = {}): InputSpec {
  return { path: file, format: null, delimiter: null, encoding: null, columns: null, id: [], ...more };
}

async function read(content: string | Buffer, more: Partial<InputSpec> = {}, extension = 'csv') {
  const table = await openTable(specOf(write(content, extension), more), { cwd: directory, signal });
  const rows: unknown[][] = [];
  const lines: number[] = [];
  for await (const chunk of table.readRows(signal)) {
    for (const row of chunk) {
      assert.equal(row.index, rows.length);
      rows.push([...row.cells]);
      lines.push(row.line);
    }
  }
  return { columns: table.columns, rows, lines, warnings: table.warnings };
}

async function refusal(content: string | Buffer, more: Partial<InputSpec> = {}, extension = 'csv'): Promise<string> {
  const error: unknown = await read(content, more, extension).then(
    () => assert.fail('the table was accepted'),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof UsageError, String(error));
  return error.message.replace(/table-\d+/, 'table');
}

const GOOD: readonly [title: string, content: string | Buffer, columns: string[], rows: string[][], lines: number[]][] = [
  [
    'a plain table',
    'a,b\n1,2\n3,4\n',
    ['a', 'b'],
    [
      ['1', '2'],
      ['3', '4'],
    ],
    [2, 3],
  ],
  ['no newline at the end', 'a,b\n1,2', ['a', 'b'], [['1', '2']], [2]],
  ['a byte order mark', '\ufeffa,b\n1,2\n', ['a', 'b'], [['1', '2']], [2]],
  [
    'CRLF',
    'a,b\r\n1,2\r\n3,4\r\n',
    ['a', 'b'],
    [
      ['1', '2'],
      ['3', '4'],
    ],
    [2, 3],
  ],
  [
    'CR alone',
    'a,b\r1,2\r3,4',
    ['a', 'b'],
    [
      ['1', '2'],
      ['3', '4'],
    ],
    [2, 3],
  ],
  [
    'mixed line ends',
    'a,b\r\n1,2\n3,4\r5,6\n',
    ['a', 'b'],
    [
      ['1', '2'],
      ['3', '4'],
      ['5', '6'],
    ],
    [2, 3, 4],
  ],
  [
    'line breaks in quotes',
    'a,b\n"x\ny",1\n"p\r\nq\r\n",2\nz,3\n',
    ['a', 'b'],
    [
      ['x\ny', '1'],
      ['p\r\nq\r\n', '2'],
      ['z', '3'],
    ],
    [2, 4, 7],
  ],
  ['doubled quotes', 'a\n"say ""hi"""\n', ['a'], [['say "hi"']], [2]],
  [
    'blank lines between and after',
    'a,b\n\n1,2\n\n\n3,4\n\n',
    ['a', 'b'],
    [
      ['1', '2'],
      ['3', '4'],
    ],
    [3, 6],
  ],
  ['a blank line in a table of one column is an empty cell', '\na\nx\n\ny\n', ['a'], [['x'], [''], ['y']], [3, 4, 5]],
  ['spaces are kept', 'a , b\n 1 ,2 \n', ['a ', ' b'], [[' 1 ', '2 ']], [2]],
  ['one column without a name', ',b\n1,2\n', ['column_1', 'b'], [['1', '2']], [2]],
  ['semicolons found by themselves', 'a;b,c;d\n1;2;3\n', ['a', 'b,c', 'd'], [['1', '2', '3']], [2]],
  ['tabs found by themselves', 'a\tb\n1\t2\n', ['a', 'b'], [['1', '2']], [2]],
  ['delimiters in a quoted header do not count', '"a;b;c",d\n1,2\n', ['a;b;c', 'd'], [['1', '2']], [2]],
  ['__proto__ and constructor as headers', '__proto__,constructor\n1,2\n', ['__proto__', 'constructor'], [['1', '2']], [2]],
  ['a zero byte', 'a,b\nx\0y,2\n', ['a', 'b'], [['x\0y', '2']], [2]],
  [
    'letters of every script',
    'text\nGrüße, "Я" 日本語 中文 😀\n'.replace('Grüße, "Я"', 'Grüße Я'),
    ['text'],
    [['Grüße Я 日本語 中文 😀']],
    [2],
  ],
  ['UTF-16 little endian with a mark', Buffer.from('\ufeffa,b\r\nü,日\r\n', 'utf16le'), ['a', 'b'], [['ü', '日']], [2]],
  ['UTF-16 big endian with a mark', Buffer.from('\ufeffa,b\nü,日\n', 'utf16le').swap16(), ['a', 'b'], [['ü', '日']], [2]],
];

for (const [title, content, columns, rows, lines] of GOOD) {
  test(`a CSV table is read exactly: ${title}`, async () => {
    const found = await read(content);
    assert.deepEqual({ columns: found.columns, rows: found.rows, lines: found.lines }, { columns, rows, lines });
  });
}

const BAD: readonly [title: string, content: string | Buffer, message: RegExp][] = [
  ['too few cells', 'a,b\n1,2\n"x\ny",3\n4\n', /^table\.csv:5:1 {2}1 cell, expected 2/],
  ['too many cells', 'a,b\r\n\r\n1,2,3\r\n', /^table\.csv:3:1 {2}3 cells, expected 2/],
  ['a quote never closed', 'a,b\n1,2\n3,"x\n4,5\n6,7\n', /^table\.csv:3:3 {2}the quoted cell that starts here is never closed/],
  ['text after a closing quote', 'a,b\n1,"x"y\n', /^table\.csv:2:6 {2}text after a closing quote, in the cell that starts on line 2/],
  [
    'a quote left open swallows until the next one',
    'a,b\n1,"x\n2,"y"\n',
    /^table\.csv:3:4 {2}text after a closing quote, in the cell that starts on line 2/,
  ],
  [
    'a zero byte after a closing quote',
    'a,b\n1,"x"\0\n',
    /^table\.csv:2:6 {2}text after a closing quote, in the cell that starts on line 2/,
  ],
  ['a quote inside plain text', 'a,b\n1,5" pipe\n', /^table\.csv:2:4 {2}a quote inside a cell that is not quoted/],
  ['two columns of one name', 'id,text,id\n1,2,3\n', /^table\.csv:1:1 {2}columns 1 and 3 are both called "id"/],
  ['only a header', 'a,b\n', /^table\.csv: no rows$/],
  ['only blank lines', '\n\n', /^table\.csv: no rows$/],
  ['nothing', '', /^table\.csv: is empty$/],
  [
    'bytes that are not UTF-8',
    Buffer.concat([Buffer.from('a,b\n1,ü\n2,'), Buffer.from([0xfc]), Buffer.from('\n3,x\n')]),
    /^table\.csv:3:1 {2}bytes that are not UTF-8/,
  ],
  [
    'a character cut off at the end',
    Buffer.concat([Buffer.from('a\nx\n'), Buffer.from([0xe6, 0x97])]),
    /^table\.csv:3:1 {2}bytes that are not UTF-8/,
  ],
  ['UTF-16 without a mark', Buffer.from('a,b\n1,2\n', 'utf16le'), /^table\.csv:1:1 {2}looks like UTF-16 .* utf-16le/],
  [
    'half a UTF-16 character',
    Buffer.concat([Buffer.from('\ufeffa,b\n1,2\n', 'utf16le'), Buffer.from([0x41])]),
    /^table\.csv:3:1 {2}bytes that are not utf-16le/,
  ],
  [
    'zeros and other bytes that no text has',
    Buffer.from('\x7fELF\x02\x01\x01\0\0\0\0\x03\0>\0', 'latin1'),
    /^table\.csv: is not text: 6 of its first 15 bytes are zeros or .*; export it as CSV/,
  ],
  ['broken gzip', Buffer.from([0x1f, 0x8b, 8, 0, 1, 2, 3]), /^table\.csv: broken gzip data/],
];

for (const [title, content, message] of BAD) {
  test(`a damaged CSV table is refused with its place: ${title}`, async () => {
    assert.match(await refusal(content), message);
  });
}

test('rows before the damage are yielded', async () => {
  const table = await openTable(specOf(write(`a,b\n${'1,2\n'.repeat(3000)}3\n`)), { cwd: directory, signal });
  let rows = 0;
  await assert.rejects(async () => {
    for await (const chunk of table.readRows(signal)) {
      assert.ok(chunk.length <= 512);
      rows += chunk.length;
    }
  }, /:3002:1 {2}1 cell/);
  assert.equal(rows, 3000);
});

test('the encoding of the job is used, windows-1252 with its euro sign and quotes', async () => {
  const bytes = Buffer.from([0x61, 0x0a, 0xfc, 0x80, 0x93, 0x94, 0x0a]);
  assert.deepEqual((await read(bytes, { encoding: 'latin1' })).rows, [['ü€“”']]);
  assert.deepEqual((await read(bytes, { encoding: 'windows-1252' })).rows, [['ü€“”']]);
  assert.deepEqual((await read(Buffer.from([0x61, 0x0a, 0x93, 0xfa, 0x96, 0x7b]), { encoding: 'shift_jis' })).rows, [['日本']]);
  assert.deepEqual((await read(Buffer.from('a\nü\n', 'utf16le'), { encoding: 'utf-16le' })).rows, [['ü']]);
  assert.match(await refusal('a\n1\n', { encoding: 'klingon' }), /unknown encoding "klingon"/);
});

test('a character split between two chunks of the file stays whole', async () => {
  const text = `a\n${'x'.repeat(131_069)}日本語${'y'.repeat(131_070)}😀\n`;
  assert.deepEqual((await read(text)).rows, [[text.slice(2, -1)]]);
});

test('a .tsv file is split at tabs only, unless the job sets a delimiter', async () => {
  assert.deepEqual((await read('a,b\tc\n1,2\t3\n', {}, 'tsv')).columns, ['a,b', 'c']);
  assert.deepEqual((await read('a|b,c\n1|2\n', { delimiter: '|' })).columns, ['a', 'b,c']);
});

test('input.columns names the cells of a table without a header, with a warning, and never hides a misspelt header', async () => {
  const headless = await read('1,Works well\n2,Broke\n', { columns: ['id', 'text'] });
  assert.deepEqual(headless.rows, [
    ['1', 'Works well'],
    ['2', 'Broke'],
  ]);
  assert.deepEqual(headless.columns, ['id', 'text']);
  assert.match(headless.warnings[0] ?? '', /no header line/);
  const header = await read('ID,Text\n1,Works\n', { columns: ['id', 'text'] });
  assert.deepEqual(header.columns, ['ID', 'Text']);
  assert.deepEqual(header.warnings, []);
});

wideTest('a cell of ten megabytes is read completely', async () => {
  const cell = 'lorem ipsum '.repeat(900_000);
  const { rows } = await read(`a,b\n1,"${cell}"\n`);
  assert.equal(rows[0]?.[1], cell);
});

test('a table written by csv-stringify is read back cell by cell', async () => {
  const cell = fc.oneof(
    fc.string({ unit: 'grapheme' }),
    fc.constantFrom('', '"', '""', ',', '\n', '\r\n', '\r', '=1+1', ' x ', '日本\n語', '\ufeff', ';\t'),
  );
  const table = fc
    .integer({ min: 2, max: 5 })
    .chain((width) => fc.array(fc.array(cell, { minLength: width, maxLength: width }), { minLength: 1, maxLength: 8 }));
  await fc.assert(
    fc.asyncProperty(table, fc.constantFrom('\n', '\r\n'), fc.constantFrom(',', ';', '\t'), async (rows, end, delimiter) => {
      const header = rows[0]?.map((_, index) => `c${index}`) ?? [];
      const text = stringify([header, ...rows], {
        record_delimiter: end,
        delimiter,
        quoted_match: /[\r\n;\t,"\ufeff]/,
        quoted_empty: true,
      });
      assert.deepEqual((await read(text)).rows, rows);
    }),
    { numRuns: runsOf(100) },
  );
});
