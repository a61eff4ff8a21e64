import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { CAUSES, type OutcomeStatus } from '../src/core/outcome.ts';
import { KeyIndex } from '../src/ledger/key-index.ts';
import { k } from './helpers/ledger-world.ts';
import { runsOf, wideTest } from './helpers/wide.ts';

wideTest('the index takes at most 64 bytes per key, at every size from 100,000 keys on', () => {
  const index = new KeyIndex();
  let worst = 0;
  for (let number = 0; number < 200_000; number++) {
    index.add(k(number));
    if (index.size >= 100_000) worst = Math.max(worst, index.bytes / index.size);
  }
  assert.equal(index.size, 200_000);
  assert.ok(worst <= 64, `${worst} bytes a key`);
});

test('a key keeps its id, and a key never added has none', () => {
  const index = new KeyIndex();
  const ids = Array.from({ length: 5_000 }, (_, number) => index.add(k(number)));
  assert.deepEqual(
    ids,
    Array.from({ length: 5_000 }, (_, number) => number),
  );
  for (let number = 0; number < 5_000; number++) {
    assert.equal(index.find(k(number)), number);
    assert.equal(index.add(k(number)), number);
    assert.equal(index.find(k(number + 5_000)), -1);
  }
});

test('keys that differ in one character are different keys, wherever it is', () => {
  const index = new KeyIndex();
  const key = 'QGfa3LSjV58ITuJA3oaqTG';
  const id = index.add(key);
  for (let position = 0; position < key.length; position++) {
    for (const character of 'AGg_-') {
      const other = key.slice(0, position) + character + key.slice(position + 1);
      assert.equal(index.find(other), other === key ? id : -1, other);
    }
  }
});

test('with dedupe off, repeated content has separate keys', () => {
  const index = new KeyIndex();
  assert.equal(index.add(k(1)), 0);
  assert.equal(index.add(`${k(1)}-o2`), 1);
  assert.equal(index.find(`${k(1)}-o3`), -1);
  assert.equal(index.find(`${k(1)}-o2`), 1);
});

interface Model {
  outcome: OutcomeStatus | null;
  location: { file: number; offsetBytes: number; lengthBytes: number } | null;
  attempts: number;
  idleRounds: number;
  doubts: { vanishedBatches: number; interruptions: number };
  reasks: number;
  attemptEpoch: number;
  isReopened: boolean;
  hasHistory: boolean;
  shard: number;
  settledOffset: number;
}

test('whatever is set for a key is read back, and no other key changes', () => {
  const count = fc.nat(255);
  const offset = fc.integer({ min: 0, max: 2 ** 48 - 1 });
  const location = fc.option(
    fc.record({ file: fc.integer({ min: 1, max: 2 ** 32 - 1 }), offsetBytes: offset, lengthBytes: fc.nat() }, { noNullPrototype: true }),
    {
      nil: null,
    },
  );
  const record = fc.record(
    {
      outcome: fc.constantFrom<OutcomeStatus | null>(null, 'ok', ...CAUSES),
      location,
      attempts: count,
      idleRounds: fc.nat(7),
      doubts: fc.record({ vanishedBatches: fc.nat(3), interruptions: fc.nat(7) }, { noNullPrototype: true }),
      reasks: count,
      attemptEpoch: fc.nat(2 ** 24 - 1),
      isReopened: fc.boolean(),
      hasHistory: fc.boolean(),
      shard: fc.nat(2 ** 24 - 1),
      settledOffset: fc.integer({ min: -1, max: 2 ** 48 - 2 }),
    },
    { noNullPrototype: true },
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(20), record), { maxLength: 60 }), (changes) => {
      const index = new KeyIndex();
      const model = new Map<number, Model>();
      for (const [number, change] of changes) {
        const id = index.add(k(number));
        index.setOutcome(id, change.outcome, change.location);
        index.setDoubts(id, change.doubts);
        index.setCounts(id, change.attempts, change.idleRounds);
        index.raiseReasks(id, change.reasks);
        index.setAttemptEpoch(id, change.attemptEpoch);
        index.setReopened(id, change.isReopened);
        index.setShard(id, change.shard);
        index.setSettled(id, change.settledOffset, change.hasHistory);
        index.markSeen(id, 7);
        model.set(number, { ...change, reasks: Math.max(change.reasks, model.get(number)?.reasks ?? 0) });
      }
      for (const [number, expected] of model) {
        const id = index.find(k(number));
        assert.deepEqual(describe(index, id), expected);
        assert.ok(index.isSeen(id, 7) && !index.isSeen(id, 6));
      }
    }),
    { numRuns: runsOf(200) },
  );
});

function describe(index: KeyIndex, id: number): Model {
  return {
    outcome: index.outcome(id),
    location: index.location(id),
    attempts: index.attempts(id),
    idleRounds: index.idleRounds(id),
    doubts: index.doubts(id),
    reasks: index.reasks(id),
    attemptEpoch: index.attemptEpoch(id),
    isReopened: index.isReopened(id),
    hasHistory: index.hasHistory(id),
    shard: index.shard(id),
    settledOffset: index.settledOffset(id),
  };
}

test('counts stop at the largest value that can be stored', () => {
  const index = new KeyIndex();
  const id = index.add(k(1));
  index.setCounts(id, 300, 1_000);
  index.raiseReasks(id, 400);
  assert.deepEqual([index.attempts(id), index.idleRounds(id), index.reasks(id)], [255, 7, 255]);
  index.setDoubts(id, { vanishedBatches: 9, interruptions: 9 });
  assert.deepEqual([index.doubts(id), index.attempts(id), index.idleRounds(id)], [{ vanishedBatches: 3, interruptions: 7 }, 255, 7]);
});

test('a pass over the table sees a key once, even after hundreds of passes', () => {
  const index = new KeyIndex();
  const id = index.add(k(1));
  for (let round = 0; round < 600; round++) {
    const pass = index.startPass();
    assert.equal(index.isSeen(id, pass), false, `round ${round}`);
    if (round % 3 === 0) {
      index.markSeen(id, pass);
      assert.equal(index.isSeen(id, pass), true);
    }
  }
});

test('forgetting keeps the ids, and which keys are in flight in kept shards', () => {
  const index = new KeyIndex();
  for (const number of [1, 2]) {
    const id = index.add(k(number));
    index.setShard(id, number);
    index.setAttemptEpoch(id, 5);
    index.setOutcome(id, 'invalid', { file: 1, offsetBytes: 2, lengthBytes: 3 });
    index.setSettled(id, 99, true);
  }
  index.forgetAll((shard) => shard === 2);
  assert.deepEqual([index.find(k(1)), index.find(k(2))], [0, 1]);
  assert.deepEqual([index.shard(0), index.shard(1)], [0, 2]);
  assert.deepEqual(
    [index.outcome(1), index.attemptEpoch(1), index.location(1), index.settledOffset(1), index.hasHistory(1)],
    [null, 0, null, -1, false],
  );
  index.setOutcome(1, 'ok', null);
  assert.equal(index.wasAnsweredBefore(1), false);
  for (const outcome of [null, 'invalid'] as const) {
    index.forgetAll(() => false);
    assert.deepEqual([index.wasAnsweredBefore(0), index.wasAnsweredBefore(1), index.outcome(1)], [false, true, null]);
    index.setOutcome(1, outcome, null);
    assert.deepEqual([index.wasAnsweredBefore(1), index.outcome(1)], [true, outcome]);
  }
});
