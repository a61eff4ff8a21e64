import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { type TestContext, test } from 'node:test';
import { EXIT } from '../src/core/errors.ts';
import { type LockOptions, takeLock } from '../src/ledger/disk/lock.ts';
import { isSameProcessAlive, readOwnIdentity } from '../src/ledger/disk/process-identity.ts';
import { LockHeldError } from '../src/ledger/errors.ts';
import { makeLedgerWorld } from './helpers/ledger-world.ts';

const NOW = '2026-11-21T12:00:00.000Z';
let tokens = 0;

function makeLockWorld(t: TestContext): { directory: string; file: string; options(change?: Partial<LockOptions>): LockOptions } {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'rowmill-'));
  t.after(() => fs.rmSync(directory, { recursive: true, force: true }));
  return {
    directory,
    file: path.join(directory, 'lock'),
    options: (change) => ({
      directory,
      job: 'labels',
      identity: readOwnIdentity(),
      clock: () => new Date(NOW),
      randomId: () => `token${tokens++}`,
      ...change,
    }),
  };
}

function writeLock(file: string, change: object): void {
  fs.writeFileSync(file, JSON.stringify({ ...readOwnIdentity(), heartbeatAt: NOW, token: 'earlier', ...change }));
}

/** A pid that was in use a moment ago and is not any more. */
async function findDeadPid(): Promise<number> {
  const child = spawn(process.execPath, ['--version'], { stdio: 'ignore' });
  await once(child, 'exit');
  return child.pid as number;
}

test('a lock that is held is refused with the holder named, and free after its release', (t) => {
  const world = makeLockWorld(t);
  const lock = takeLock(world.options());
  assert.throws(
    () => takeLock(world.options()),
    (error) => {
      assert.ok(error instanceof LockHeldError);
      assert.equal(error.exitCode, EXIT.locked);
      assert.equal(error.code, 'locked');
      assert.match(error.message, new RegExp(`process ${process.pid} on ${os.hostname()}`));
      return true;
    },
  );
  assert.equal(fs.statSync(world.file).mode & 0o777, 0o600);
  lock.release();
  assert.deepEqual(fs.readdirSync(world.directory), []);
  takeLock(world.options()).release();
});

test('the lock of a process that died, or whose pid is another process by now, is taken over', async (t) => {
  const world = makeLockWorld(t);
  for (const holder of [{ pid: await findDeadPid() }, { startTime: '1' }]) {
    writeLock(world.file, holder);
    const lock = takeLock(world.options());
    assert.equal(JSON.parse(fs.readFileSync(world.file, 'utf8')).pid, process.pid);
    assert.deepEqual(fs.readdirSync(world.directory), ['lock']);
    lock.release();
  }
});

test('the lock of another host is taken over when its heartbeat is older than five minutes', (t) => {
  const world = makeLockWorld(t);
  const ago = (seconds: number) => new Date(Date.parse(NOW) - seconds * 1000).toISOString();
  writeLock(world.file, { host: 'elsewhere', pid: 1, heartbeatAt: ago(299) });
  assert.throws(() => takeLock(world.options()), /process 1 on elsewhere/);
  writeLock(world.file, { host: 'elsewhere', pid: 1, heartbeatAt: ago(301) });
  takeLock(world.options()).release();
});

test('a lock file of nonsense belongs to nobody', (t) => {
  const world = makeLockWorld(t);
  for (const content of ['', '{', '{"pid":0}', 'null', JSON.stringify({ ...readOwnIdentity(), heartbeatAt: NOW, token: '../../x' })]) {
    fs.writeFileSync(world.file, content);
    takeLock(world.options()).release();
    assert.deepEqual(fs.readdirSync(world.directory), []);
  }
});

test('a takeover whose maker died is taken over in its turn, a living one is respected', async (t) => {
  const world = makeLockWorld(t);
  const pid = await findDeadPid();
  writeLock(world.file, { pid, token: 'first' });
  writeLock(path.join(world.directory, 'lock.after-first'), { pid, token: 'second' });
  writeLock(path.join(world.directory, 'lock.after-second'), { token: 'third' });
  assert.throws(() => takeLock(world.options()), LockHeldError);
  writeLock(path.join(world.directory, 'lock.after-second'), { pid, token: 'third' });
  const lock = takeLock(world.options());
  assert.deepEqual(fs.readdirSync(world.directory), ['lock']);
  lock.release();
});

test('a takeover that comes after another one is void, at whatever step it was overtaken', async (t) => {
  const pid = await findDeadPid();
  let overtaken = 0;
  for (let step = 1; step <= 5; step++) {
    const world = makeLockWorld(t);
    writeLock(world.file, { pid });
    const wins: string[] = [];
    const take = (name: string, options: LockOptions) => {
      try {
        takeLock(options);
        wins.push(name);
      } catch (error) {
        assert.ok(error instanceof LockHeldError);
      }
    };
    let ids = 0;
    const randomId = () => {
      ids += 1;
      if (ids === step) {
        overtaken += 1;
        take('inner', world.options());
      }
      return `outer${ids}`;
    };
    take('outer', world.options({ randomId }));
    assert.equal(wins.length, 1, `step ${step}: ${wins}`);
  }
  assert.ok(overtaken >= 4, 'every step that makes an id was overtaken');
});

test('a holder says every thirty seconds that it lives, until it is overtaken or lets go', (t) => {
  const beats: { tell: () => void; everyMs: number }[] = [];
  t.mock.method(globalThis, 'setInterval', (tell: () => void, everyMs: number) => {
    beats.push({ tell, everyMs });
    return { unref() {} };
  });
  const world = makeLockWorld(t);
  let nowMs = Date.parse(NOW);
  const lock = takeLock(world.options({ clock: () => new Date(nowMs) }));
  const readHeartbeat = () => JSON.parse(fs.readFileSync(world.file, 'utf8')).heartbeatAt;
  nowMs += 30_000;
  assert.deepEqual(
    beats.map(({ everyMs }) => everyMs),
    [30_000],
  );
  beats[0]?.tell();
  assert.equal(readHeartbeat(), '2026-11-21T12:00:30.000Z');
  writeLock(world.file, { host: 'elsewhere', pid: 4 });
  beats[0]?.tell();
  assert.equal(readHeartbeat(), NOW, 'a lock that is not ours stays as it is');
  assert.throws(() => lock.assertHeld(), LockHeldError);
  lock.release();
  assert.ok(fs.existsSync(world.file));
});

test('after a time gap the holder reads the lock again before its next effect', async (t) => {
  let nowMs = Date.parse(NOW);
  const world = makeLedgerWorld(t);
  const ledger = await world.open({ clock: () => new Date(nowMs) });
  await ledger.append({ type: 'limit-learned', model: 'm', enqueuedTokens: 1 });
  writeLock(path.join(world.directory, 'lock'), { host: 'elsewhere', pid: 4 });
  nowMs += 59_000;
  await ledger.append({ type: 'limit-learned', model: 'm', enqueuedTokens: 2 });
  nowMs += 3_600_000;
  const late = ledger.append({ type: 'limit-learned', model: 'm', enqueuedTokens: 3 });
  await assert.rejects(late, (error) => error instanceof LockHeldError && error.host === 'elsewhere');
  assert.equal(ledger.fold.learnedLimits.get('m'), 2);
  await ledger.close();
  assert.ok(fs.existsSync(path.join(world.directory, 'lock')), 'a lock that is not ours stays');
});

test('of twelve processes that find a dead holder exactly one gets the lock', async (t) => {
  const world = makeLockWorld(t);
  const go = path.join(makeLockWorld(t).directory, 'go');
  const script = new URL('./helpers/lock-taker.js', import.meta.url).pathname;
  writeLock(world.file, { pid: await findDeadPid(), token: 'dead' });
  const takers = Array.from({ length: 12 }, () => {
    const child = spawn(process.execPath, [script, world.directory, go], { stdio: ['pipe', 'pipe', 'inherit'] });
    t.after(() => child.kill('SIGKILL'));
    return { child, words: createInterface({ input: child.stdout })[Symbol.asyncIterator]() };
  });
  const nextWords = () => Promise.all(takers.map(async ({ words }) => (await words.next()).value));
  assert.deepEqual(new Set(await nextWords()), new Set(['ready']));
  fs.writeFileSync(go, '');
  const results = await nextWords();
  assert.deepEqual(results.toSorted(), [...Array.from({ length: 11 }, () => 'held'), 'won']);
  // The winner held on until everybody had tried.
  for (const { child } of takers) child.stdin.end();
  await Promise.all(takers.map(({ child }) => (child.exitCode === null ? once(child, 'exit') : null)));
  assert.deepEqual(fs.readdirSync(world.directory), []);
});

test('a dead process is known to be dead, and this one to live', async () => {
  assert.equal(isSameProcessAlive(readOwnIdentity()), true);
  assert.equal(isSameProcessAlive({ pid: await findDeadPid(), startTime: null }), false);
});
