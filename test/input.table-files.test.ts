import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { after, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { UsageError } from '../src/core/errors.ts';
import type { InputSpec } from '../src/core/job.ts';
import { type OpenTableOptions, openTable } from '../src/input/table/open-table.ts';
import { readBytes } from '../src/input/table/read-bytes.ts';
import { hashInput } from '../src/input/table/read-table.ts';

const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'rowmill-'));
after(() => fs.rmSync(directory, { recursive: true }));
const { signal } = new AbortController();

function put(name: string, content: string | Buffer): string {
  const file = path.join(directory, name);
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, content);
  return file;
}

function open(input: string, more: Partial<InputSpec> = {}, options: Partial<OpenTableOptions> = {}) {
  const spec = { path: input, format: null, delimiter: null, encoding: null, columns: null, id: [], ...more };
  return openTable(spec, { cwd: directory, signal, ...options });
}

async function readAll(table: Awaited<ReturnType<typeof open>>) {
  const rows: string[] = [];
  for await (const chunk of table.readRows(signal)) {
    for (const row of chunk) rows.push(`${row.index} ${row.file}:${row.line} ${row.cells.join('|')}`);
  }
  return rows;
}

test('a glob reads its files in the order of their names, with rows numbered throughout', async () => {
  put('g/b.csv', 'a\n3\n');
  put('g/a.csv', 'a\n1\n2\n');
  put('g/deep/c.csv', 'a\n4\n');
  put('g/.hidden.csv', 'a\n9\n');
  put('g/notes.txt', 'x');
  assert.deepEqual(await readAll(await open(path.join(directory, 'g/*.csv'))), ['0 g/a.csv:2 1', '1 g/a.csv:3 2', '2 g/b.csv:2 3']);
  const table = await open(path.join(directory, 'g/**/?.csv'));
  assert.deepEqual(
    table.files.map((file) => path.relative(directory, file)),
    ['g/a.csv', 'g/b.csv', 'g/deep/c.csv'],
  );
  assert.equal(table.bytes, 6 + 4 + 4);
});

test('a file whose name looks like a glob is that file', async () => {
  assert.deepEqual(await readAll(await open(put('odd/x[1]*.csv', 'a\n1\n'))), ['0 odd/x[1]*.csv:2 1']);
});

test('files of one table need the same header', async () => {
  put('h/1.csv', 'a,b\n1,2\n');
  put('h/2.csv', 'b,a\n1,2\n');
  await assert.rejects(
    open(path.join(directory, 'h/*.csv')),
    /^UsageError: h\/2\.csv:1:1 {2}its header differs from that of h\/1\.csv: b, a; expected a, b/,
  );
});

test('a gzip file is decompressed, whatever its name', async () => {
  assert.deepEqual(await readAll(await open(put('z/t.csv.gz', gzipSync('a,b\n1,2\n')))), ['0 z/t.csv.gz:2 1|2']);
  const table = await open(put('z/t.jsonl.gz', gzipSync('{"a":1}\n')));
  assert.equal(table.format, 'jsonl');
  const cut = await open(put('z/cut.csv.gz', gzipSync(`a,b\n${'1,2\n'.repeat(1000)}`).subarray(0, -9)));
  await assert.rejects(readAll(cut), /z\/cut\.csv\.gz: broken gzip data/);
});

test('a decompression bomb is refused', async () => {
  const part = gzipSync(Buffer.alloc(12 * 1024 * 1024, 'a,b\n'), { level: 9 });
  const file = put('z/bomb.csv.gz', Buffer.concat(Array.from({ length: 6 }, () => part)));
  let bytes = 0;
  await assert.rejects(async () => {
    for await (const chunk of readBytes({ path: file, shown: 'bomb.csv.gz' }, signal)) bytes += chunk.length;
  }, /bomb\.csv\.gz: unpacks to more than 200 times its size/);
  assert.ok(bytes <= 65 * 1024 * 1024);
});

test('standard input is kept with mode 0600 and can be read several times, also by a later run', async () => {
  const spoolPath = path.join(directory, 'spool');
  const table = await open('-', {}, { stdin: Readable.from([Buffer.from('a,b\n1,'), Buffer.from('2\n')]), spoolPath });
  assert.deepEqual(await readAll(table), ['0 standard input:2 1|2']);
  assert.deepEqual(await readAll(table), ['0 standard input:2 1|2']);
  assert.equal(fs.statSync(spoolPath).mode & 0o777, 0o600);
  assert.deepEqual(await readAll(await open('-', {}, { stdin: null, spoolPath })), ['0 standard input:2 1|2']);
  const lines = await open('-', {}, { stdin: Readable.from([Buffer.from('{"a":1}\n')]), spoolPath });
  assert.equal(lines.format, 'jsonl');
  await assert.rejects(open('-', {}, { stdin: Readable.from([]), spoolPath: path.join(directory, 'empty') }), /standard input: is empty/);
  const refused = path.join(directory, 'refused');
  await assert.rejects(
    open('-', {}, { stdin: Readable.from([Buffer.from('a,a\n1,2\n')]), spoolPath: refused }),
    /standard input:1:1 {2}columns 1 and 2/,
  );
  assert.ok(!fs.existsSync(refused));
  await assert.rejects(open('-', {}, { stdin: null, spoolPath: path.join(directory, 'never') }), /pipe it in again/);
});

const REFUSED: readonly [title: string, make: () => string, message: RegExp][] = [
  [
    'a missing file, with the nearest name',
    () => path.join(path.dirname(put('m/tickets.csv', 'a\n1\n')), 'ticket.csv'),
    /^UsageError: m\/ticket\.csv: no such table\. Did you mean "tickets\.csv"\?$/,
  ],
  ['a directory', () => path.dirname(put('d/t.csv', 'a\n1\n')), /: is a directory; name a file, or a glob like d\/\*\.csv/],
  ['an empty file', () => put('e.csv', ''), /e\.csv: is empty/],
  ['a glob without a match', () => path.join(directory, 'nothing-*.csv'), /nothing-\*\.csv: no file matches/],
  [
    'a named pipe',
    () => {
      const fifo = path.join(directory, 'pipe.csv');
      execFileSync('mkfifo', [fifo]);
      return fifo;
    },
    /pipe\.csv: is not a regular file/,
  ],
];

for (const [title, make, message] of REFUSED) {
  test(`an unreadable table is refused in one line: ${title}`, async () => {
    await assert.rejects(open(make()), (error: Error) => {
      assert.ok(error instanceof UsageError);
      assert.equal(error.message.split('\n').length, 1);
      assert.match(String(error), message);
      return true;
    });
  });
}

test('a file without read permission is refused', { skip: process.getuid?.() === 0 ? 'root may read everything' : false }, async () => {
  const file = put('secret.csv', 'a\n1\n');
  fs.chmodSync(file, 0);
  await assert.rejects(open(file), /secret\.csv: no permission to read it/);
});

test('the hash of an input covers all bytes of all files', async () => {
  const table = await open(put('s/a.csv', 'a\n1\n'));
  assert.equal(await hashInput(table, signal), createHash('sha256').update('a\n1\n').digest('hex'));
});

test('an aborted read stops', async () => {
  const table = await open(put('s/long.csv', `a,b\n${'1,2\n'.repeat(200_000)}`));
  const controller = new AbortController();
  await assert.rejects(async () => {
    for await (const _rows of table.readRows(controller.signal)) controller.abort();
  }, /abort/i);
});
