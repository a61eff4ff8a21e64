import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { compileJob } from '../src/input/compile-job.ts';
import { makeJob } from '../src/input/job/make-job.ts';
import { openTable } from '../src/input/table/open-table.ts';
import { readXml } from '../src/input/xlsx/read-xml.ts';

const MEBIBYTE = Buffer.alloc(1024 * 1024, 'x');

async function* makeXml(before: string) {
  yield Buffer.from(before);
  for (let count = 0; count < 200; count++) yield MEBIBYTE;
}

test('an endless text, attribute or comment of a workbook is refused before it fills memory', async () => {
  for (const before of ['<a>', '<a b="', '<a><!--', '<a']) {
    let pieces = 0;
    const read = async () => {
      for await (const _ of readXml(makeXml(before), {})) pieces += 1;
    };
    await assert.rejects(read, { message: 'it holds a text of more than 64 MB' }, before);
    assert.ok(pieces <= 66, before);
  }
});

test('a glob that matches more than a request can hold skips its row before everything is read', async (t) => {
  const { signal } = new AbortController();
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rowmill-bounds-'));
  t.after(() => fs.rmSync(folder, { recursive: true }));
  fs.writeFileSync(path.join(folder, 'in.csv'), 'id\n1\n');
  fs.writeFileSync(path.join(folder, 'page-0.pdf'), Buffer.concat([Buffer.from('%PDF-1.7'), Buffer.alloc(20_000_000)]));
  for (let copy = 1; copy < 2_000; copy++) fs.linkSync(path.join(folder, 'page-0.pdf'), path.join(folder, `page-${copy}.pdf`));
  const spec = {
    name: 'b',
    input: { path: 'in.csv' },
    model: 'gpt-4o',
    output: 'text',
    prompt: { user: '{{ id }}', files: ['page-*.pdf'] },
  };
  const job = makeJob(spec, { directory: folder });
  const table = await openTable(job.input, { cwd: folder, signal });
  const { render } = compileJob({ job }, table);
  for await (const rows of table.readRows(signal)) {
    const rendered = rows.map(render);
    assert.deepEqual(rendered, [
      { status: 'skipped', cause: 'too_large', message: 'the files of the row have more than 50,000,000 bytes together' },
    ]);
  }
});
