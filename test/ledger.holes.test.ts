import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { LedgerError } from '../src/core/errors.ts';
import { waitSilently } from '../src/ledger/disk/holder-watch.ts';
import { makeEventLine, readEventLine } from '../src/ledger/events/event-line.ts';
import { k, type LedgerWorld, makeLedgerWorld, startRun, uploadShard } from './helpers/ledger-world.ts';
import { someOf } from './helpers/wide.ts';

interface Broken {
  readonly world: LedgerWorld;
  readonly file: string;
  /** The log's lines, newlines included. */
  readonly lines: readonly string[];
}

/** A log whose last four events were one group on its way to the disk: the end of a create, and three more. */
async function makeLog(t: TestContext): Promise<Broken> {
  const world = makeLedgerWorld(t);
  const ledger = await world.open();
  await startRun(ledger, 'run1');
  const shard = await uploadShard(ledger, [k(1)]);
  await ledger.append({ type: 'create-intent', shard, attempt: 1, fileId: `file-${shard}`, keyFingerprint: 'f' });
  await Promise.all([
    ledger.append({ type: 'create-done', shard, attempt: 1, batchId: 'batch_1', how: 'response' }),
    ...[1, 2, 3].map((enqueuedTokens) => ledger.append({ type: 'limit-learned', model: 'm', enqueuedTokens })),
  ]);
  await ledger.close();
  const file = path.join(world.directory, 'events.jsonl');
  return { world, file, lines: fs.readFileSync(file, 'utf8').split(/(?<=\n)/) };
}

function zero(text: string, from: number, to: number): string {
  return text.slice(0, from) + '\0'.repeat(to - from) + text.slice(to);
}

/** The last group as a power cut may leave it. */
const HOLES: Readonly<Record<string, (group: string) => string>> = {
  'in its first line': (group) => zero(group, 10, 60),
  'over the end of a line': (group) => zero(group, 40, group.indexOf('\n') + 30),
  'from its beginning into a later line': (group) => zero(group, 0, group.indexOf('\n') + 30),
  'over whole lines': (group) => zero(group, 0, group.lastIndexOf('\n', group.length - 2) + 1),
  twice: (group) => zero(zero(group, 5, 20), group.length - 40, group.length - 20),
  'with a torn end': (group) => zero(group, 5, 20).slice(0, -30),
};

for (const [where, breakGroup] of someOf(Object.entries(HOLES), 2)) {
  test(`a hole that a power cut left in the last group, ${where}, is cut, kept in a separate file and reported; its create is open again`, async (t) => {
    const { world, file, lines } = await makeLog(t);
    const synced = lines.slice(0, -4).join('');
    const group = breakGroup(lines.slice(-4).join(''));
    fs.writeFileSync(file, synced + group);
    const reader = await world.read();
    assert.equal(reader.fold.shards.get('000001')?.status, 'creating');
    assert.equal(fs.readFileSync(file, 'utf8'), synced + group, 'who only reads changes nothing');

    const told: string[] = [];
    const ledger = await world.open({ waiting: { ...waitSilently(t.signal), tell: (message) => told.push(message) } });
    assert.equal(ledger.fold.shards.get('000001')?.status, 'creating', 'its batch is looked for');
    assert.equal(fs.readFileSync(`${file}.cut-1`, 'utf8'), group);
    assert.equal(told.length, 1);
    assert.match(told[0] ?? '', new RegExp(`events.jsonl:${lines.length - 4 + 1}: .*kept in .*events.jsonl.cut-1`));
    await ledger.append({ type: 'limit-learned', model: 'm', enqueuedTokens: 9 });
    await ledger.close();
    const again = await world.open();
    assert.equal(again.fold.learnedLimits.get('m'), 9);
  });
}

/** Damage no power cut leaves. */
const DAMAGE: Readonly<Record<string, (lines: readonly string[]) => string>> = {
  'zeros where a later event says that they were on the disk': (lines) =>
    lines.map((line, index) => (index === lines.length - 6 ? zero(line, 10, 20) : line)).join(''),
  'another byte in the last group': (lines) =>
    lines.map((line, index) => (index === lines.length - 4 ? line.replace('batch_1', 'batch_2') : line)).join(''),
  'zeros before an event of an early version': (lines) =>
    lines
      .map((line, index) => (index === lines.length - 4 ? zero(line, 10, 20) : index === lines.length - 1 ? forgetSync(line) : line))
      .join(''),
};

for (const [what, damage] of someOf(Object.entries(DAMAGE), 3)) {
  test(`${what}: the log is damaged, and left unchanged`, async (t) => {
    const { world, file, lines } = await makeLog(t);
    const text = damage(lines);
    assert.notEqual(text, lines.join(''));
    fs.writeFileSync(file, text);
    await assert.rejects(world.open(), (error) => error instanceof LedgerError && error.line > 0);
    assert.equal(fs.readFileSync(file, 'utf8'), text);
    assert.ok(!fs.existsSync(`${file}.cut-1`));
  });
}

function forgetSync(line: string): string {
  const reading = readEventLine(Buffer.from(line.trimEnd()));
  assert.ok(reading.status === 'event');
  const { synced: _, ...event } = reading.event;
  return makeEventLine(event);
}
