import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { parse } from 'csv-parse/sync';
import type { FinishedRow } from '../src/core/finished-row.ts';
import { NO_USAGE } from '../src/core/usage.ts';
import { openAtomicFile } from '../src/output/atomic-file.ts';
import { createFailuresWriter } from '../src/output/failures-writer.ts';
import { failuresPath, partialPath } from '../src/output/output-paths.ts';
import { createPlainTable } from '../src/output/plain-table.ts';
import { findColumnClash } from '../src/output/table-columns.ts';

let directory = '';
beforeEach(() => {
  directory = fs.mkdtempSync(path.join(os.tmpdir(), 'rowmill-'));
});
afterEach(() => fs.rmSync(directory, { recursive: true }));

const inDirectory = (...names: readonly string[]) => path.join(directory, ...names);

test('a plain table is as safe for spreadsheets as the table of its job', async () => {
  const write = async (excel: boolean) => {
    const table = await createPlainTable(inDirectory('plain.csv'), ['id', '=answer'], { delimiter: ';', excel });
    await table.write([1, '=HYPERLINK("x")']);
    await table.finish();
    return fs.readFileSync(inDirectory('plain.csv'), 'utf8');
  };
  assert.equal(await write(true), `\uFEFFid;'=answer\r\n1;"'=HYPERLINK(""x"")"\r\n`);
  assert.equal(await write(false), 'id;=answer\n1;"=HYPERLINK(""x"")"\n');
});

test('the old file stays until the new one is complete, and nothing else is left next to it', async () => {
  const target = inDirectory('table.csv');
  fs.writeFileSync(target, 'old');
  const file = await openAtomicFile(target);
  await file.write('new, ');
  await file.write('ü');
  assert.equal(fs.readFileSync(target, 'utf8'), 'old');
  assert.equal((await file.commit()).bytes, 7);
  assert.equal(fs.readFileSync(target, 'utf8'), 'new, ü');
  assert.deepEqual(fs.readdirSync(directory), ['table.csv']);
});

test('abandoning a file keeps the old one, before and after a failed completion', async () => {
  const target = inDirectory('table.csv');
  fs.writeFileSync(target, 'old');
  const first = await openAtomicFile(target);
  await first.write('half');
  await first.discard();
  const second = await openAtomicFile(target);
  fs.rmSync(target);
  fs.mkdirSync(path.join(target, 'in the way'), { recursive: true });
  await assert.rejects(second.commit(), { code: 'disk', exitCode: 2, message: /cannot write .*table\.csv/ });
  await second.discard();
  assert.deepEqual(fs.readdirSync(directory), ['table.csv']);
});

test('a new file follows the umask, a replacement keeps the mode of what it replaces', async () => {
  const write = async (target: string) => {
    const file = await openAtomicFile(target);
    await file.commit();
    return fs.statSync(target).mode & 0o777;
  };
  const umask = process.umask();
  assert.equal(await write(inDirectory('new', 'deep', 'table.csv')), 0o666 & ~umask);
  fs.writeFileSync(inDirectory('old.csv'), '');
  fs.chmodSync(inDirectory('old.csv'), 0o640);
  assert.equal(await write(inDirectory('old.csv')), 0o640);
});

test('a link is followed, also to a file that does not exist yet', async () => {
  fs.mkdirSync(inDirectory('real'));
  for (const before of ['old', null]) {
    const real = inDirectory('real', `${before}.csv`);
    if (before !== null) fs.writeFileSync(real, before);
    const link = inDirectory(`${before}.link`);
    fs.symlinkSync(path.join('real', `${before}.csv`), link);
    const file = await openAtomicFile(link);
    await file.write('new');
    await file.commit();
    assert.ok(fs.lstatSync(link).isSymbolicLink());
    assert.equal(fs.readFileSync(real, 'utf8'), 'new');
  }
});

test('anything but a regular file is not replaced', async () => {
  await assert.rejects(openAtomicFile(directory), { code: 'output', message: /not a regular file/ });
  fs.writeFileSync(inDirectory('plain'), '');
  await assert.rejects(openAtomicFile(inDirectory('plain', 'table.csv')), { code: 'disk' });
});

test('leftovers of a killed process are removed, files a live one is writing are not', async () => {
  const target = inDirectory('table.csv');
  const abandoned = await openAtomicFile(target);
  const [name = ''] = fs.readdirSync(directory);
  await abandoned.discard();
  const deadId = spawnSync(process.execPath, ['-e', '']).pid;
  const [dead, living] = [deadId, process.ppid].map((id) => name.replace(String(process.pid), String(id)));
  const other = '.rowmill-000000000000-1.tmp';
  for (const leftover of [dead, living, other] as string[]) fs.writeFileSync(inDirectory(leftover), 'x');
  const file = await openAtomicFile(target);
  await file.commit();
  assert.deepEqual(fs.readdirSync(directory).sort(), [living, other, 'table.csv'].sort());
});

test('partial and failures tables are next to the table', () => {
  assert.equal(partialPath('/o/reviews.csv'), '/o/reviews.partial.csv');
  assert.equal(partialPath('o/summaries.v2.jsonl'), 'o/summaries.v2.partial.jsonl');
  assert.equal(partialPath('table'), 'table.partial');
  assert.equal(failuresPath('/o/summaries.jsonl'), '/o/summaries.failures.csv');
});

test('a name clash of our columns with the input is found, with a prefix that avoids it', () => {
  const options = { columns: ['id', '_status', 'label'], keep: 'all', prefix: '', answerColumns: ['label'] } as const;
  const clash = findColumnClash(options);
  assert.deepEqual([clash?.columns, clash?.prefix], [['label', '_status'], 'llm_']);
  assert.equal(clash?.message, 'the input already has columns "label", "_status". Set write.prefix: llm_');
  assert.equal(findColumnClash({ ...options, prefix: 'llm_' }), null);
  assert.equal(findColumnClash({ ...options, keep: ['id'] }), null);
  assert.equal(findColumnClash({ ...options, columns: ['label', 'llm_label'] })?.prefix, 'rowmill_');
  assert.equal(findColumnClash({ ...options, columns: ['answer'], answerColumns: [] })?.prefix, 'llm_');
  assert.deepEqual(findColumnClash({ ...options, columns: ['_simulated'] })?.columns, ['_simulated']);
  assert.deepEqual(findColumnClash({ ...options, columns: [], answerColumns: ['_error'] })?.prefix, null);
});

function finished(index: number, disposition: FinishedRow['disposition']): FinishedRow {
  const row = { index, file: 'in.csv', line: index * 2 + 2, cells: [`T-${index}`], record: null, key: null };
  const usage = { usage: NO_USAGE, answerUsage: NO_USAGE };
  return { row, disposition, answer: undefined, attempts: 2, model: null, ...usage, costNanoUsd: 1500, requestId: 'req_9', key: null };
}

test('failed and skipped rows are listed with what is needed to find them, and the list is removed if there are none', async () => {
  const target = inDirectory('reviews.failures.csv');
  const createWriter = () => createFailuresWriter({ path: target, readId: (row) => String(row.cells[0]), excel: false });
  const writer = createWriter();
  await writer.write(finished(0, { status: 'ok', source: 'new' }));
  await writer.write(finished(1, { status: 'failed', cause: 'invalid', message: 'not JSON:\n"x"' }));
  await writer.write(finished(2, { status: 'pending' }));
  await writer.write(finished(3, { status: 'skipped', cause: 'empty', message: 'nothing in it' }));
  assert.ok((await writer.finish()) !== null);
  assert.deepEqual(parse(fs.readFileSync(target)), [
    ['row', 'file', 'line', 'id', 'key', 'cause', 'message', 'attempts', 'request_id', 'cost_usd'],
    ['2', 'in.csv', '4', 'T-1', '', 'invalid', 'not JSON:\n"x"', '2', 'req_9', '0.000001500'],
    ['4', 'in.csv', '8', 'T-3', '', 'empty', 'nothing in it', '2', 'req_9', '0.000001500'],
  ]);
  const safe = createFailuresWriter({ path: target, readId: () => '=id', excel: true });
  await safe.write(finished(1, { status: 'failed', cause: 'refused', message: '-2+cmd' }));
  await safe.finish();
  const text = fs.readFileSync(target, 'utf8');
  assert.ok(text.startsWith('\ufeffrow,file,') && text.endsWith('\r\n') && text.includes(",'=id,,refused,'-2+cmd,"));
  const clean = createWriter();
  await clean.write(finished(0, { status: 'ok', source: 'new' }));
  assert.equal(await clean.finish(), null);
  assert.deepEqual(fs.readdirSync(directory), []);
});
