import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { type TestContext, test } from 'node:test';
import { EXIT } from '../src/core/errors.ts';
import { HEARTBEAT, waitSilently } from '../src/ledger/disk/holder-watch.ts';
import { type LockOptions, takeLock } from '../src/ledger/disk/lock.ts';
import { readOwnIdentity, seeProcess } from '../src/ledger/disk/process-identity.ts';
import { LockHeldError } from '../src/ledger/errors.ts';
import { k, makeAnswerLine, makeLedgerWorld, startRun } from './helpers/ledger-world.ts';
import { wideTest } from './helpers/wide.ts';

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
      waiting: waitSilently(t.signal),
      heartbeat: { everyMs: 10_000, lostMs: 60 },
      ...change,
    }),
  };
}

function writeLock(file: string, change: object): void {
  fs.writeFileSync(file, JSON.stringify({ ...readOwnIdentity(), heartbeatAt: NOW, token: 'earlier', ...change }));
}

/** As another process takes the lock over. */
function replaceLock(file: string, change: object): void {
  writeLock(`${file}.new`, change);
  fs.renameSync(`${file}.new`, file);
}

/** A pid that was in use a moment ago and is not any more. */
async function findDeadPid(): Promise<number> {
  const child = spawn(process.execPath, ['--version'], { stdio: 'ignore' });
  await once(child, 'exit');
  return child.pid as number;
}

test('a lock that is held is refused with the holder named, and free after its release', async (t) => {
  const world = makeLockWorld(t);
  const lock = await takeLock(world.options());
  await assert.rejects(takeLock(world.options()), (error) => {
    assert.ok(error instanceof LockHeldError);
    assert.equal(error.exitCode, EXIT.locked);
    assert.equal(error.code, 'locked');
    assert.match(error.message, new RegExp(`process ${process.pid} on ${os.hostname()}`));
    return true;
  });
  assert.equal(fs.statSync(world.file).mode & 0o777, 0o600);
  lock.release();
  assert.deepEqual(fs.readdirSync(world.directory), []);
  (await takeLock(world.options())).release();
});

test('the lock of a process that died, or whose pid now belongs to another process, is taken over', async (t) => {
  const world = makeLockWorld(t);
  for (const holder of [{ pid: await findDeadPid() }, { startTime: '1' }]) {
    writeLock(world.file, holder);
    const lock = await takeLock(world.options());
    assert.equal(JSON.parse(fs.readFileSync(world.file, 'utf8')).pid, process.pid);
    assert.deepEqual(fs.readdirSync(world.directory), ['lock']);
    lock.release();
  }
});

/** Holders whose pid says nothing here. */
const UNSEEN: Readonly<Record<string, object>> = {
  'on another host': { host: 'elsewhere', bootId: 'another' },
  'in another pid namespace of this host': { pidNamespace: 'pid:[1]' },
  'of this host before its last start': { bootId: 'another' },
  'that an early version of rowmill made': { bootId: undefined, pidNamespace: undefined },
};

for (const [where, change] of Object.entries(UNSEEN)) {
  test(`a holder ${where} is respected while its heartbeat changes, whatever its clock says, and replaced when it does not`, async (t) => {
    const world = makeLockWorld(t);
    const pid = await findDeadPid();
    const at = (hours: number) => new Date(Date.parse(NOW) + hours * 3_600_000).toISOString();
    for (const hours of [-1, 0, 1]) {
      writeLock(world.file, { ...change, pid, heartbeatAt: at(hours) });
      let looks = 0;
      const sleep = async () => {
        looks += 1;
        if (looks === 3) writeLock(world.file, { ...change, pid, heartbeatAt: at(hours), beat: '2' });
      };
      const refused = takeLock(world.options({ heartbeat: HEARTBEAT, waiting: { ...waitSilently(t.signal), sleep } }));
      await assert.rejects(refused, (error) => {
        assert.ok(error instanceof LockHeldError);
        assert.match(error.message, new RegExp(`process ${pid} on .*, which cannot be seen from here`));
        assert.match(error.message, /it can be taken over 60 s after its last heartbeat/);
        return true;
      });
      assert.equal(looks, 3);
      const lock = await takeLock(world.options());
      assert.equal(lock.isTakenOver, true);
      lock.release();
    }
  });
}

test('a silent holder is watched for the whole time, which is reported every five seconds; unwatched time counts for little', async (t) => {
  const world = makeLockWorld(t);
  writeLock(world.file, { host: 'elsewhere', bootId: 'another', pid: 7 });
  let nowMs = 0;
  let slept = 0;
  const told: string[] = [];
  const lock = await takeLock(
    world.options({
      heartbeat: HEARTBEAT,
      waiting: {
        ...waitSilently(t.signal),
        monotonicMs: () => nowMs,
        sleep: async (milliseconds) => {
          slept += milliseconds;
          // The watcher's machine sleeps for an hour, and its holder's may have, too.
          nowMs += slept === 10_000 ? 3_600_000 : milliseconds;
        },
        tell: (message) => told.push(message),
      },
    }),
  );
  lock.release();
  assert.ok(slept >= 55_000 && slept <= 60_000, `it watched for ${slept} ms`);
  assert.ok(told.length >= 11 && told.length <= 13, String(told.length));
  assert.equal(
    told[1],
    'Waiting for process 7 on elsewhere, which holds job labels and cannot be seen from here: no heartbeat for 5 s; after 60 s its place is taken',
  );
});

test('a waiting run gets the lock when its holder releases it, and says whom it waits for; an interruption ends the wait', async (t) => {
  const world = makeLockWorld(t);
  const holder = await takeLock(world.options());
  const told: string[] = [];
  const stopping = new AbortController();
  const waiting = {
    ...waitSilently(stopping.signal),
    ifRunning: 'wait' as const,
    tell: (message: string) => void told.push(message),
  };
  let looks = 0;
  const sleep = async () => {
    looks += 1;
    if (looks === 3) holder.release();
  };
  const lock = await takeLock(world.options({ waiting: { ...waiting, sleep } }));
  assert.deepEqual(told, [`Waiting for process ${process.pid} on ${os.hostname()}, which runs job labels`]);
  const late = takeLock(world.options({ waiting }));
  stopping.abort(new Error('interrupted'));
  await assert.rejects(late);
  lock.release();
});

test('a meaningless lock file belongs to nobody, once it has been watched', async (t) => {
  const world = makeLockWorld(t);
  for (const content of ['', '{', '{"pid":0}', 'null', JSON.stringify({ ...readOwnIdentity(), heartbeatAt: NOW, token: '../../x' })]) {
    fs.writeFileSync(world.file, content);
    (await takeLock(world.options())).release();
    assert.deepEqual(fs.readdirSync(world.directory), []);
  }
});

test('a takeover whose process died is taken over in turn, that of a live one is respected', async (t) => {
  const world = makeLockWorld(t);
  const pid = await findDeadPid();
  writeLock(world.file, { pid, token: 'first' });
  writeLock(path.join(world.directory, 'lock.after-first'), { pid, token: 'second' });
  writeLock(path.join(world.directory, 'lock.after-second'), { token: 'third' });
  await assert.rejects(takeLock(world.options()), LockHeldError);
  writeLock(path.join(world.directory, 'lock.after-second'), { pid, token: 'third' });
  const lock = await takeLock(world.options());
  assert.deepEqual(fs.readdirSync(world.directory), ['lock']);
  lock.release();
});

test('a takeover that follows another one is void, at whatever step it was overtaken', async (t) => {
  const pid = await findDeadPid();
  let overtaken = 0;
  for (let step = 1; step <= 4; step++) {
    const world = makeLockWorld(t);
    writeLock(world.file, { pid });
    const wins: string[] = [];
    const takers: Promise<void>[] = [];
    // Up to its end or its first pause, a taking is one step.
    const take = (name: string, options: LockOptions) => {
      const taking = takeLock(options).then(
        () => void wins.push(name),
        (error) => assert.ok(error instanceof LockHeldError),
      );
      takers.push(taking);
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
    await takers[0];
    await Promise.all(takers);
    assert.equal(wins.length, 1, `step ${step}: ${wins}`);
  }
  assert.equal(overtaken, 3, 'every step that makes an id was overtaken');
});

test('a holder writes a heartbeat every ten seconds, and never into the file of its successor', async (t) => {
  const beats: { tell: () => void; everyMs: number }[] = [];
  t.mock.method(globalThis, 'setInterval', (tell: () => void, everyMs: number) => {
    beats.push({ tell, everyMs });
    return { unref() {} };
  });
  const world = makeLockWorld(t);
  let nowMs = Date.parse(NOW);
  const lock = await takeLock(world.options({ clock: () => new Date(nowMs) }));
  const readHeartbeat = () => JSON.parse(fs.readFileSync(world.file, 'utf8')).heartbeatAt;
  nowMs += 10_000;
  assert.deepEqual(
    beats.map(({ everyMs }) => everyMs),
    [10_000],
  );
  beats[0]?.tell();
  assert.equal(readHeartbeat(), '2026-11-21T12:00:10.000Z');
  replaceLock(world.file, { host: 'elsewhere', pid: 4 });
  beats[0]?.tell();
  assert.equal(readHeartbeat(), NOW, 'a lock that is not ours stays as it is');
  assert.throws(() => lock.assertHeld(), LockHeldError);
  lock.release();
  assert.ok(fs.existsSync(world.file));
});

test('a displaced holder announces nothing more, and its file is not the one that is read', async (t) => {
  const world = makeLedgerWorld(t);
  const ledger = await world.open();
  await ledger.append({ type: 'limit-learned', model: 'm', enqueuedTokens: 1 });
  replaceLock(path.join(world.directory, 'lock'), { host: 'elsewhere', pid: 4, bootId: 'another' });
  await assert.rejects(
    ledger.append({ type: 'limit-learned', model: 'm', enqueuedTokens: 2 }),
    (error) => error instanceof LockHeldError && error.host === 'elsewhere' && /has taken job labels over/.test(error.message),
  );
  assert.throws(() => ledger.assertHeld(), LockHeldError);
  assert.equal(ledger.fold.learnedLimits.get('m'), 1);
  await ledger.close();
  assert.ok(fs.existsSync(path.join(world.directory, 'lock')), 'a lock that is not ours stays');
});

test('a takeover while an announcement is being written refuses it: its effect must not happen', async (t) => {
  const world = makeLedgerWorld(t);
  const ledger = await world.open();
  const lock = path.join(world.directory, 'lock');
  const fdatasync = fs.fdatasync;
  let syncs = 0;
  t.mock.method(fs, 'fdatasync', (descriptor: number, done: fs.NoParamCallback) => {
    syncs += 1;
    replaceLock(lock, { host: 'elsewhere', pid: 4, bootId: 'another' });
    fdatasync(descriptor, done);
  });
  await assert.rejects(ledger.append({ type: 'limit-learned', model: 'm', enqueuedTokens: 2 }), LockHeldError);
  assert.equal(syncs, 1);
  assert.equal(ledger.fold.learnedLimits.get('m'), undefined);
  await ledger.close();
});

test('after a takeover the log, the live file and the index are copies: nobody reads what the displaced holder still writes', async (t) => {
  const world = makeLedgerWorld(t);
  const ledger = await world.open();
  await startRun(ledger, 'run1');
  await ledger.append({ type: 'call-intent', calls: [{ customId: k(1), bodyBytes: 10 }] });
  await ledger.recordLines([{ customId: k(1), line: makeAnswerLine(k(1), 'yes', { id: 'live_1' }) }]);
  const files = ['events.jsonl', 'settled.jsonl', 'responses/live-run1.jsonl'].map((name) => path.join(world.directory, name));
  const old = files.map((file) => fs.openSync(file, 'r+'));
  t.after(() => old.map((descriptor) => fs.closeSync(descriptor)));
  replaceLock(path.join(world.directory, 'lock'), { pid: await findDeadPid() });
  const next = await world.open();
  for (const descriptor of old) fs.writeSync(descriptor, 'nonsense\n', 0);
  assert.equal(next.readAnswer(next.keys.find(k(1))).outcome?.status, 'ok');
  await ledger.close();
  await next.close();
  const again = await world.open();
  assert.equal(again.readAnswer(again.keys.find(k(1))).outcome?.status, 'ok');
});

wideTest('exactly one of twelve processes that find a dead holder gets the lock', async (t) => {
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

test('a dead process is seen to be dead, this one to be alive, and one elsewhere is not seen', async () => {
  const own = readOwnIdentity();
  assert.equal(seeProcess(own, own), 'alive');
  assert.equal(seeProcess({ ...own, pid: await findDeadPid(), startTime: null }, own), 'dead');
  assert.equal(seeProcess({ ...own, startTime: '1' }, own), 'dead', 'its pid is another process by now');
  for (const change of Object.values(UNSEEN)) assert.equal(seeProcess({ ...own, ...change }, own), 'unseen');
});
