import assert from 'node:assert/strict';
import { truncateSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { CheckAnswer } from '../src/core/outcome.ts';
import type { Ledger } from '../src/ledger/ledger.ts';
import { checkAnswer, finish, k, makeAnswerLine, makeLedgerWorld, record, startRun, submit } from './helpers/ledger-world.ts';

/** Short, long, in other scripts, of quotes, wrong, of a word that is no end, and, as 7, none. */
const CONTENTS = ['fine', 'x'.repeat(400), 'Größe 😀 お', '"a\\b"\n\t', 'wrong', 'cut', 'twice'];

function describeByLine(ledger: Ledger, id: number) {
  const { line, outcome, lane, createdSeconds } = ledger.readAnswer(id);
  const { status, message, isBilled, usage, model, tier, createdSeconds: ownSeconds, value, isUnmarked } = outcome;
  return {
    outcome: { status, message, isBilled, usage, model, tier, value, isUnmarked },
    requestId: line?.response?.request_id ?? null,
    lane,
    seconds: ownSeconds ?? createdSeconds,
  };
}

function describeByTable(ledger: Ledger, id: number) {
  const { outcome, requestId, lane, createdSeconds } = ledger.readTableAnswer(id);
  const { status, message, isBilled, usage, model, tier, createdSeconds: ownSeconds, value, isUnmarked } = outcome;
  return {
    outcome: { status, message, isBilled, usage, model, tier, value, isUnmarked },
    requestId,
    lane,
    seconds: ownSeconds ?? createdSeconds,
  };
}

async function settle(ledger: Ledger): Promise<void> {
  await startRun(ledger, 'r1');
  await submit(ledger, 'b1', [...CONTENTS.keys(), 7].map(k));
  const lines = CONTENTS.map((content, row) => makeAnswerLine(k(row), content, row === 5 ? { finish: 'length' } : {}));
  await record(ledger, 'b1', [...lines, makeAnswerLine(k(6), 'once more', { id: 'other' })]);
  await finish(ledger, 'b1');
  await ledger.append({ type: 'call-intent', calls: [{ customId: k(8), bodyBytes: 100 }] });
  await ledger.recordLines([{ customId: k(8), line: makeAnswerLine(k(8), 'live', { id: 'live-1' }) }]);
}

const DATE_CHECK: CheckAnswer = () => ({ ok: true, value: { at: new Date(0), list: [undefined] } });

for (const [how, check] of [
  ['texts', checkAnswer],
  ['values no JSON brings back', DATE_CHECK],
] as const) {
  test(`a table shows every answer as its line does, now, after a restart and during a run: ${how}`, async (t) => {
    const world = makeLedgerWorld(t);
    const change = { checkAnswer: check };
    const compare = (ledger: Ledger) => {
      assert.equal(ledger.keys.size, 9);
      for (let id = 0; id < 9; id += 1) assert.deepEqual(describeByTable(ledger, id), describeByLine(ledger, id));
    };
    const ledger = await world.open(change);
    await settle(ledger);
    compare(ledger);
    await ledger.close();
    compare(await world.read(change));
    compare(await world.open(change));
  });
}

test('a short answer is not read from its file again, a long one is', async (t) => {
  const world = makeLedgerWorld(t);
  const ledger = await world.open();
  await settle(ledger);
  truncateSync(join(world.directory, 'responses', 'b1.output.jsonl'));
  assert.equal(ledger.readTableAnswer(ledger.keys.find(k(0))).outcome.value, 'fine');
  assert.equal(ledger.readTableAnswer(ledger.keys.find(k(2))).outcome.value, CONTENTS[2]);
  assert.throws(() => ledger.readTableAnswer(ledger.keys.find(k(1))), /has changed since it was recorded/);
});
