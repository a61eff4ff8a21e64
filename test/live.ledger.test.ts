import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { findRunner } from '../src/inspect/find-runner.ts';
import { describeOpenCalls } from '../src/inspect/verify/open-calls.ts';
import { checkPossiblyBilled } from '../src/inspect/verify/summary.ts';
import { readOwnIdentity } from '../src/ledger/disk/process-identity.ts';
import type { Ledger } from '../src/ledger/ledger.ts';
import {
  describeKeys,
  k,
  type LedgerWorld,
  makeAnswerLine,
  makeErrorLine,
  makeLedgerWorld,
  record,
  startRun,
  submit,
} from './helpers/ledger-world.ts';
import { runsOf, wideTest } from './helpers/wide.ts';

const liveFile = (world: LedgerWorld, run = 'r1') => path.join(world.directory, 'responses', `live-${run}.jsonl`);

async function announce(ledger: Ledger, customIds: readonly string[]): Promise<void> {
  await ledger.append({ type: 'call-intent', calls: customIds.map((customId) => ({ customId, bodyBytes: 100 })) });
}

let lineIds = 0;

async function answer(ledger: Ledger, customId: string, content = 'right'): Promise<void> {
  await announce(ledger, [customId]);
  await ledger.recordLines([{ customId, line: makeAnswerLine(customId, content, { id: `live-${++lineIds}` }) }]);
}

async function fail(ledger: Ledger, customId: string, status = 500): Promise<void> {
  await announce(ledger, [customId]);
  const response = { status_code: status, request_id: 'req_1', body: { error: { code: 'server_error', message: 'no' } } };
  await ledger.recordLines([{ customId, line: JSON.stringify({ id: `live-${++lineIds}`, custom_id: customId, response, error: null }) }]);
}

test('a line counts once it is on disk, in the run, session and lane it was made in', async (t) => {
  const world = makeLedgerWorld(t);
  const ledger = await world.open();
  await startRun(ledger, 'r1');
  await answer(ledger, k(1));
  const id = ledger.keys.find(k(1));
  assert.equal(ledger.keys.outcome(id), 'ok');
  assert.equal(ledger.keys.attempts(id), 1);
  assert.equal(ledger.fold.openCalls.size, 0);
  const [seen] = world.visited;
  assert.equal(seen?.record.lane, 'live');
  assert.equal(seen?.record.run, 'r1');
  assert.equal(ledger.readAnswer(id).lane, 'live');
  assert.equal(ledger.readAnswer(id).outcome.value, 'right');
  assert.equal(fs.statSync(liveFile(world)).mode & 0o777, 0o600);
});

test('several calls of one request are attempts in the order in which they ended', async (t) => {
  const world = makeLedgerWorld(t);
  const ledger = await world.open();
  await startRun(ledger, 'r1');
  await fail(ledger, k(1));
  await fail(ledger, k(1));
  const id = ledger.keys.find(k(1));
  assert.equal(ledger.keys.outcome(id), 'server_error');
  await answer(ledger, k(1), 'wrong');
  await answer(ledger, `${k(1)}-r1`);
  assert.equal(ledger.keys.outcome(id), 'ok');
  assert.equal(ledger.keys.attempts(id), 4);
  assert.equal(ledger.readHistory(id).length, 4);
  assert.equal(world.visited.length, 4);
});

test('a line delivered again is the same call, in this process and the next', async (t) => {
  const world = makeLedgerWorld(t);
  const ledger = await world.open();
  await startRun(ledger, 'r1');
  const line = { customId: k(1), line: makeAnswerLine(k(1), 'right', { id: 'live-a' }) };
  const other = { customId: k(1), line: makeAnswerLine(k(1), 'right', { id: 'live-b' }) };
  await ledger.recordLines([line, line]);
  await ledger.recordLines([line]);
  assert.equal(world.visited.length, 1);
  await ledger.close();
  const again = await world.open();
  world.visited.length = 0;
  await again.recordLines([line, other, other]);
  assert.equal(world.visited.length, 1, 'another line id is another call');
  assert.equal(again.keys.attempts(again.keys.find(k(1))), 2);
  assert.equal(fs.readFileSync(liveFile(world), 'utf8').trim().split('\n').length, 2);
});

test('a new opening finds everything as it was, with and without the settled index, each record once', async (t) => {
  const world = makeLedgerWorld(t);
  const ledger = await world.open();
  await startRun(ledger, 'r1');
  for (let n = 0; n < 30; n += 1) await (n % 3 === 0 ? fail(ledger, k(n)) : answer(ledger, k(n), n % 5 === 0 ? 'wrong' : 'right'));
  await ledger.append({ type: 'retry-opened', keys: [k(0), k(3)], set: {} });
  for (const n of [0, 3, 6]) await answer(ledger, k(n));
  const keys = Array.from({ length: 30 }, (_, n) => k(n));
  const before = describeKeys(ledger, keys);
  const visits = world.visited.length;
  assert.equal(visits, 33);
  await ledger.close();
  for (const prepare of [() => undefined, () => fs.rmSync(path.join(world.directory, 'settled.jsonl'))]) {
    prepare();
    world.visited.length = 0;
    const again = await world.open();
    assert.deepEqual(describeKeys(again, keys), before);
    assert.equal(world.visited.length, visits);
    await again.close();
  }
});

test('attempts are counted anew after retry', async (t) => {
  const world = makeLedgerWorld(t);
  const ledger = await world.open();
  await startRun(ledger, 'r1');
  await fail(ledger, k(1));
  await fail(ledger, k(1));
  await ledger.append({ type: 'retry-opened', keys: [k(1)], set: {} });
  await fail(ledger, k(1));
  const id = ledger.keys.find(k(1));
  assert.equal(ledger.keys.attempts(id), 1);
  await ledger.close();
  const again = await world.open();
  assert.equal(again.keys.attempts(id), 1);
  assert.equal(again.keys.attemptEpoch(id), 2);
});

test('answers of a run that starts a generation later on continue in a separate file, and count for that generation', async (t) => {
  const world = makeLedgerWorld(t);
  const ledger = await world.open();
  await startRun(ledger, 'r1');
  await answer(ledger, k(1));
  await ledger.append({ type: 'generation-started', generation: 1 });
  assert.equal(ledger.keys.outcome(ledger.keys.find(k(1))), null);
  await answer(ledger, k(2));
  assert.deepEqual(
    ledger.files.map(({ name, generation }) => [name, generation]),
    [
      ['live-r1.jsonl', 0],
      ['live-r1.g1.jsonl', 1],
    ],
  );
  await ledger.close();
  const again = await world.open();
  assert.equal(again.keys.outcome(again.keys.find(k(1))), null);
  assert.equal(again.keys.outcome(again.keys.find(k(2))), 'ok');
});

test('a torn last line is cut, and everything before it is kept', async (t) => {
  const world = makeLedgerWorld(t);
  const ledger = await world.open();
  await startRun(ledger, 'r1');
  await answer(ledger, k(1));
  await ledger.close();
  const whole = fs.readFileSync(liveFile(world));
  fs.appendFileSync(liveFile(world), `${makeAnswerLine(k(2), 'right', { id: 'late' })}\n${makeAnswerLine(k(3), 'right').slice(0, 40)}`);
  const reader = await world.read();
  assert.equal(reader.keys.outcome(reader.keys.find(k(2))), 'ok', 'a reader counts what is whole');
  await reader.close();
  const again = await world.open();
  assert.equal(again.keys.outcome(again.keys.find(k(2))), 'ok');
  assert.equal(again.keys.find(k(3)), -1);
  assert.ok(fs.statSync(liveFile(world)).size > whole.length);
  assert.ok(fs.readFileSync(liveFile(world), 'utf8').endsWith('\n'));
  await answer(again, k(3));
  await again.close();
  world.visited.length = 0;
  await world.open();
  assert.equal(world.visited.length, 3);
});

test('a reader during a run sees every complete line, recorded or not, and changes nothing', async (t) => {
  const world = makeLedgerWorld(t);
  const ledger = await world.open();
  await startRun(ledger, 'r1');
  await answer(ledger, k(1));
  await ledger.append({ type: 'limit-learned', model: 'm', enqueuedTokens: 1 });
  await answer(ledger, k(2));
  const before = fs.readdirSync(world.directory).map((name) => fs.statSync(path.join(world.directory, name)).mtimeMs);
  const reader = await world.read();
  assert.deepEqual(describeKeys(reader, [k(1), k(2)]), describeKeys(ledger, [k(1), k(2)]));
  assert.deepEqual(
    fs.readdirSync(world.directory).map((name) => fs.statSync(path.join(world.directory, name)).mtimeMs),
    before,
  );
  await answer(ledger, k(3));
  assert.equal(reader.keys.find(k(3)), -1);
});

test('an announced call without an end is unknown at the next opening: possibly billed, listed once, and no attempt of the row', async (t) => {
  const world = makeLedgerWorld(t);
  const ledger = await world.open();
  await startRun(ledger, 'r1');
  await announce(ledger, [k(1), k(2), k(3)]);
  await ledger.recordLines([{ customId: k(1), line: makeAnswerLine(k(1), 'right') }]);
  await ledger.append({ type: 'call-refused', refusals: [{ customId: k(2), code: 'rate_limit_exceeded' }] });
  const before = await world.read();
  assert.deepEqual([[...before.fold.openCalls.keys()], before.fold.unknownCalls.size], [[k(3)], 0], 'while a process holds the lock');
  const own = readOwnIdentity();
  assert.match(describeOpenCalls(world.directory, before.fold, own) ?? '', /^1 call is open for the run in progress \(process \d+ on /);
  const unseen = describeOpenCalls(world.directory, before.fold, { ...own, bootId: 'another', host: 'elsewhere' }) ?? '';
  assert.match(unseen, /^1 call is open for process \d+ on .*, which cannot be seen from here/);
  const nothing = { batchCalls: 0, failedCalls: 0, liveCalls: 0, items: [], nanoUsd: 0, callsByJobOfNow: 0 };
  assert.match(checkPossiblyBilled(nothing, { lastRun: null, now: null, openCalls: null }).detail, /none can have been billed unseen/);
  assert.equal(
    checkPossiblyBilled(nothing, { lastRun: null, now: null, openCalls: 'X' }).detail,
    'X; no other call of the run went without an answer',
  );
  await before.close();
  await ledger.close();
  fs.writeFileSync(path.join(world.directory, 'lock'), '{"pid":');
  assert.equal(findRunner(world.directory, own), null, 'a damaged lock is held by nobody');
  const damaged = await world.read();
  assert.deepEqual(damaged.fold.unknownCalls.get('r1')?.named, [k(3)], 'so the calls are lost');
  await damaged.close();
  fs.rmSync(path.join(world.directory, 'lock'));
  const log = fs.readFileSync(path.join(world.directory, 'events.jsonl'));
  const after = await world.read();
  assert.deepEqual([after.fold.openCalls.size, after.fold.unknownCalls.get('r1')?.named], [0, [k(3)]], 'a reader finds it at once');
  await after.close();
  assert.deepEqual(fs.readFileSync(path.join(world.directory, 'events.jsonl')), log, 'and records nothing');
  for (let opening = 0; opening < 2; opening += 1) {
    const again = await world.open();
    const id = again.keys.find(k(3));
    assert.equal(again.keys.outcome(id), 'unknown');
    assert.deepEqual([again.keys.attempts(id), again.keys.doubts(id).interruptions], [0, 1]);
    assert.match(again.readAnswer(id).outcome.message, /may have been billed/);
    assert.deepEqual(again.fold.unknownCalls.get('r1'), {
      calls: 1,
      named: [k(3)],
      sent: [{ at: '2026-11-21T12:00:00.000Z', terms: null, calls: 1, bodyBytes: 100, longestBytes: 100, answerCaps: 1 }],
    });
    assert.equal(again.fold.openCalls.size, 0);
    assert.equal(again.keys.find(k(2)), -1, 'what was refused was nothing');
    await again.close();
  }
});

test('calls made by other processes stay open across a restart', async (t) => {
  const world = makeLedgerWorld(t);
  const ledger = await world.open();
  await startRun(ledger, 'r1');
  await ledger.append({
    type: 'call-queued',
    calls: [
      { customId: k(1), bodyBytes: 7 },
      { customId: k(2), bodyBytes: 8 },
    ],
  });
  await ledger.recordLines([{ customId: k(1), line: makeAnswerLine(k(1), 'right') }]);
  await ledger.close();
  const again = await world.open();
  assert.deepEqual([...again.fold.queuedCalls], [[k(2), { calls: 1, bodyBytes: 8, announcedAt: '2026-11-21T12:00:00.000Z', terms: null }]]);
  assert.equal(again.fold.unknownCalls.size, 0);
});

test('live answers and batch files keep the order in which they were recorded', async (t) => {
  const world = makeLedgerWorld(t);
  const ledger = await world.open();
  await startRun(ledger, 'r1');
  await submit(ledger, 'batch_1', [k(1), k(2)]);
  await answer(ledger, k(1), 'from live');
  // Both at once: whichever is settled first wins, and must win again.
  await Promise.all([
    record(ledger, 'batch_1', [makeAnswerLine(k(1), 'from batch'), makeAnswerLine(k(2), 'from batch')]),
    answer(ledger, k(2), 'from live'),
  ]);
  const before = describeKeys(ledger, [k(1), k(2)]);
  const files = ledger.files.map(({ name, offsetBytes, bytes }) => ({ name, offsetBytes, bytes }));
  await ledger.close();
  const again = await world.open();
  assert.deepEqual(describeKeys(again, [k(1), k(2)]), before);
  assert.deepEqual(
    again.files.map(({ name, offsetBytes, bytes }) => ({ name, offsetBytes, bytes })),
    files,
  );
});

test('a live file with missing or altered bytes is not trusted', async (t) => {
  const world = makeLedgerWorld(t);
  const ledger = await world.open();
  await startRun(ledger, 'r1');
  await answer(ledger, k(1));
  await ledger.close();
  const bytes = fs.readFileSync(liveFile(world));
  fs.writeFileSync(liveFile(world), bytes.subarray(0, 10));
  await assert.rejects(world.open(), /bytes of paid answers were recorded/);
  fs.writeFileSync(liveFile(world), bytes.toString().replace('right', 'wrote'));
  fs.rmSync(path.join(world.directory, 'settled.jsonl'));
  await assert.rejects(world.open(), /not those that were recorded/);
});

wideTest('a long table produces several parts, all of which are read again', async (t) => {
  const world = makeLedgerWorld(t);
  const ledger = await world.open();
  await startRun(ledger, 'r1');
  const lines = Array.from({ length: 9_000 }, (_, n) => ({ customId: k(n), line: makeAnswerLine(k(n), 'right') }));
  for (let n = 0; n < lines.length; n += 500) await ledger.recordLines(lines.slice(n, n + 500));
  assert.equal(ledger.files.length, 3);
  assert.equal(ledger.readAnswer(ledger.keys.find(k(5_000))).outcome.value, 'right');
  let records = 0;
  for await (const chunk of ledger.recordsOfRun('r1')) records += chunk.length;
  assert.equal(records, 9_000, 'the part being filled is read too');
  await ledger.close();
  world.visited.length = 0;
  const again = await world.open();
  assert.equal(world.visited.length, 9_000);
  for (const n of [0, 4_095, 4_096, 8_999]) assert.equal(again.readAnswer(again.keys.find(k(n))).line?.custom_id, k(n));
});

test('whatever happens in what order, a new opening knows the same', async (t) => {
  const action = fc.record({
    row: fc.integer({ min: 0, max: 4 }),
    what: fc.constantFrom('ok', 'wrong', 'fail', 'expired', 'unknown', 'refused', 'retry', 'generation', 'reopen'),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(action, { maxLength: 25 }), async (actions) => {
      const world = makeLedgerWorld(t);
      let ledger = await world.open();
      await startRun(ledger, 'r1');
      for (const { row, what } of actions) {
        const key = k(row);
        if (what === 'ok') await answer(ledger, key);
        else if (what === 'wrong') await answer(ledger, key, 'wrong');
        else if (what === 'fail') await fail(ledger, key);
        else if (what === 'expired')
          await ledger.recordLines([{ customId: key, line: makeErrorLine(key, 'batch_expired', { id: `live-${++lineIds}` }) }]);
        else if (what === 'retry') await ledger.append({ type: 'retry-opened', keys: [key], set: {} });
        else if (what === 'generation') await ledger.append({ type: 'generation-started', generation: ledger.fold.generation + 1 });
        else if (what === 'reopen') {
          await ledger.close();
          ledger = await world.open();
        } else {
          await announce(ledger, [key]);
          const calls = [{ customId: key, bodyBytes: 5 }];
          if (what === 'refused') await ledger.append({ type: 'call-refused', refusals: [{ customId: key, code: 'x' }] });
          else await ledger.append({ type: 'call-unknown', calls, why: 'lost' });
        }
      }
      const keys = Array.from({ length: 5 }, (_, row) => k(row));
      const before = describeKeys(ledger, keys);
      const unknown = ledger.fold.unknownCalls.get('r1');
      const reader = await world.read();
      assert.deepEqual(describeKeys(reader, keys), before, 'a reader');
      await ledger.close();
      if (actions.length % 2 === 0) fs.rmSync(path.join(world.directory, 'settled.jsonl'), { force: true });
      const again = await world.open();
      assert.deepEqual(describeKeys(again, keys), before, 'a writer');
      assert.deepEqual(again.fold.unknownCalls.get('r1'), unknown);
      await again.close();
    }),
    { numRuns: runsOf(60) },
  );
});
