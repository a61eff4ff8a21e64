import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import type { Row } from '../src/core/row.ts';
import { compileJob } from '../src/input/compile-job.ts';
import { makeJob } from '../src/input/job/make-job.ts';
import { keepRows } from '../src/input/kept-rows.ts';
import { type InputTable, openFiles } from '../src/input/table/read-table.ts';
import { decodeRows, encodeRows, HEAD_BYTES, readHead } from '../src/input/table/row-chunk.ts';
import { runsOf } from './helpers/wide.ts';

const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'rowmill-'));
after(() => fs.rmSync(directory, { recursive: true }));
const { signal } = new AbortController();

const HEADER = 'id,text\n';
const LINES = Array.from({ length: 2_000 }, (_, row) => `r${row},"text ${row}, ""quoted"" und größer\nпривет 商品 😀"\n`);

let files = 0;

/** A table with a job that asks of its rows, and how often it was parsed. */
async function makeTable(text = HEADER + LINES.join(''), { prompt = '{{ text }}', keepsKeys = true } = {}) {
  const file = path.join(directory, `table-${files++}.csv`);
  fs.writeFileSync(file, text);
  const spec = { path: file, format: null, delimiter: null, encoding: null, columns: null, id: [] };
  const input = [{ path: file, shown: 'table.csv' }];
  const keptPath = `${file}.rows`;
  let parsed = 0;
  async function open(change: { prompt?: string } = {}) {
    const table = await openFiles(spec, input, signal);
    const counted: InputTable = {
      ...table,
      readRows(...given) {
        parsed += 1;
        return table.readRows(...given);
      },
    };
    const job = makeJob(
      { name: 'j', input: { path: file }, model: 'gpt-4o-mini', output: 'text', prompt, ...change },
      { directory: '/data' },
    );
    const compiled = compileJob({ job }, table);
    const kept = keepRows(counted, compiled, { path: keptPath, keepsKeys });
    /** As a run does: every row is rendered, whereby its key is learned. */
    async function pass(): Promise<Row[]> {
      const rows: Row[] = [];
      for await (const chunk of kept.table.readRows(signal)) {
        for (const row of chunk) {
          rows.push({ ...row });
          const rendered = compiled.render(row);
          if (rendered.status === 'request') row.key = rendered.request.key;
        }
      }
      return rows;
    }
    return { ...kept, compiled, pass };
  }
  return { file, spec, input, keptPath, open, parsedTimes: () => parsed };
}

const withoutKeys = (rows: readonly Row[]) => rows.map((row) => ({ ...row, key: null }));

test('a table is parsed once; later passes get the same rows, with the keys the first has learned', async () => {
  const { open, parsedTimes, keptPath } = await makeTable();
  const { pass, compiled } = await open();
  const first = await pass();
  assert.equal(first.length, LINES.length);
  assert.deepEqual(
    first.map(({ key }) => key),
    first.map(() => null),
  );
  const second = await pass();
  assert.equal(parsedTimes(), 1);
  assert.deepEqual(withoutKeys(second), first);
  for (const row of second) {
    const rendered = compiled.render(row);
    assert.equal(row.key, rendered.status === 'request' ? rendered.request.key : null);
  }
  assert.equal(fs.statSync(keptPath).mode & 0o777, 0o600);
  // Another process goes on with what this one kept.
  const again = await open();
  assert.deepEqual(await again.pass(), second);
  assert.equal(parsedTimes(), 1);
  await again.remove();
  assert.equal(fs.existsSync(keptPath), false);
});

test('one other byte in the table, of the same size and time, and it is parsed anew', async () => {
  const { open, parsedTimes, file } = await makeTable();
  const { pass, table } = await open();
  await pass();
  const before = await table.readSha256(signal);
  const { atime, mtime } = fs.statSync(file);
  fs.writeFileSync(file, fs.readFileSync(file, 'utf8').replace('text 1999,', 'text 1998,'));
  fs.utimesSync(file, atime, mtime);
  const rows = await pass();
  assert.equal(parsedTimes(), 2);
  assert.match(String(rows.at(-1)?.cells[1]), /^text 1998,/);
  assert.notEqual(await table.readSha256(signal), before);
  assert.deepEqual(withoutKeys(await pass()), rows);
  assert.equal(parsedTimes(), 2);
});

test('another prompt parses anew, so that no key of the old one is used', async () => {
  const { open, parsedTimes } = await makeTable();
  await (await open()).pass();
  const other = await open({ prompt: 'Another one: {{ text }}' });
  assert.ok((await other.pass()).every(({ key }) => key === null));
  assert.equal(parsedTimes(), 2);
});

test('keys are left out where a row may ask something else the next time', async () => {
  const { open, parsedTimes } = await makeTable(undefined, { keepsKeys: false });
  const { pass } = await open();
  const first = await pass();
  assert.deepEqual(await pass(), first);
  assert.equal(parsedTimes(), 1);
});

test('what a broken disk or an interrupted pass leaves is never read: the rows are those of the table', async () => {
  const { open, keptPath, parsedTimes } = await makeTable();
  const { pass, table } = await open();
  const rows = await pass();
  const whole = fs.readFileSync(keptPath);
  const damages: readonly Buffer[] = [
    Buffer.alloc(0),
    Buffer.from('no such file'),
    whole.subarray(0, -1),
    whole.subarray(0, whole.length / 2),
    Buffer.concat([whole.subarray(0, whole.length / 2), whole.subarray(-128)]),
    Buffer.concat([whole.subarray(0, 5), whole.subarray(-128)]),
    ...[0, 4, 8, 12, 1_000, whole.length >> 1, whole.length - 129].map((at) => {
      const bytes = Buffer.from(whole);
      bytes[at] = (bytes[at] as number) ^ 0x10;
      return bytes;
    }),
  ];
  for (const [index, damaged] of damages.entries()) {
    fs.writeFileSync(keptPath, damaged);
    const before = parsedTimes();
    assert.deepEqual(withoutKeys(await pass()), rows, `damage ${index}`);
    assert.equal(parsedTimes(), before + 1, `damage ${index}`);
    assert.deepEqual(withoutKeys(await pass()), rows, `after damage ${index}`);
    assert.equal(parsedTimes(), before + 1, `after damage ${index}`);
  }
  fs.rmSync(keptPath);
  for await (const _rows of table.readRows(signal)) break;
  assert.deepEqual(
    fs.readdirSync(directory).filter((name) => name.startsWith(path.basename(keptPath))),
    [],
  );
});

test('a disk that refuses the file costs nothing but the file', async () => {
  const { open, keptPath, parsedTimes } = await makeTable();
  fs.mkdirSync(`${keptPath}.part`);
  const { pass } = await open();
  const rows = await pass();
  assert.equal(rows.length, LINES.length);
  assert.deepEqual(await pass(), rows);
  assert.equal(parsedTimes(), 2);
});

test('two passes at a time do not disturb each other', async () => {
  const { open, parsedTimes } = await makeTable();
  const { pass } = await open();
  const [a, b] = await Promise.all([pass(), pass()]);
  assert.deepEqual(a, b);
  assert.deepEqual(withoutKeys(await pass()), a);
  assert.equal(parsedTimes(), 2);
});

test('any text a cell can hold comes back from a chunk as it was', () => {
  const record = fc.record({
    line: fc.integer({ min: 1, max: 2 ** 31 }),
    cells: fc.array(fc.string({ unit: 'binary' }), { minLength: 3, maxLength: 3 }),
    key: fc.option(fc.string({ unit: 'grapheme-ascii', minLength: 1 })),
  });
  fc.assert(
    fc.property(fc.array(record, { minLength: 1, maxLength: 100 }), (records) => {
      const rows = records.map((row, index) => ({ index: index + 7, file: 'größe.csv', record: null, ...row }));
      const chunk = encodeRows(rows, true);
      assert.equal(chunk.length % 4, 0);
      const body = Buffer.from(chunk.buffer, HEAD_BYTES);
      assert.deepEqual(decodeRows(readHead(chunk), body, { width: 3, firstIndex: 7 }), rows);
      body[body.length - 1] = (body.at(-1) as number) ^ 1;
      assert.equal(decodeRows(readHead(chunk), body, { width: 3, firstIndex: 7 }), null);
    }),
    { numRuns: runsOf(50) },
  );
});
