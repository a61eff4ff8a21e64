import assert from 'node:assert/strict';
import fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { test } from 'node:test';
import { makeReadOptions } from '../src/cli/read-options.ts';
import { asDiskError, DiskError } from '../src/core/disk/disk-error.ts';
import { makeFolders } from '../src/core/disk/make-folders.ts';
import { verifyState } from '../src/inspect/verify/verify.ts';
import { createDiskReserve } from '../src/ledger/disk/reserve.ts';
import { DAMAGES, readAnswers } from './helpers/damage.ts';
import type { DiskFault } from './helpers/disk-faults.ts';
import { assertTold, makeDiskWorld, readResult, readUndisturbed } from './helpers/disk-world.ts';
import { makeWorld } from './helpers/run-world.ts';

test('a disk without room for answers in flight says how much is free, and how much is wanted', (t) => {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'rowmill-'));
  t.after(() => fs.rmSync(directory, { recursive: true }));
  t.mock.method(fs, 'statfsSync', () => ({ bavail: 13, bsize: 100_000 }));
  t.mock.method(fs, 'writeSync', () => {
    throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC', syscall: 'write' });
  });
  assert.throws(
    () => createDiskReserve(directory).ensure(4_200_000),
    /reserve: the disk is full \(ENOSPC\): 1\.3 MB free, 4\.2 MB wanted for answers in flight; make room/,
  );
});

test('a disk error is one sentence: what, which path, what to do; with another place for the state if that helps', () => {
  const state = '/home/me/jobs/.rowmill/reviews/events.jsonl';
  const cases = [
    [
      'ENOSPC',
      'write',
      state,
      `cannot write ${state}: the disk is full (ENOSPC); make room, or keep the state elsewhere (--state-dir DIR)`,
    ],
    ['EDQUOT', 'write', 'out.csv', 'cannot write out.csv: the quota on this disk is used up (EDQUOT); make room'],
    ['EIO', 'fsync', state, `cannot write ${state}: the disk reports an error (EIO); check the disk`],
    [
      'EROFS',
      'open',
      state,
      `cannot open ${state}: it is on a read-only file system (EROFS); make that writable, or keep the state elsewhere (--state-dir DIR)`,
    ],
    ['EROFS', 'mkdir', '/home/me/.rowmill', 'cannot create the folder /home/me/.rowmill: .*--state-dir DIR'],
    [
      'EACCES',
      'mkdir',
      '/home/me/.rowmill',
      'cannot create the folder /home/me/.rowmill: permission denied \\(EACCES\\); .*--state-dir DIR',
    ],
    [
      'EMFILE',
      'open',
      'out.csv',
      'cannot open out.csv: this process has too many files open \\(EMFILE\\); raise the limit \\(ulimit -n 4096\\)',
    ],
    [
      'ENAMETOOLONG',
      'rename',
      'out.csv',
      'cannot write out.csv: the name is too long for this disk \\(ENAMETOOLONG\\); choose a shorter one',
    ],
    ['EISDIR', 'rename', 'out.csv', 'cannot write out.csv: a folder is in its place \\(EISDIR\\); move it away'],
    ['EIO', 'read', state, `cannot read ${state}: the disk reports an error`],
  ] as const;
  for (const [code, syscall, path, sentence] of cases) {
    const known = asDiskError(Object.assign(new Error(`${code}: no`), { code, syscall, path }));
    assert.ok(known instanceof DiskError, `${code} of ${syscall}`);
    assert.equal(known.exitCode, 2);
    const isPlain = !sentence.includes('\\') && !sentence.includes('.*');
    if (isPlain) assert.ok(known.message.startsWith(sentence), known.message);
    else assert.match(known.message, new RegExp(sentence));
    assert.match(known.message, /then run the same command again$/);
  }
});

test('an error of the network or of another process is not a disk error', () => {
  for (const [code, syscall] of [
    ['EACCES', 'listen'],
    ['EACCES', 'spawn'],
    ['ECONNRESET', 'read'],
  ] as const) {
    const error = Object.assign(new Error(code), { code, syscall });
    assert.equal(asDiskError(error), error);
  }
});

/** Every other place is made to fail by `prove`, and in slow.disk-faults. */
const faults: readonly (Omit<DiskFault, 'under' | 'nth'> & { readonly mode: 'batch' | 'live'; readonly exitCode: number | null })[] = [
  { mode: 'batch', errno: 'EROFS', first: 'mkdir proof@simulator', exitCode: 2 },
  { mode: 'live', errno: 'ENOSPC', first: 'write live-', isLasting: true, exitCode: null },
];

for (const { mode, exitCode, ...fault } of faults) {
  const ending = exitCode === null ? 'goes by' : `ends with ${exitCode}`;
  test(`${fault.errno} of ${fault.first} in a ${mode} run ${ending}, and the same command brings the undisturbed table and bill`, async () => {
    const disk = await makeDiskWorld(mode);
    try {
      const broken = await disk.runBroken({ ...fault, nth: 1 });
      assert.notDeepEqual(broken.fired, [], 'the fault fired');
      assertTold(broken, `${fault.errno} of ${fault.first}`);
      assert.equal(broken.error?.exitCode ?? null, exitCode, broken.error?.message);
      await disk.run();
      assert.deepEqual(readResult(disk), await readUndisturbed(mode));
    } finally {
      await disk.close();
    }
  });
}

test('altered bytes of an answer are reported and not used; restoring the file from a backup restores the answers at no cost', async (t) => {
  const world = await makeWorld(t);
  await world.run();
  const answers = readAnswers(world);
  const responses = path.join(world.stateDirectory, 'responses');
  const name = fs.readdirSync(responses).find((file) => file.endsWith('.output.jsonl')) ?? '';
  const file = path.join(responses, name);
  const whole = fs.readFileSync(file, 'utf8');
  fs.writeFileSync(file, whole.replace('Note number 3', 'Note number 8'));
  assert.notEqual(fs.readFileSync(file, 'utf8'), whole);
  fs.appendFileSync(world.path('in.csv'), '"r99","one more"\n');

  const altered = await world.run();
  assert.deepEqual([altered.summary.exitCode, altered.summary.causes], [3, { unknown: 12 }]);
  assert.ok(altered.warnings.some((warning) => warning.includes(name) && warning.includes('restore the file from a backup')));
  assert.match(world.read('out.failures.csv'), new RegExp(`unknown,"?held: its answer is in .*${name}`));
  assert.doesNotMatch(world.read('out.csv'), /Note number 8 says awful/);
  assert.equal(world.simulator.bill().length, 13, 'only the new row was paid for');

  fs.writeFileSync(file, whole);
  fs.appendFileSync(world.path('in.csv'), '"r98","and another"\n');
  const restored = await world.run();
  assert.deepEqual([restored.summary.exitCode, restored.summary.rows.ok], [0, 14]);
  assert.deepEqual(readAnswers(world).slice(0, 12), answers);
  assert.equal(world.simulator.bill().length, 14);
});

test('a folder is created with its parents; if that is impossible, the disk’s reason is given', (t) => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rowmill-'));
  t.after(() => fs.rmSync(folder, { recursive: true }));
  makeFolders(path.join(folder, 'a', 'b', 'c'), 0o700);
  makeFolders(path.join(folder, 'a', 'b', 'c'));
  assert.equal(fs.statSync(path.join(folder, 'a', 'b', 'c')).mode & 0o777, 0o700);
  fs.writeFileSync(path.join(folder, 'file'), '');
  for (const [name, code] of [
    ['file', 'EEXIST'],
    ['file/a/b', 'ENOTDIR'],
    ['n'.repeat(300), 'ENAMETOOLONG'],
  ] as const)
    assert.throws(() => makeFolders(path.join(folder, name)), { code });
  // A read-only disk refuses each folder by itself; asked for several at once, Node 20 says that nothing is there.
  t.mock.method(fs, 'mkdirSync', (file: string, options: { recursive?: boolean }) => {
    throw Object.assign(new Error('no'), { code: options.recursive === true ? 'ENOENT' : 'EROFS', syscall: 'mkdir', path: file });
  });
  assert.throws(() => makeFolders(path.join(folder, 'x', 'y')), { code: 'EROFS' });
});

test('a folder is created although another process creates or removes its parents at the same time', (t) => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rowmill-'));
  t.after(() => fs.rmSync(folder, { recursive: true }));
  const outer = path.join(folder, 'outer');
  const inner = path.join(outer, 'inner');
  const mkdir = fs.mkdirSync.bind(fs);
  let calls = 0;
  t.mock.method(fs, 'mkdirSync', (file: string) => {
    if (file !== inner) return mkdir(file);
    calls++;
    // Not there yet, made by the other one, and removed by it after we had made it ourselves.
    if (calls === 1) mkdir(outer);
    if (calls === 2) fs.rmdirSync(outer);
    if (calls < 3) throw Object.assign(new Error('no'), { code: 'ENOENT', syscall: 'mkdir', path: file });
    return mkdir(file);
  });
  makeFolders(inner);
  assert.ok(fs.existsSync(inner));
  assert.equal(calls, 3);
});

test('verify names anything but a regular file in place of answers or table, instead of reading it forever', async (t) => {
  const world = await makeWorld(t, { rows: [['r1', 'a note']] });
  await world.run();
  const responses = path.join(world.stateDirectory, 'responses');
  const options = { ...makeReadOptions(world.path('job.yaml'), {}), cwd: world.directory };
  for (const [file, name] of [
    [path.join(responses, fs.readdirSync(responses)[0] ?? ''), 'responses'],
    [world.path('out.csv'), 'table'],
  ] as const) {
    const whole = fs.readFileSync(file);
    for (const kind of ['a folder', 'a link', 'a FIFO']) {
      DAMAGES[kind]?.(file);
      const found = await verifyState(options).catch((error: Error) => error);
      if (found instanceof Error) assert.match(found.message, new RegExp(`${path.basename(file)}: ${kind} is in the place of a file`));
      else
        assert.deepEqual(
          found.checks.filter(({ status }) => status === 'failed').map((check) => [check.name, /: it is not a file$/.test(check.detail)]),
          [[name, true]],
        );
      fs.rmSync(file, { recursive: true });
      fs.writeFileSync(file, whole);
    }
  }
});
