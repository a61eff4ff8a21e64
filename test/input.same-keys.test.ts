import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { compileJob } from '../src/input/compile-job.ts';
import { makeJob } from '../src/input/job/make-job.ts';
import { openTable } from '../src/input/table/open-table.ts';
import { zip } from './helpers/zip.ts';

const { signal } = new AbortController();
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rowmill-same-'));
after(() => fs.rmSync(folder, { recursive: true }));

const COLUMNS = ['id', 'text', 'lang'];
const ROWS = [
  ['1', 'Good, "really"', 'en'],
  ['2', 'Grüße; 日本 😀', 'de'],
  ['3', 'two\nlines\tand a tab', ''],
  ['004', ' spaces ', '1.10'],
  ['5', '=SUM(A1)', "it's"],
];

const writeCsv = (delimiter: string) =>
  [COLUMNS, ...ROWS].map((cells) => cells.map((cell) => `"${cell.replaceAll('"', '""')}"`).join(delimiter)).join('\n');
const makeRecord = (cells: readonly string[]) => Object.fromEntries(COLUMNS.map((name, place) => [name, cells[place]]));
const escapeXml = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');

function writeBook(): Buffer {
  const cell = (text: string) => `<c t="inlineStr"><is><t xml:space="preserve">${escapeXml(text)}</t></is></c>`;
  const rows = [COLUMNS, ...ROWS].map((cells) => `<row>${cells.map(cell).join('')}</row>`);
  return zip({
    'xl/workbook.xml': '<workbook xmlns:r="r"><sheets><sheet name="S" r:id="a"/></sheets></workbook>',
    'xl/_rels/workbook.xml.rels': '<Relationships><Relationship Id="a" Type="r/worksheet" Target="s.xml"/></Relationships>',
    'xl/s.xml': `<worksheet><sheetData>${rows.join('')}</sheetData></worksheet>`,
  });
}

function writeParquet(): Buffer {
  const columnData = COLUMNS.map((name, place) => ({ name, data: ROWS.map((cells) => cells[place] as string), type: 'STRING' as const }));
  return Buffer.from(parquetWriteBuffer({ columnData }));
}

/** Every format in which the table is written, by the name of its file. */
const FORMATS: Readonly<Record<string, () => string | Buffer>> = {
  't.csv': () => writeCsv(','),
  't.csv.gz': () => gzipSync(writeCsv(',')),
  'semicolon.csv': () => `\uFEFF${writeCsv(';')}`,
  't.tsv': () => writeCsv('\t'),
  't.jsonl': () => ROWS.map((cells) => `${JSON.stringify(makeRecord(cells))}\n`).join(''),
  't.json': () => JSON.stringify(ROWS.map(makeRecord)),
  't.parquet': writeParquet,
  't.xlsx': writeBook,
};

async function readKeys(file: string): Promise<readonly (string | null)[]> {
  const spec = {
    name: 'same',
    input: { path: file, id: 'id' },
    model: 'gpt-4o-mini',
    output: 'text',
    prompt: '{{ id }}|{{ text }}|{{ lang }}',
  };
  const job = makeJob(spec, { directory: folder });
  const table = await openTable(job.input, { cwd: folder, signal });
  const compiled = compileJob({ job }, table);
  const keys: (string | null)[] = [];
  for await (const rows of table.readRows(signal)) {
    for (const row of rows) {
      const rendered = compiled.render(row);
      keys.push(rendered.status === 'request' ? rendered.request.key : null);
    }
  }
  return keys;
}

test('the same rows make the same requests, whatever the format of the table', async () => {
  const keys = new Map<string, readonly (string | null)[]>();
  for (const [name, write] of Object.entries(FORMATS)) {
    fs.writeFileSync(path.join(folder, name), write());
    keys.set(name, await readKeys(name));
  }
  const expected = keys.get('t.csv') ?? [];
  assert.equal(new Set(expected).size, ROWS.length);
  for (const [name, found] of keys) assert.deepEqual(found, expected, name);
});
