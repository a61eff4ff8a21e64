import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { makeNumber } from '../src/core/exact/exact-number.ts';
import { openTable } from '../src/input/table/open-table.ts';
import { formatSerial, tellDateForm } from '../src/input/xlsx/date-form.ts';
import { projectRoot } from './helpers/project-root.ts';
import { zip } from './helpers/zip.ts';

const { signal } = new AbortController();
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rowmill-xlsx-'));
after(() => fs.rmSync(folder, { recursive: true }));

/** Written by exceljs 4.4: a hidden sheet, then "Reviews" with a merged cell, a hidden row, formulas and rich text, then "Other". */
const BOOK = path.join(projectRoot, 'fixtures', 'book.xlsx');

async function open(file: string, sheet?: string, skipLines?: number) {
  const spec = { path: path.resolve(folder, file), format: null, delimiter: null, encoding: null, columns: null, id: [] };
  const more = { ...(sheet === undefined ? {} : { sheet }), ...(skipLines === undefined ? {} : { skipLines }) };
  return openTable({ ...spec, ...more }, { cwd: folder, signal });
}

async function readRows(file: string, sheet?: string, skipLines?: number) {
  const rows: { line: number; cells: readonly unknown[] }[] = [];
  for await (const chunk of (await open(file, sheet, skipLines)).readRows(signal))
    rows.push(...chunk.map(({ line, cells }) => ({ line, cells })));
  return rows;
}

test('a sheet is read as it is shown: dates as ISO 8601, values of formulas, numbers without floating-point noise', async () => {
  const table = await open(BOOK);
  assert.deepEqual(table.columns, ['id', 'text', 'stars', 'price', 'day', 'at', 'clock', 'took', 'ok', 'sum', 'kind']);
  assert.match(table.warnings.join(), /its sheet "Reviews" is used; the others are "Other" \(input\.sheet\)/);
  assert.deepEqual(await readRows(BOOK), [
    {
      line: 2,
      cells: [
        'r1',
        'Good, "really"\nGrüße 😀',
        5,
        1.1,
        '2026-11-29',
        '2026-11-29T21:04:05',
        '21:04:05',
        '36:00:00',
        true,
        6.1,
        'bold plain',
      ],
    },
    {
      line: 4,
      cells: ['r2', 'A & <b>', 9007199254740991, 0.30000000000000004, '1900-01-02', null, null, null, false, 'xy', '#N/A'],
    },
    { line: 5, cells: ['r3', 'merged', null, -1e-7, null, null, null, null, null, null, null] },
  ]);
});

test('input.sheet selects a sheet, and a wrong name is refused with the existing ones', async () => {
  assert.deepEqual(await readRows(BOOK, 'Other'), [{ line: 2, cells: [1, 2] }]);
  assert.deepEqual((await open(BOOK, 'Other')).warnings, []);
  await assert.rejects(open(BOOK, 'Revews'), {
    message: /has no sheet "Revews"\. Sheets: Notes, Reviews, Other\. Did you mean "Reviews"\?/,
  });
});

const RELATION = 'http://purl.oclc.org/ooxml/officeDocument/relationships';

/** A workbook of one sheet with these rows, in the strict form, with prefixes, as few programs write it. */
function writeBook(name: string, rows: string, more: Readonly<Record<string, string | Buffer>> = {}): string {
  const parts = {
    'xl/workbook.xml': `<x:workbook xmlns:x="x" xmlns:r="${RELATION}"><x:sheets><x:sheet name="S" sheetId="1" r:id="a"/></x:sheets></x:workbook>`,
    'xl/_rels/workbook.xml.rels': `<Relationships><Relationship Id="a" Type="${RELATION}/worksheet" Target="/xl/s.xml"/></Relationships>`,
    'xl/s.xml': `<x:worksheet xmlns:x="x"><x:sheetData>${rows}</x:sheetData></x:worksheet>`,
    ...more,
  };
  fs.writeFileSync(path.join(folder, name), zip(parts));
  return name;
}

const inline = (text: string) => `<x:c t="inlineStr"><x:is><x:t>${text}</x:t></x:is></x:c>`;
const HEAD = `<x:row>${inline('id')}${inline('text')}</x:row>`;

test('cells without references, inline texts and whole numbers of any length are read', async () => {
  const rows = `${HEAD}<x:row/><x:row>${inline('a_x000D_b')}<x:c><x:v>12345678901234567890</x:v></x:c></x:row>`;
  assert.deepEqual(await readRows(writeBook('plain.xlsx', rows)), [{ line: 3, cells: ['a\rb', makeNumber('12345678901234567890')] }]);
});

const REFUSED: readonly (readonly [what: string, rows: string, says: RegExp])[] = [
  [
    'a formula nobody has computed',
    `${HEAD}<x:row><x:c r="A2"><x:f>B1</x:f></x:c></x:row>`,
    /A2 has a formula without a saved value; open the workbook in a spreadsheet program and save it/,
  ],
  ['a cell beside the columns', `${HEAD}<x:row r="7"><x:c r="D7"><x:v>1</x:v></x:c></x:row>`, /cell D7 is in a column without a name/],
  [
    'two columns of one name',
    `<x:row>${inline('a')}${inline('b')}${inline('a')}</x:row>`,
    /cells A1 and C1 of sheet "S" are both called "a"/,
  ],
  ['an empty sheet', '', /its sheet "S" is empty/],
  ['a sheet with names alone', HEAD, /no rows/],
  ['broken XML', `${HEAD}<x:row>`, /cannot be read: /],
  ['a text that is not there', `${HEAD}<x:row><x:c t="s"><x:v>3</x:v></x:c></x:row>`, /A2 refers to a missing text/],
];

for (const [index, [what, rows, says]] of REFUSED.entries()) {
  test(`${what} is refused in a sentence`, async () => {
    await assert.rejects(async () => readRows(writeBook(`refused-${index}.xlsx`, rows)), { name: 'UsageError', message: says });
  });
}

test('skip_lines skips rows above the table, and the value of a formula may be an empty text', async () => {
  const title = `<x:row r="1">${inline('Report')}</x:row><x:row r="3">${inline('id')}${inline('text')}</x:row>`;
  const name = writeBook('title.xlsx', `${title}<x:row r="4">${inline('a')}<x:c t="str"><x:f>B1</x:f><x:v/></x:c></x:row>`);
  await assert.rejects(readRows(name), { message: /cell B3 is in a column without a name; .*input\.skip_lines/ });
  assert.deepEqual(await readRows(name, undefined, 2), [{ line: 4, cells: ['a', null] }]);
});

test('a binary workbook and XML in another encoding are refused by name, an empty sheet with a list of the others', async () => {
  fs.writeFileSync(path.join(folder, 'binary.xlsb'), zip({ 'xl/workbook.bin': 'x' }));
  await assert.rejects(open('binary.xlsb'), { message: /is a binary workbook \(\.xlsb\), which is not supported; save it as \.xlsx/ });
  const latin = Buffer.from(
    `<worksheet><sheetData><row>${inline('Gr\u00fc\u00dfe').replaceAll('x:', '')}</row></sheetData></worksheet>`,
    'latin1',
  );
  await assert.rejects(open(writeBook('latin.xlsx', '', { 'xl/s.xml': latin })), { message: /cannot be read: its XML is not UTF-8/ });
  const two = {
    'xl/workbook.xml': `<workbook xmlns:r="${RELATION}"><sheets><sheet name="A" r:id="a"/><sheet name="B" r:id="b"/></sheets></workbook>`,
    'xl/_rels/workbook.xml.rels': `<Relationships>${['a', 'b'].map((id) => `<Relationship Id="${id}" Type="${RELATION}/worksheet" Target="/xl/s.xml"/>`).join('')}</Relationships>`,
  };
  await assert.rejects(open(writeBook('empty.xlsx', '', two)), { message: /its sheet "A" is empty; input\.sheet names another: "B"/ });
});

test('an archive that is not a workbook, and a truncated workbook, are refused', async () => {
  fs.writeFileSync(path.join(folder, 'other.xlsx'), zip({ 'a.txt': 'text' }));
  await assert.rejects(open('other.xlsx'), { message: /is a ZIP archive, not a workbook/ });
  fs.writeFileSync(path.join(folder, 'cut.xlsx'), fs.readFileSync(BOOK).subarray(0, 4_000));
  await assert.rejects(open('cut.xlsx'), { message: /is not a complete workbook/ });
});

test('number formats distinguish dates, times and both', () => {
  const forms: readonly (readonly [id: number, code: string | undefined, form: string])[] = [
    [0, undefined, ''],
    [2, undefined, ''],
    [14, undefined, 'date'],
    [20, undefined, 'time'],
    [22, undefined, 'date time'],
    [164, 'yyyy\\-mm\\-dd', 'date'],
    [164, '[$-407]d. mmmm yyyy;@', 'date'],
    [164, 'mmm', 'date'],
    [164, 'mm:ss.0', 'time'],
    [164, '[h]:mm', 'time'],
    [164, 'dd/mm/yyyy hh:mm', 'date time'],
    [164, '[Red]#,##0.00 "days"', ''],
    [164, 'General', ''],
    [164, '0.00E+00', ''],
    [164, '_-* #,##0\\ _€_-', ''],
  ];
  for (const [id, code, expected] of forms) {
    const form = tellDateForm(id, code);
    assert.equal([form?.hasDate && 'date', form?.hasTime && 'time'].filter(Boolean).join(' '), expected, code ?? String(id));
  }
});

test('a count of days becomes the day the spreadsheet program shows, from 1900 and from 1904', () => {
  const date = { hasDate: true, hasTime: false };
  assert.equal(formatSerial(1, date, false), '1900-01-01');
  assert.equal(formatSerial(59, date, false), '1900-02-28');
  assert.equal(formatSerial(61, date, false), '1900-03-01');
  assert.equal(formatSerial(46_355, date, false), '2026-11-29');
  assert.equal(formatSerial(44_893, date, true), '2026-11-29');
  assert.equal(formatSerial(46_355.5, date, false), '2026-11-29T12:00:00');
  assert.equal(formatSerial(46_355.877_835_648_15, { hasDate: true, hasTime: true }, false), '2026-11-29T21:04:05');
  assert.equal(formatSerial(-1, date, false), null);
});
