import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createBackoff } from '../src/batch/backoff.ts';
import { createShardBreaker } from '../src/batch/breaker.ts';
import { createCutSize, MAX_SHARD_BYTES, MAX_SHARD_REQUESTS } from '../src/batch/cut-size.ts';
import { chooseBatch } from '../src/batch/find-lost-batch.ts';
import { createAdmission } from '../src/batch/queue/admission.ts';
import { readGeneral, readRejection } from '../src/batch/rejection.ts';
import { isTooLarge } from '../src/batch/upload.ts';
import type { ShardState } from '../src/ledger/events/fold.ts';
import { type RemoteBatch, readRemoteBatch } from '../src/openai/wire.ts';

const never = new AbortController().signal;
const shardOf = (change: Partial<ShardState>) => ({ id: '000001', rows: 10, bytes: 1_000, tokens: 100, ...change }) as ShardState;

test('admission lets shards in oldest first and never exceeds the limit, except for a single shard that does', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 1, max: 150 }), { maxLength: 20 }),
      fc.integer({ min: 50, max: 200 }),
      async (sizes, limit) => {
        const admission = createAdmission(limit);
        const entered: number[] = [];
        const inside: number[] = [];
        const waiting = sizes.map((tokens, index) =>
          admission.enter(tokens, never).then(() => {
            entered.push(index);
            inside.push(tokens);
            assert.ok(admission.used <= limit || inside.length === 1, `${admission.used} of ${limit}`);
          }),
        );
        while (entered.length < sizes.length) {
          await new Promise((resolve) => setImmediate(resolve));
          const first = inside.shift();
          if (first !== undefined) admission.leave(first);
        }
        await Promise.all(waiting);
        assert.deepEqual(
          entered,
          sizes.map((_, index) => index),
        );
        for (const tokens of inside) admission.leave(tokens);
        assert.equal(admission.used, 0);
      },
    ),
    { numRuns: 50 },
  );
});

test('whoever stops waiting for admission leaves the queue and lets the next one in', async () => {
  const admission = createAdmission(100);
  await admission.enter(80, never);
  const abort = new AbortController();
  const large = admission.enter(90, abort.signal);
  const small = admission.enter(20, never);
  assert.equal(admission.waiting, 2);
  abort.abort(new Error('no more'));
  await assert.rejects(large, /no more/);
  await small;
  assert.deepEqual([admission.used, admission.waiting], [100, 0]);
});

test('a limit that is learned or lifted counts at once; shards already with the provider are counted without waiting', async () => {
  const admission = createAdmission(null);
  admission.enterNow(5_000);
  await admission.enter(5_000, never);
  admission.limit = 6_000;
  let isIn = false;
  const next = admission.enter(1_500, never).then(() => {
    isIn = true;
  });
  await Promise.resolve();
  assert.equal(isIn, false);
  const left = admission.nextLeave();
  admission.leave(5_000);
  await left;
  assert.equal(isIn, false);
  admission.leave(5_000);
  await next;
  assert.equal(admission.used, 1_500);
});

test('pauses double up to the longest one, and are shortened by at most a quarter', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 1_000 }),
      fc.integer({ min: 1, max: 100_000 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (firstMs, maxMs, random) => {
        const backoff = createBackoff({ firstMs, maxMs, random: () => random });
        for (let round = 0; round < 40; round += 1) {
          const full = Math.min(firstMs * 2 ** Math.min(round, 30), maxMs);
          const pause = backoff.nextMs();
          assert.ok(pause <= full && pause >= full * 0.75);
        }
        backoff.reset();
        assert.ok(backoff.nextMs() <= Math.min(firstMs, maxMs));
      },
    ),
  );
});

test('the breaker stops after three complete refusals in a row, not if one in between passes', () => {
  const breaker = createShardBreaker();
  breaker.sawWholeRefusal('c', 'm');
  breaker.sawWholeRefusal('c', 'm');
  breaker.sawPass();
  breaker.sawWholeRefusal('c', 'm');
  breaker.sawWholeRefusal('c', 'm');
  assert.throws(() => breaker.sawWholeRefusal('c', 'm'), { exitCode: 5, code: 'circuit_breaker' });
});

test('shards are cut to half a learned limit, never below a row', () => {
  const cut = createCutSize(null);
  assert.deepEqual([cut.maxRequests, cut.maxBytes, cut.maxTokens], [MAX_SHARD_REQUESTS, MAX_SHARD_BYTES, Number.POSITIVE_INFINITY]);
  assert.ok(MAX_SHARD_BYTES < 200_000_000);
  cut.fitLimit(90_000);
  assert.equal(cut.maxTokens, 45_000);
  let shrinks = 0;
  while (cut.shrinkTokens(shardOf({ tokens: cut.maxTokens }))) shrinks += 1;
  assert.ok(shrinks >= 3 && cut.maxTokens >= 90_000 / 32, 'a queue that is still full is full of somebody else');
  assert.equal(cut.shrinkTokens(shardOf({ rows: 1, tokens: 80_000 })), false);
  for (let n = 0; n < 30; n += 1) cut.shrinkRequests(shardOf({ rows: cut.maxRequests }));
  assert.equal(cut.maxRequests, 1);
  for (let n = 0; n < 30; n += 1) cut.shrinkBytes(shardOf({ bytes: cut.maxBytes }));
  assert.ok(cut.maxBytes >= 1);
});

test('shards stay small while a bad row is searched for, and are cut at full size once every suspect is accounted for', () => {
  const cut = createCutSize(null);
  cut.shrinkRequests(shardOf({ rows: 64 }));
  assert.equal(cut.maxRequests, 32);
  cut.sawCollected(32);
  assert.equal(cut.maxRequests, 32, 'the bad row is in the other half');
  cut.shrinkRequests(shardOf({ rows: 32 }));
  assert.equal(cut.maxRequests, 16);
  cut.sawCollected(16);
  cut.sawCollected(16);
  assert.equal(cut.maxRequests, MAX_SHARD_REQUESTS);
});

test("the enqueued-token limit is read from the provider's message", () => {
  const read = (message: string, code = 'token_limit_exceeded') => readGeneral(code, message, null);
  const full = { type: 'queue-full', limitTokens: null, limitRequests: null };
  const told = 'Enqueued token limit reached for gpt-4o-mini in organization org-X. Limit: 2,000,000 enqueued tokens. Please try again';
  assert.deepEqual(read(told), { ...full, limitTokens: 2_000_000 });
  assert.deepEqual(read('Limit: 90000 enqueued tokens.'), { ...full, limitTokens: 90_000 });
  assert.deepEqual(read('Limit: 1,000,000 enqueued requests.', 'request_limit_exceeded'), { ...full, limitRequests: 1_000_000 });
  for (const other of ['', 'Limit reached', 'Limit: many enqueued tokens', 'Limit: 30000, Used 29937']) {
    assert.deepEqual(read(other), full, 'the code decides; a limit that cannot be read is not made up');
    assert.equal(read(other, 'another_code'), null);
  }
});

function batch(change: object): RemoteBatch {
  return readRemoteBatch({ id: 'batch_1', status: 'failed', ...change });
}

const listed = (...data: object[]) => batch({ errors: { object: 'list', data } });
const ids = ['a', 'b', 'c'];

test('the errors of a failed batch become one decision', () => {
  assert.deepEqual(
    readRejection(
      listed({ code: 'invalid_json_line', message: 'm', line: 2, param: null }, { code: 'x', message: 'n', line: 3, param: null }),
      ids,
    ),
    {
      type: 'rows',
      rejected: [
        { customId: 'b', code: 'invalid_json_line', message: 'm' },
        { customId: 'c', code: 'x', message: 'n' },
      ],
    },
  );
  assert.equal(readRejection(listed({ code: 'invalid_request', message: 'm', line: null, param: null }), ids).type, 'unplaced');
  assert.equal(
    readRejection(listed({ code: 'invalid_request', message: 'm', line: 9, param: null }), ids).type,
    'unplaced',
    'a line beyond the file says nothing',
  );
  assert.equal(
    readRejection(listed({ code: 'invalid_request', message: 'm', line: 0, param: null }), ids).type,
    'unplaced',
    'lines count from 1',
  );
  assert.deepEqual(readRejection(listed({ code: 'x', message: 'm', line: null, param: null }), ['only']), {
    type: 'rows',
    rejected: [{ customId: 'only', code: 'x', message: 'm' }],
  });
  assert.deepEqual(
    readRejection(listed({ code: 'x', message: 'm', line: 1, param: null }, { code: 'y', message: 'again', line: 1, param: null }), ids),
    { type: 'rows', rejected: [{ customId: 'a', code: 'x', message: 'm' }] },
  );
  for (const errors of [undefined, null, {}, { data: null }, { data: [] }, { data: [null, 5] }])
    assert.equal(readRejection(batch({ errors }), ids).type, 'unplaced');
});

test('reasons that concern the whole shard are distinguished from those of rows', () => {
  const limit = 'Enqueued token limit reached for m in organization o. Limit: 90,000 enqueued tokens.';
  assert.deepEqual(readGeneral('token_limit_exceeded', limit, null), { type: 'queue-full', limitTokens: 90_000, limitRequests: null });
  assert.deepEqual(readGeneral('token_limit_exceeded', 'full', null), { type: 'queue-full', limitTokens: null, limitRequests: null });
  assert.equal(readGeneral('invalid_request', 'Cannot find file file-1, or organization …', 'file_id')?.type, 'file-not-found');
  assert.equal(readGeneral('model_not_found', 'm', 'body.model')?.type, 'job-refused');
  assert.equal(readGeneral('invalid_request', 'larger than 209715200 bytes', null)?.type, 'too-large');
  assert.equal(readGeneral('something_new', 'm', null), null);
});

test('a file that is too large is recognised in three forms', () => {
  assert.ok(
    isTooLarge({ status: 413, message: '' }) &&
      isTooLarge({ status: 400, message: '400 File is too large.' }) &&
      isTooLarge({ message: 'maximum 209715200' }),
  );
  assert.ok(!isTooLarge({ status: 400, message: 'The image is large' }));
});

test('of several batches for one create the one furthest along is kept, then the oldest, whatever their order', () => {
  const statuses = ['validating', 'in_progress', 'finalizing', 'completed', 'failed', 'expired', 'cancelling', 'cancelled', 'new_word'];
  const batches = fc.uniqueArray(
    fc.record({ id: fc.stringMatching(/^[a-z]{3}$/), status: fc.constantFrom(...statuses), created_at: fc.nat(3) }),
    { selector: ({ id }) => id, minLength: 1, maxLength: 6 },
  );
  fc.assert(
    fc.property(batches, (made) => {
      const remote = made.map((wire) => readRemoteBatch(wire));
      const chosen = chooseBatch(remote);
      assert.ok(chosen !== null);
      assert.deepEqual(chooseBatch(remote.toReversed()), chosen);
      assert.equal(chosen.extras.length, remote.length - 1);
      const completed = remote.filter(({ status }) => status === 'completed');
      if (completed.length > 0)
        assert.equal(chosen.kept.createdSeconds, Math.min(...completed.map(({ createdSeconds }) => createdSeconds)));
      if (chosen.kept.status === 'cancelled' || chosen.kept.status === 'failed')
        assert.ok(remote.every(({ status }) => !['completed', 'finalizing', 'in_progress', 'validating'].includes(status)));
    }),
  );
  assert.equal(chooseBatch([]), null);
});
