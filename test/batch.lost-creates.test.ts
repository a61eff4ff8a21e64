import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createThroughLosses } from './helpers/lost-creates.ts';
import { runsOf, wideTest } from './helpers/wide.ts';

/** A failing seed prints itself; `npm run soak` runs a thousand trials with other seeds. */
const SEED = 1;
const SHARDS = runsOf(30);

test(`lost create responses with a listing lag leave exactly one batch per shard (seed ${SEED})`, async () => {
  const result = await createThroughLosses({ seed: SEED, shards: SHARDS, abreast: 12, maxLagMs: 30_000 });
  assert.ok(result.lost >= SHARDS / 4, `the plan took ${result.lost} responses away`);
  assert.ok(result.adopted > 0, 'batches whose response was lost were found');
  assert.deepEqual(
    { ...result, lost: 0, adopted: 0 },
    { shards: SHARDS, without: 0, createdTwice: 0, unreported: 0, extrasCollected: true, lost: 0, adopted: 0 },
  );
});

wideTest('a single immediate search would pay twice if the list lags: the extra batches are found by the sweep and counted', async () => {
  const result = await createThroughLosses({ seed: 5, shards: SHARDS, abreast: 12, maxLagMs: 500_000, looksMs: [0] });
  assert.ok(result.createdTwice > 0, 'the schedule of looks is what prevents it');
  assert.deepEqual([result.unreported, result.extrasCollected, result.without], [0, true, 0]);
});
