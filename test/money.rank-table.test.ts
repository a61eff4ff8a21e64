import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { packRanks, readRankTable } from '../src/money/tokens/rank-table.ts';
import { anyText } from './helpers/any-text.ts';
import { runsOf } from './helpers/wide.ts';

const text = anyText({ minLength: 1, maxLength: 4 });
const bytes = fc.array(fc.integer({ min: 128, max: 191 }), { minLength: 1, maxLength: 3 });

test('a table of ranks finds the tokens it was made from, and nothing else', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.oneof(text, bytes), { selector: String, maxLength: 60 }), fc.array(text), (ranks, others) => {
      const table = readRankTable(packRanks(ranks));
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
  assert.throws(() => readRankTable(packed.toReversed()), /not a table of ranks/);
});
