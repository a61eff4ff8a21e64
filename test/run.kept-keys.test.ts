import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { KeyIndex } from '../src/ledger/key-index.ts';
import { packKey, unpackKey } from '../src/ledger/pack-key.ts';
import { makeRows, makeWorld, renderCsv } from './helpers/run-world.ts';
import { someOf } from './helpers/wide.ts';

test('a packed key is unpacked bit by bit', () => {
  const words = new Uint32Array(8);
  const check = fc.property(fc.string(), fc.nat({ max: 4 }), (text, start) => {
    const key = hash('sha256', text, 'base64url').slice(0, 22);
    const left = packKey(key, words.subarray(start, start + 4));
    assert.equal(unpackKey(words, start, left), key);
  });
  fc.assert(check, { numRuns: 200 });
  const keys = new KeyIndex();
  const [first, second] = ['a', 'b'].map((text) => hash('sha256', text, 'base64url').slice(0, 22)) as [string, string];
  assert.deepEqual(
    [first, second].map((key) => keys.keyOf(keys.add(key))),
    [first, second],
  );
});

const ROWS = makeRows(12);
/** What becomes of the table while the run waits for its answers. */
const CHANGES: Readonly<Record<string, readonly (readonly [string, string])[]>> = {
  'rows that changed places': ROWS.toReversed(),
  'a row that says something else': [...ROWS.slice(0, 5), ['r6', 'Note number 6 was written anew'], ...ROWS.slice(6)],
  'fewer rows': ROWS.slice(4),
  'more rows': makeRows(20),
};

for (const [what, changed] of someOf(Object.entries(CHANGES), 2)) {
  test(`no row gets the answer of the row that was there when its key was found: ${what}`, async (t) => {
    const world = await makeWorld(t, { rows: ROWS, batchSeconds: 30 });
    let sleeps = 0;
    const sleep: typeof world.effects.sleep = async (milliseconds, signal) => {
      sleeps += 1;
      if (sleeps === 1) world.write('in.csv', renderCsv(changed));
      await world.effects.sleep(milliseconds, signal);
    };
    const { summary } = await world.run({ effects: { ...world.effects, sleep } });
    assert.ok(sleeps > 0);
    assert.deepEqual([summary.exitCode, summary.rows.in, summary.rows.ok], [0, changed.length, changed.length]);
    world.check(summary);
  });
}
