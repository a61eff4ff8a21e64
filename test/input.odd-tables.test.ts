import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { UsageError } from '../src/core/errors.ts';
import type { InputSpec } from '../src/core/job.ts';
import { describeGuessedHeader } from '../src/input/draft/guessed-header.ts';
import { sampleTable } from '../src/input/draft/sample-table.ts';
import { sealText } from '../src/input/draft/seal.ts';
import { showCell } from '../src/input/request/cell-text.ts';
import { openTable } from '../src/input/table/open-table.ts';

const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'rowmill-'));
after(() => fs.rmSync(directory, { recursive: true }));
const { signal } = new AbortController();
let files = 0;

/** What comes of a table, as a prompt would show it: header and rows as texts, of a bad row why it is one; or why it is refused. */
interface Reading {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[] | string)[];
  readonly lines: readonly number[];
  readonly warnings: readonly string[];
}

async function read(content: string | Buffer, extension: string, more: Partial<InputSpec>): Promise<Reading | readonly string[]> {
  const file = path.join(directory, `t${files++}.${extension}`);
  fs.writeFileSync(file, content);
  const anonymous = (text: string) => text.replace(/\bt\d+\./g, 't.');
  try {
    const spec = { path: file, format: null, delimiter: null, encoding: null, columns: null, id: [], ...more };
    const table = await openTable(spec, { cwd: directory, signal });
    const rows: (readonly string[] | string)[] = [];
    const lines: number[] = [];
    for await (const chunk of table.readRows(signal)) {
      for (const row of chunk) {
        assert.equal(row.index, rows.length);
        rows.push(row.bad ?? row.cells.map(showCell));
        lines.push(row.line);
      }
    }
    return { columns: table.columns, rows, lines, warnings: [...table.warnings, ...table.readWarnings()].map(anonymous) };
  } catch (error) {
    assert.ok(error instanceof UsageError, String(error));
    return anonymous(error.message).split('\n');
  }
}

type Case = readonly [title: string, extension: string, content: string, more: Partial<InputSpec>, wanted: Partial<Reading> | RegExp[]];

const COUNT = '; input.bad_rows: skip keeps each at its place in the table and sends nothing for it';
const QUOTES = 'input.quote: none takes every quote as a character like others';
const manyBad = Array.from({ length: 25 }, (_, index) => (index % 2 === 0 ? `${index}` : `${index},x`));
const late = Array.from({ length: 1_003 }, (_, n) => JSON.stringify(n < 1_001 ? { a: `x${n}` } : { a: `x${n}`, b: n, c: n }));
const deep = (levels: number) => `${'['.repeat(levels)}${']'.repeat(levels)}`;
const exactly = (...messages: string[]) => messages.map((message) => new RegExp(`^${escapePattern(message)}$`));

function escapePattern(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

const CASES: readonly Case[] = [
  [
    'the line that names the separator is no row',
    'csv',
    'sep=;\nid;text\n1;a,b\n',
    {},
    { columns: ['id', 'text'], rows: [['1', 'a,b']], lines: [3] },
  ],
  [
    'such a line in quotes, with CRLF, behind a byte order mark',
    'csv',
    '\ufeff"sep=|"\r\na|b\r\n1|2\r\n',
    {},
    { columns: ['a', 'b'], rows: [['1', '2']], lines: [3] },
  ],
  [
    'the separator of the job is stronger, and the line is no row still',
    'csv',
    'SEP=,\na;b\n1;2\n',
    { delimiter: ';' },
    { columns: ['a', 'b'], rows: [['1', '2']] },
  ],
  ...['sep=;;;', '"sep=;";;', 'sep=; '].map(
    (line): Case => [
      `such a line that another program wrote again: ${line}`,
      'csv',
      `${line}\na;b;c\n1;2;3\n`,
      {},
      { columns: ['a', 'b', 'c'], rows: [['1', '2', '3']], warnings: [] },
    ],
  ),
  [
    'a bad row of several lines is told by the line it starts on',
    'csv',
    'a,b\n1,2\n3,"x\ny" z\n',
    { badRows: 'skip' },
    { lines: [2, 3, 4], warnings: ['2 lines are no row and skipped (bad_row): t.csv:3, t.csv:4'] },
  ],
  ['a tab as the separator that is named', 'csv', 'sep=\t\na\tb\n1\t2,3\n', {}, { columns: ['a', 'b'], rows: [['1', '2,3']] }],
  ['a header that only looks like that line', 'csv', 'sep=xy,b\n1,2\n', {}, { columns: ['sep=xy', 'b'], rows: [['1', '2']] }],
  [
    'columns without name and cells are left out, and it is said',
    'csv',
    'id,text,,\n1,good,,\n2,bad,, \n',
    {},
    {
      columns: ['id', 'text'],
      rows: [
        ['1', 'good'],
        ['2', 'bad'],
      ],
      warnings: ['t.csv: columns 3, 4 have no name and only empty cells, and are left out'],
    },
  ],
  [
    'a column without a name that has a cell is called by its place, another name than any other',
    'csv',
    'column_3,,, ,x\n1,,good,,2\n',
    {},
    {
      columns: ['column_3', 'column_3_', 'x'],
      rows: [['1', 'good', '2']],
      warnings: ['t.csv: columns 2, 4 have no name and only empty cells, and are left out'],
    },
  ],
  [
    'all lines that are too short or too long are told, with their number',
    'csv',
    'id,text,stars\n1,good,5\n2,bad\n3,fine,4,extra\n4,ok,3\n',
    {},
    exactly(
      't.csv:3:1  2 cells, expected 3 (separated by ",")',
      't.csv:4:1  4 cells, expected 3 (separated by ",")',
      `2 bad lines${COUNT}`,
    ),
  ],
  [
    'of many such lines the first twenty, and their number',
    'csv',
    `a,b,c\n${manyBad.join('\n')}\n`,
    {},
    [
      ...Array.from({ length: 20 }, (_, index) => new RegExp(`^t\\.csv:${index + 2}:1 `)),
      /^25 bad lines, of which these are the first 20; /,
    ],
  ],
  [
    'with bad_rows: skip each keeps its place, with its line and its text',
    'csv',
    'id,text,stars\n1,good,5\n2,bad\n3,fine,4,extra\n4,ok,3\n',
    { badRows: 'skip' },
    {
      rows: [
        ['1', 'good', '5'],
        'line 3: 2 cells, expected 3 (separated by ","): 2,bad',
        'line 4: 4 cells, expected 3 (separated by ","): 3,fine,4,extra',
        ['4', 'ok', '3'],
      ],
      lines: [2, 3, 4, 5],
      warnings: ['2 lines are no row and skipped (bad_row): t.csv:3, t.csv:4'],
    },
  ],
  [
    'quotes within cells refuse a table, all of them at once, and the way to take them is named',
    'tsv',
    'id\ttext\n1\tThe place was "cozy".\n2\t"Quoted start and no end\n3\tfine\n',
    {},
    [
      /^t\.tsv:2:17 {2}a quote inside a cell/,
      /^t\.tsv:3:3 {2}the quoted cell that starts here is never closed$/,
      new RegExp(`^2 bad lines; ${escapePattern(QUOTES)}; `),
    ],
  ],
  [
    'with quote: none every character is text',
    'tsv',
    'id\ttext\n1\tThe place was "cozy".\n2\t"Quoted start and no end\n"3"\t""\n',
    { quote: 'none' },
    {
      rows: [
        ['1', 'The place was "cozy".'],
        ['2', '"Quoted start and no end'],
        ['"3"', '""'],
      ],
    },
  ],
  ['so are the quotes of a header', 'csv', '"a,b"\n"1,2"\n', { quote: 'none' }, { columns: ['"a', 'b"'], rows: [['"1', '2"']] }],
  [
    'a line with bad quotes is one bad row: the lines behind it are rows again',
    'csv',
    'id,text\n1,"open\n2,fine\n3,"also" fine\n4,"good\nrow"\n5,end\n',
    { badRows: 'skip' },
    {
      rows: [
        'line 2: text after a closing quote, in the cell that starts on line 2; a quote inside a quoted cell is written twice: 1,"open',
        ['2', 'fine'],
        'line 4: text after a closing quote, in the cell that starts on line 4; a quote inside a quoted cell is written twice: 3,"also" fine',
        ['4', 'good\nrow'],
        ['5', 'end'],
      ],
      lines: [2, 3, 4, 5, 7],
    },
  ],
  [
    'a bad header refuses the table whatever becomes of bad rows',
    'csv',
    'id,"te"xt\n1,2\n',
    { badRows: 'skip' },
    [/^t\.csv:1:8 {2}text after a closing quote.*input\.quote: none/],
  ],
  [
    'names that repeat are refused, and what renames them is named',
    'csv',
    'id,text,text\n1,good,shoes\n',
    {},
    [/both called "text".*input\.columns with 3 names.*input\.header: true/],
  ],
  [
    'input.columns renames the columns of a table that has a header line',
    'csv',
    'id,text,text\n1,good,shoes\n',
    { columns: ['id', 'title', 'text'], hasHeader: true },
    { columns: ['id', 'title', 'text'], rows: [['1', 'good', 'shoes']], lines: [2] },
  ],
  [
    'of such names so many can only be new ones',
    'csv',
    'id,text,text\n1,good,shoes\n',
    { columns: ['id', 'title', 'text'] },
    { columns: ['id', 'title', 'text'], rows: [['1', 'good', 'shoes']] },
  ],
  [
    'new names for too few columns',
    'csv',
    'a,b,c\n1,2,3\n',
    { columns: ['x', 'y'], hasHeader: true },
    [/^t\.csv:1:1 {2}3 columns, but input\.columns has 2 names/],
  ],
  [
    'header: false makes a row of the first line',
    'csv',
    'a,b\n1,2\n',
    { hasHeader: false },
    {
      columns: ['column_1', 'column_2'],
      rows: [
        ['a', 'b'],
        ['1', '2'],
      ],
      warnings: [],
    },
  ],
  [
    'header: false with names',
    'csv',
    'x,y\n1,2\n',
    { hasHeader: false, columns: ['x', 'y'] },
    {
      columns: ['x', 'y'],
      rows: [
        ['x', 'y'],
        ['1', '2'],
      ],
    },
  ],
  [
    'lines before the table are passed over, their ends of any kind',
    'csv',
    'Export\r\nof, "today\r\rid,text\r\n1,x\r\n',
    { skipLines: 3 },
    { columns: ['id', 'text'], rows: [['1', 'x']], lines: [5] },
  ],
  [
    'lines before a JSONL table',
    'jsonl',
    '# export\n{"a":1}\n{"a":\n',
    { skipLines: 1 },
    [/^t\.jsonl:3:6 {2}not valid JSON: it ends too early$/, /^one bad line; input\.bad_rows/],
  ],
  ['more lines than there are', 'csv', 'a\n1\n', { skipLines: 9 }, [/^t\.csv: no rows$/]],
  [
    'a bad line of JSONL keeps its place',
    'jsonl',
    '{"a":1}\n{"a":\n[2]\n{"a":4}\n',
    { badRows: 'skip' },
    {
      columns: ['a'],
      rows: [
        ['1'],
        'line 2: not valid JSON: it ends too early: {"a":',
        'line 3: each record must be a JSON object, not a list: [2]',
        ['4'],
      ],
      lines: [1, 2, 3, 4],
    },
  ],
  [
    'an element of a JSON array that is no record keeps its place',
    'json',
    '[{"a":1},\n 2,\n{"a":3}]',
    { badRows: 'skip' },
    { rows: [['1'], 'line 2: each record must be a JSON object, not a number: 2', ['3']] },
  ],
  [
    'a cell nested too deeply',
    'jsonl',
    `{"a":"x","b":${deep(1_000)}}\n`,
    {},
    [/^t\.jsonl:1:\d+ {2}the record cannot be written again: it nests deeper than 1000 levels$/, /^one bad line; /],
  ],
  ['a cell nested as deeply as can be', 'jsonl', `{"b":${deep(999)}}\n`, {}, { columns: ['b'], rows: [[deep(999)]] }],
  [
    'a key that stands twice',
    'jsonl',
    '{"a":"first","a":"second"}\n',
    {},
    [/^t\.jsonl:1:14 {2}the record cannot be written again: the key "a" occurs twice$/, /^one bad/],
  ],
  [
    'a key that stands twice within a cell, in other words',
    'jsonl',
    '{"a":{"b":1}}\n{"x": {"b" : 1, "\\u0062": 2}}\n',
    {},
    [/^t\.jsonl:2:17 .*the key "b" occurs twice$/, /^one bad/],
  ],
  [
    'texts that look like keys are none',
    'jsonl',
    '{"a":"\\"a\\": 1, \\"a\\": 2","b":"\\"b\\":"}\n',
    {},
    { columns: ['a', 'b'], rows: [['"a": 1, "a": 2', '"b":']] },
  ],
  [
    'half of a character',
    'jsonl',
    '{"a":"x\\ud800"}\n{"a":"x\\udfff"}\n',
    {},
    [/^t\.jsonl:1:6 .*lone surrogate/, /^t\.jsonl:2:6 .*lone surrogate/, /^2 bad lines/],
  ],
  [
    'a key that first comes after the columns were learned is no column, and it is said where',
    'jsonl',
    `${late.join('\n')}\n`,
    {},
    {
      columns: ['a'],
      warnings: ['b', 'c'].map(
        (key) =>
          `t.jsonl:1002: the key "${key}" first appears here, after the records the columns were taken from, so it is not a column; list it in input.columns to make it one`,
      ),
    },
  ],
  [
    'a late key the job names is a column',
    'jsonl',
    `${late.join('\n')}\n`,
    { columns: ['c', 'a', 'b'] },
    { columns: ['a', 'b', 'c'], warnings: [] },
  ],
  [
    'what is for CSV is refused for JSONL',
    'jsonl',
    '{"a":1}\n',
    { quote: 'none' },
    [/^input\.quote: is for CSV and TSV; this table is JSONL$/],
  ],
];

for (const [title, extension, content, more, wanted] of CASES) {
  test(`odd tables: ${title}`, async () => {
    const reading = await read(content, extension, more);
    if (Array.isArray(wanted)) {
      assert.ok(Array.isArray(reading), JSON.stringify(reading));
      assert.equal(reading.length, wanted.length, reading.join('\n'));
      for (const [index, pattern] of wanted.entries()) assert.match(reading[index] as string, pattern);
      return;
    }
    assert.ok(!Array.isArray(reading), JSON.stringify(reading));
    const parts = reading as Reading;
    for (const [part, value] of Object.entries(wanted)) assert.deepEqual(parts[part as keyof Reading], value, part);
  });
}

test('the text of a bad row is cut to 200 characters, and never appears in a refusal', async () => {
  const long = `a,b\n1,2\n${'secret '.repeat(100)}\n`;
  const skipped = await read(long, 'csv', { badRows: 'skip' });
  assert.ok('rows' in skipped);
  assert.match(String(skipped.rows[1]), /^line 3: 1 cell, expected 2 \(separated by ","\): (secret ){28}sec…$/);
  assert.ok(!JSON.stringify(await read(long, 'csv', {})).includes('secret'));
});

/** A file in UTF-16 that ends within a character. */
const TORN = Buffer.concat([Buffer.from('\ufeffa,b\n1,x\n', 'utf16le'), Buffer.from('y')]);

test('bytes that are not text are refused with what can be done about it', async () => {
  const latin = Buffer.from('a,b\n1,\xe9\n', 'latin1');
  assert.deepEqual(await read(latin, 'csv', {}), ['t.csv:2:1  bytes that are not UTF-8; set input.encoding, for example windows-1252']);
  assert.deepEqual(await read(latin, 'csv', { encoding: 'utf-8' }), ['t.csv:2:1  bytes that are not UTF-8; is input.encoding right?']);
  assert.deepEqual(await read(TORN, 'csv', {}), [
    't.csv:3:1  bytes that are not utf-16le, as its byte order mark says; is the file complete?',
  ]);
});

test('an unclosed quote far before the end of a table costs one line', async () => {
  const rows = Array.from({ length: 30_000 }, (_, index) => `${index},text of some length ${index}`);
  const reading = await read(`a,b\n0,"open\n${rows.join('\n')}\n`, 'csv', { badRows: 'skip' });
  assert.ok('rows' in reading);
  assert.equal(reading.rows.length, 30_001);
  assert.match(String(reading.rows[0]), /never closed: 0,"open$/);
  assert.deepEqual(reading.rows.at(-1), ['29999', 'text of some length 29999']);
});

test('a table that is refused by default still gets a job: its quotes are text, or the user decides about its bad lines', async () => {
  const sample = (name: string, text: string) => {
    const file = path.join(directory, name);
    fs.writeFileSync(file, text);
    return sampleTable(file, directory, signal);
  };
  const quotes = await sample('quotes.tsv', 'id\ttext\n1\tThe place was "cozy".\n2\t"Quoted start and no end\n');
  assert.deepEqual([quotes.form.quote, quotes.form.badRows, quotes.rows.length, quotes.bad], ['none', undefined, 2, 0]);
  const ragged = await sample('ragged.csv', '"id","text"\n1,good\n2\n3,fine\n');
  assert.deepEqual([ragged.form.quote, ragged.form.badRows, ragged.rows.length, ragged.bad], [undefined, 'skip', 2, 1]);
  await assert.rejects(sample('hopeless.csv', 'id,text\n1\n2\n3,fine\n'), /2 bad lines; input/);
  const twice = await sample('twice.csv', 'id|text|text|text_2\n1|good|shoes|x\n');
  assert.deepEqual([twice.form.delimiter, twice.form.hasHeader], ['|', true]);
  assert.deepEqual([twice.columns, twice.rows], [['id', 'text', 'text_3', 'text_2'], [['1', 'good', 'shoes', 'x']]]);
  const asked = { text: sealText('a job\n'), input: { ...twice.form, path: '', format: null, id: [] } };
  assert.equal(describeGuessedHeader(asked, twice, 'twice.csv'), null, 'its names are no guess that has to be confirmed');
  const rowFirst = await sample('row-first.csv', '5,5,good\n6,7,fine\n');
  assert.deepEqual([rowFirst.columns, rowFirst.rows.length], [['column_1', 'column_2', 'column_3'], 2]);
  const lines = await sample('lines.csv', 'text\ntoo loud, too dear\nfine\nold, slow, broken\n');
  assert.deepEqual([lines.form.delimiter, lines.rows.flat()], ['|', ['too loud, too dear', 'fine', 'old, slow, broken']]);
  const advice = /"," separates nothing: input\.delimiter: tab, .*\(cp (\w+)\.csv \1\.txt\); input\.bad_rows/;
  await assert.rejects(sample('commas.csv', 'text\ntoo loud, too dear\nold, slow\n'), advice, 'it may be a table below a title');
  await assert.rejects(sample('first.csv', 'too loud, dear\nold, slow, broken\nfine\n'), advice);
  const named = await sample('first.txt', 'too loud, dear\nold, slow, broken\nfine\n');
  assert.deepEqual(named.rows.flat(), ['too loud, dear', 'old, slow, broken', 'fine']);
});
