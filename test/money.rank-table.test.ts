import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { packRanks, readRankTable, type Words } from '../src/money/tokens/rank-table.ts';
import { anyText } from './helpers/any-text.ts';
import { runsOf } from './helpers/wide.ts';

const text = anyText({ minLength: 1, maxLength: 4 });
const bytes = fc.array(fc.integer({ min: 128, max: 191 }), { minLength: 1, maxLength: 3 });

/** Bytes as the words of a file, the last one filled up with zeros. */
function wordsOf(packed: Uint8Array): Words {
  const words = new Uint32Array(Math.ceil(packed.length / 4));
  new Uint8Array(words.buffer).set(packed);
  return { bytes: packed.length, at: (index) => words[index] as number };
}

test('a table of ranks finds the tokens it was made from, and nothing else', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.oneof(text, bytes), { selector: String, maxLength: 60 }), fc.array(text), (ranks, others) => {
      const table = readRankTable(wordsOf(packRanks(ranks)));
      const map = new Map(ranks.flatMap((token, rank) => (typeof token === 'string' ? [[token, rank] as const] : [])));
      for (const token of [...map.keys(), ...others, '']) assert.equal(table.get(token), map.get(token), JSON.stringify(token));
      const byteTokens = ranks.flatMap((token, rank) => (typeof token === 'string' ? [] : [{ token, rank }]));
      byteTokens.sort((a, b) => Buffer.compare(Buffer.from(a.token), Buffer.from(b.token)));
      assert.deepEqual(
        table.byteTokens.map(([token, rank]) => ({ token: Array.from(token), rank })),
        byteTokens,
      );
    }),
    { numRuns: runsOf(500) },
  );
});

test('a file that is not a table of ranks is refused', () => {
  const packed = packRanks(['a', [200]]);
  assert.throws(() => readRankTable(wordsOf(packed.toReversed())), /not a table of ranks/);
  assert.throws(() => readRankTable(wordsOf(packed.subarray(0, -2))), /not complete/);
});
