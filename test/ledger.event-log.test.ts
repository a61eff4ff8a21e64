import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { DiskError } from '../src/core/disk/disk-error.ts';
import { LedgerError, UsageError } from '../src/core/errors.ts';
import type { StoredEvent } from '../src/core/event.ts';
import { makeEventLine, readEventLine } from '../src/ledger/events/event-line.ts';
import { readEvents } from '../src/ledger/events/event-log.ts';
import { k, makeLedgerWorld, startRun, submit } from './helpers/ledger-world.ts';
import { wideTest } from './helpers/wide.ts';

const signal = new AbortController().signal;

async function readTypes(file: string): Promise<string[]> {
  const types: string[] = [];
  await readEvents(file, ({ event }) => void types.push(event.type), signal);
  return types;
}

test('an event is read back as it was announced, with its number and instant', () => {
  const event: StoredEvent = {
    seq: 7,
    at: '2026-11-21T12:00:00.000Z',
    type: 'batch-status',
    batchId: 'batch_é\u2028"',
    status: 'in_progress',
  };
  const line = makeEventLine(event);
  assert.ok(line.endsWith('"}\n'));
  assert.equal(JSON.parse(line).batchId, event.batchId);
  assert.deepEqual(readEventLine(Buffer.from(line.trimEnd())), { status: 'event', event });
});

test('any flipped bit of an event is noticed', () => {
  const line = Buffer.from(makeEventLine({ seq: 1, at: 'now', type: 'limit-learned', model: 'm', enqueuedTokens: 90_000 }).trimEnd());
  for (let position = 0; position < line.length; position++) {
    for (const bit of [1, 4, 64]) {
      const damaged = Buffer.from(line);
      damaged[position] = (damaged[position] as number) ^ bit;
      assert.equal(readEventLine(damaged).status, 'damaged', damaged.toString('latin1'));
    }
  }
});

wideTest('every prefix of the event log opens, for reading and for writing, with its complete events', async (t) => {
  const world = makeLedgerWorld(t);
  const ledger = await world.open();
  await startRun(ledger, 'run-1');
  await submit(ledger, 'batch_1', [k(0), k(1)]);
  await ledger.append({ type: 'run-ended', run: 'run-1', exitCode: 0 });
  await ledger.close();
  const file = path.join(world.directory, 'events.jsonl');
  const whole = fs.readFileSync(file);
  const types = await readTypes(file);
  const steps = ['shard-written', 'upload-intent', 'upload-done', 'create-intent', 'create-done'];
  assert.deepEqual(types, ['state-created', 'run-started', ...steps, 'run-ended']);

  for (let length = 0; length < whole.length; length++) {
    // All lengths around the ends of lines, and every fifth elsewhere.
    const isNearEnd = whole.subarray(Math.max(0, length - 2), length + 2).includes(10);
    if (!isNearEnd && length % 5 !== 0) continue;
    fs.writeFileSync(file, whole.subarray(0, length));
    const lines = whole.subarray(0, length).toString().split('\n').length - 1;
    if (lines === 0) await assert.rejects(world.read(), { name: 'NoStateError', exitCode: 2 });
    else {
      const reader = await world.read();
      assert.equal(reader.fold.runs.length, lines > 1 ? 1 : 0);
      await reader.close();
      assert.equal(fs.statSync(file).size, length, 'a reader repairs nothing');
    }
    const writer = await world.open();
    await writer.append({ type: 'limit-learned', model: 'm', enqueuedTokens: 1 });
    await writer.close();
    assert.deepEqual(await readTypes(file), [...(lines === 0 ? ['state-created'] : types.slice(0, lines)), 'limit-learned']);
  }
});

test('damage in the middle stops with file and line', async (t) => {
  const world = makeLedgerWorld(t);
  const ledger = await world.open();
  for (const run of ['run-1', 'run-2', 'run-3']) await startRun(ledger, run);
  await ledger.close();
  const file = path.join(world.directory, 'events.jsonl');
  const lines = fs.readFileSync(file, 'utf8').trimEnd().split('\n');
  const write = (changed: readonly string[]) => fs.writeFileSync(file, changed.map((line) => `${line}\n`).join(''));
  const refused = async (line: number, message: RegExp) => {
    for (const access of ['read', 'write'] as const) {
      await assert.rejects(
        world.open({ access }),
        (error) => error instanceof LedgerError && error.line === line && message.test(error.message),
      );
    }
  };

  write(lines.with(1, (lines[1] as string).replace('run-1', 'run-9')));
  await refused(2, /does not match its checksum/);
  write(lines.with(1, ''));
  await refused(2, /no checksum/);
  write(lines.toSpliced(1, 1));
  await refused(2, /event 3 is in the place of event 2/);
  write([...lines, lines[3] as string]);
  await refused(5, /event 4 is in the place of event 5/);
  write(lines.toSpliced(0, 1));
  await refused(1, /event 2 is in the place of event 1/);
  const newer = makeEventLine({ seq: 5, at: 'now', type: 'something-new' } as unknown as StoredEvent);
  write([...lines, newer.trimEnd()]);
  await refused(5, /"something-new" is unknown: a newer version of rowmill wrote it; use that version$/);
});

test('a directory with answers of another origin is refused, naming both', async (t) => {
  const world = makeLedgerWorld(t);
  await (await world.open()).close();
  for (const access of ['read', 'write'] as const) {
    await assert.rejects(world.open({ access, origin: 'localhost-8080' }), (error) => {
      return error instanceof UsageError && /from "default".*talks to "localhost-8080"/.test(error.message);
    });
  }
  await (await world.open()).close();
});

test('events announced together are in order, share syncs, and are folded when their promise resolves', async (t) => {
  const world = makeLedgerWorld(t);
  const ledger = await world.open();
  const sync = t.mock.method(fs, 'fdatasync');
  const appends = Array.from({ length: 300 }, async (_, number) => {
    await ledger.append({ type: 'limit-learned', model: `m${number}`, enqueuedTokens: number });
    assert.equal(ledger.fold.learnedLimits.get(`m${number}`), number);
  });
  assert.equal(ledger.fold.learnedLimits.size, 0);
  await Promise.all(appends);
  assert.ok(sync.mock.callCount() <= 6, `${sync.mock.callCount()} syncs`);
  const models: string[] = [];
  await readEvents(
    path.join(world.directory, 'events.jsonl'),
    ({ event }) => void (event.type === 'limit-learned' && models.push(event.model)),
    signal,
  );
  assert.deepEqual(
    models,
    Array.from({ length: 300 }, (_, number) => `m${number}`),
  );
});

test('after a failed sync the log accepts nothing more', async (t) => {
  const world = makeLedgerWorld(t);
  const ledger = await world.open();
  const failure = Object.assign(new Error('EIO: i/o error, fdatasync'), { code: 'EIO', syscall: 'fdatasync' });
  const broken = t.mock.method(fs, 'fdatasync', (_descriptor: number, done: (error: Error) => void) => done(failure));
  const first = ledger.append({ type: 'limit-learned', model: 'm', enqueuedTokens: 1 });
  const second = ledger.append({ type: 'limit-learned', model: 'm', enqueuedTokens: 2 });
  await assert.rejects(first, (error) => error instanceof DiskError && error.errno === 'EIO');
  await assert.rejects(second, /EIO/);
  broken.mock.restore();
  await assert.rejects(ledger.append({ type: 'limit-learned', model: 'm', enqueuedTokens: 3 }), /EIO/);
  assert.equal(ledger.fold.learnedLimits.size, 0);
});

wideTest('announced events survive SIGKILL', async (t) => {
  const world = makeLedgerWorld(t);
  const script = new URL('./helpers/ledger-appender.js', import.meta.url).pathname;
  let acknowledged = 0;
  for (let round = 0; round < 4; round++) {
    const child = spawn(process.execPath, [script, world.directory], { stdio: ['ignore', 'pipe', 'inherit'] });
    const exited = once(child, 'exit');
    for await (const line of createInterface({ input: child.stdout })) {
      acknowledged = Number(line);
      if (acknowledged >= (round + 1) * 40) child.kill('SIGKILL');
    }
    assert.deepEqual(await exited, [null, 'SIGKILL']);
    const reader = await world.read();
    assert.ok(reader.fold.learnedLimits.size >= acknowledged, `${reader.fold.learnedLimits.size} of ${acknowledged}`);
    await reader.close();
  }
  assert.ok(acknowledged >= 160);
});
