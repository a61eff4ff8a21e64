import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { test } from 'node:test';
import { breakDisk, type DiskFault } from './helpers/disk-faults.ts';
import { runInProcess } from './helpers/run-in-process.ts';
import { makeJobText, makeRows, renderCsv } from './helpers/run-world.ts';

const OPERATIONS = ['open', 'read', 'write', 'sync', 'truncate', 'rename', 'link', 'mkdir'] as const;

/** What is typed, what fails first and for good, and what is said. */
const cases: readonly (readonly [string, Pick<DiskFault, 'errno'> & { readonly first: string }, RegExp])[] = [
  [
    'run job.yaml --simulate --fresh --yes',
    { errno: 'ENOSPC', first: 'write events' },
    /cannot write .*events\.jsonl: the disk is full .*--state-dir DIR/,
  ],
  [
    'run job.yaml --simulate --fresh --yes',
    { errno: 'EROFS', first: 'open .tmp-' },
    /cannot open .*lock: it is on a read-only file system .*--state-dir DIR/,
  ],
  ['run job.yaml --simulate --fresh --yes', { errno: 'EDQUOT', first: 'write events' }, /the quota on this disk is used up/],
  ['plan job.yaml --simulate', { errno: 'EMFILE', first: 'read events' }, /events\.jsonl: this process has too many files open .*ulimit/],
  [
    'status job.yaml --simulate',
    { errno: 'EACCES', first: 'read events' },
    /events\.jsonl: permission denied|job\.yaml: cannot be read \(EACCES/,
  ],
  [
    'verify job.yaml --simulate',
    { errno: 'EIO', first: 'read events' },
    /events\.jsonl: the disk reports an error|job\.yaml: cannot be read \(EIO/,
  ],
  [
    'report job.yaml --simulate --html page.html',
    { errno: 'EACCES', first: 'open .rowmill-' },
    /cannot open .*page\.html: permission denied/,
  ],
  ['sample job.yaml --simulate -n 2', { errno: 'ENOSPC', first: 'write .rowmill-' }, /cannot write .*out\.sample\.csv: the disk is full/],
  [
    'failures job.yaml --simulate --csv failed.csv',
    { errno: 'EIO', first: 'read events' },
    /the disk reports an error|job\.yaml: cannot be read \(EIO/,
  ],
  ['init another', { errno: 'EACCES', first: 'open another.yaml' }, /cannot open another\.yaml: permission denied/],
];

test('every command reports a failing disk in one sentence, and ends with 2', async (t) => {
  const cwd = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'rowmill-')));
  t.after(() => fs.rmSync(cwd, { recursive: true, force: true }));
  fs.writeFileSync(path.join(cwd, 'in.csv'), renderCsv(makeRows(4)));
  fs.writeFileSync(path.join(cwd, 'job.yaml'), makeJobText('').replace('mode: batch', 'mode: live'));
  const surroundings = { cwd, env: { PATH: process.env.PATH ?? '', HOME: cwd } };
  const first = await runInProcess(['run', 'job.yaml', '--simulate', '--yes', '--progress', 'none'], surroundings);
  assert.equal(first.exitCode, 0, first.stderr);
  for (const [typed, fault, says] of cases) {
    const disk = breakDisk({ ...fault, nth: 1, isLasting: true, operations: OPERATIONS, under: cwd, except: '/provider' });
    const ended = await runInProcess(typed.split(' '), surroundings).finally(() => disk.mend());
    assert.notDeepEqual(disk.fired, [], `${typed}: the fault fired`);
    assert.equal(ended.exitCode, 2, `${typed}: ${ended.stderr}`);
    assert.match(ended.stderr, says, typed);
    assert.doesNotMatch(ended.stderr, /bug in rowmill|\n {4}at /, typed);
  }
  const again = await runInProcess(['verify', 'job.yaml', '--simulate'], surroundings);
  assert.equal(again.exitCode, 0, again.stdout + again.stderr);
});
