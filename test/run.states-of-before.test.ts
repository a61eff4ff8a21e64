import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Summary } from '../src/core/summary.ts';
import type { Status } from '../src/inspect/status.ts';
import type { Verification } from '../src/inspect/verify/verify.ts';
import { copyStateOfBefore, listFiles, STATE_FLAGS, STATES_OF_BEFORE, type StateOfBefore } from './helpers/state-of-before.ts';
import { someOf } from './helpers/wide.ts';

interface Kept {
  readonly state: StateOfBefore;
  /** Rows without an answer in it. */
  readonly pending: number;
  /** Calls on the bill when it was kept. */
  readonly billed: number;
}

const FINISHED: readonly Kept[] = [
  { state: 'batch-finished', pending: 0, billed: 8 },
  { state: 'live-finished', pending: 0, billed: 8 },
];
const KILLED: readonly Kept[] = [
  { state: 'batch-killed', pending: 5, billed: 6 },
  { state: 'live-killed', pending: 5, billed: 6 },
];
/** Ten rows: one is a duplicate, one is empty. */
const REQUESTS = 8;

for (const { state, pending, billed } of someOf([...FINISHED, ...KILLED], 2)) {
  test(`${state}: a state of earlier code is opened, continued to its end, verified and reported, and nothing kept is paid for again`, async (t) => {
    const world = copyStateOfBefore(state);
    t.after(world.dispose);
    const readBill = () => readIds(join(world.state, 'provider', 'bill.jsonl'), 'customId');
    const isOver = pending === 0;
    const answered = listFiles(join(world.state, 'responses')).flatMap((file) => readIds(file, 'custom_id'));
    assert.equal(readBill().length, billed);

    const before = await world.json<Status>(['status', 'job.yaml', ...STATE_FLAGS]);
    assert.equal(before.rows.pending, pending);
    assert.equal(before.run?.endedAt === null, !isOver);
    const asked = await world.json<Verification>(['verify', 'job.yaml', ...STATE_FLAGS]);
    assert.deepEqual(listFailed(asked), []);

    const { run: continued, ...summary } = await world.json<Summary>(['run', 'job.yaml', ...STATE_FLAGS]);
    assert.equal(summary.exitCode, 0);
    assert.equal(continued === before.run?.id, !isOver, 'an open run goes on under its name');
    assert.deepEqual([summary.rows.in, summary.rows.ok, summary.rows.skipped], [10, 9, 1]);
    assert.equal(summary.rows.new, isOver ? 0 : REQUESTS);
    assert.equal(readFileSync(join(world.folder, 'out.csv'), 'utf8').trimEnd().split('\n').length, 11);

    const bill = readBill();
    const twice = bill.filter((customId, index) => bill.indexOf(customId) !== index);
    assert.equal(new Set(bill).size, REQUESTS);
    assert.deepEqual(
      twice.filter((customId) => answered.includes(customId)),
      [],
      'no answer that was kept is paid again',
    );
    if (state !== 'live-killed') assert.deepEqual(twice, []);
    else assert.equal(twice.length, summary.attempts.unknown, 'each call billed twice is one that was announced as in doubt');

    const verified = await world.json<Verification>(['verify', 'job.yaml', ...STATE_FLAGS]);
    assert.deepEqual(listFailed(verified), []);
    for (const name of ['bill', 'summary', 'table']) assert.equal(verified.checks.find((check) => check.name === name)?.status, 'ok', name);
    assert.equal((await world.json<Summary>(['report', 'job.yaml', ...STATE_FLAGS])).run, continued);
    const page = await world.run(['report', 'job.yaml', '--run', before.run?.id ?? '', '--html', 'page.html', ...STATE_FLAGS]);
    assert.equal(page.exitCode, 0);
    assert.match(readFileSync(join(world.folder, 'page.html'), 'utf8'), /Стул скрипит/);
  });
}

test('fixtures of old states name no machine and no folder', () => {
  const files = listFiles(STATES_OF_BEFORE);
  assert.ok(files.length > 50);
  for (const file of files) {
    assert.doesNotMatch(readFileSync(file, 'utf8'), /\/(tmp|home|root|work|var|private|Users)\/|[A-Z]:\\\\/, file);
    if (file.endsWith('lock')) assert.equal(JSON.parse(readFileSync(file, 'utf8')).host, 'host-of-before');
  }
});

function listFailed({ checks }: Verification): readonly string[] {
  return checks.filter(({ status }) => status === 'failed').map(({ name, detail }) => `${name}: ${detail}`);
}

/** One field of every whole line. */
function readIds(file: string, field: string): readonly string[] {
  const text = readFileSync(file, 'utf8');
  const lines = text.slice(0, text.lastIndexOf('\n') + 1).split('\n');
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line)[field]);
}
