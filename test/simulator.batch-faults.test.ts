import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chatLines, type RawAnswer, type SimulatorApi, withSimulator } from './helpers/simulator-api.ts';

type Batch = RawAnswer['json'];

/** Runs one batch of 40 rows under one fault, which has to fire. */
async function withBatch(fault: object, test: (batch: Batch, api: SimulatorApi) => Promise<void>): Promise<void> {
  await withSimulator({ faults: [{ match: { batch: 1 }, do: fault }] }, async (api) => {
    const id = await api.submit(chatLines(40), { metadata: { shard: '1' } });
    await test(await api.finish(id), api);
    assert.equal(api.simulator.faultsFired()[0]?.fired, 1);
  });
}

test('an expired batch has its finished rows in the output, the others as batch_expired, and bills the finished ones', () =>
  withBatch({ expire: 0.3 }, async (batch, { readLines, simulator }) => {
    assert.equal(batch.status, 'expired');
    assert.ok(batch.expired_at > 0 && batch.completed_at === null);
    assert.deepEqual(batch.request_counts, { total: 40, completed: 12, failed: 28 });
    const output = await readLines(batch.output_file_id);
    const expired = await readLines(batch.error_file_id);
    assert.ok(expired.every(({ response, error }) => response === null && error.code === 'batch_expired'));
    assert.equal(new Set([...output, ...expired].map((line) => line.custom_id)).size, 40);
    assert.deepEqual(
      simulator
        .bill()
        .map(({ customId }) => customId)
        .sort(),
      output.map((line) => line.custom_id).sort(),
    );
  }));

for (const unfinished of ['missing', 'lines']) {
  test(`a batch cancelled from outside keeps its finished rows; the others are ${unfinished}`, () =>
    withBatch({ cancel: 0.5, unfinished }, async (batch, { readLines, simulator }) => {
      assert.equal(batch.status, 'cancelled');
      assert.ok(batch.cancelling_at > 0 && batch.cancelled_at >= batch.cancelling_at);
      assert.equal((await readLines(batch.output_file_id)).length, 20);
      if (unfinished === 'missing') assert.equal(batch.error_file_id, null);
      else assert.equal((await readLines(batch.error_file_id))[0].error.code, 'batch_cancelled');
      assert.equal(simulator.bill().length, 20);
    }));
}

test('a batch can fail validation with any code, with or without lines', async () => {
  await withBatch({ fail: 'odd_code', message: 'Because.', lines: [3, 9] }, async (batch, { simulator }) => {
    assert.equal(batch.status, 'failed');
    assert.deepEqual(batch.errors, {
      object: 'list',
      data: [3, 9].map((line) => ({ code: 'odd_code', message: 'Because.', param: null, line })),
    });
    assert.deepEqual(simulator.bill(), []);
  });
  await withBatch({ fail: 'odd_code' }, async (batch) => assert.equal(batch.errors.data[0].line, null));
});

for (const [view, shown] of [
  ['null', null],
  ['empty', ''],
  ['omitted', undefined],
] as const) {
  test(`a completed batch may show its output file id as ${view} for good`, () =>
    withBatch({ outputFileId: view }, async (batch) => {
      assert.deepEqual([batch.status, batch.output_file_id, batch.request_counts.completed], ['completed', shown, 40]);
    }));
}

test('a file id may come late', () =>
  withBatch({ outputFileId: 'late', lateMs: 120_000 }, async (batch, { simulator, request, readLines }) => {
    assert.deepEqual([batch.status, batch.output_file_id], ['completed', null]);
    await simulator.advance(120_000);
    const later = (await request('GET', `/batches/${batch.id}`)).json;
    assert.equal((await readLines(later.output_file_id)).length, 40);
  }));

test('a dropped error file id hides the error file alone', () =>
  withSimulator(
    { faults: [{ do: { errorFileId: 'empty' } }, { match: { row: 1 }, do: { rowStatus: 500 } }] },
    async ({ submit, finish }) => {
      const batch = await finish(await submit(chatLines(2)));
      assert.equal(batch.error_file_id, '');
      assert.match(batch.output_file_id, /^file-/);
    },
  ));

test('metadata may be dropped, counts and usage may be wrong or absent', async () => {
  await withBatch({ dropMetadata: true }, async (batch) => assert.equal(batch.metadata, null));
  await withBatch({ counts: null }, async (batch) => assert.equal(batch.request_counts, null));
  await withBatch({ counts: { total: 1, completed: 1, failed: 0 } }, async (batch) => assert.equal(batch.request_counts.total, 1));
  await withBatch({ noUsage: true }, async (batch) => assert.equal(batch.usage, null));
});

test('a batch in progress may show a status nobody knows', () =>
  withSimulator({ faults: [{ do: { showStatus: 'pondering' } }] }, async ({ submit, finish, request, simulator }) => {
    const id = await submit(chatLines(40));
    await simulator.advance(100);
    assert.equal((await request('GET', `/batches/${id}`)).json.status, 'pondering');
    assert.equal((await finish(id)).status, 'completed');
  }));

test('a final status may go back before it stays', () =>
  withBatch({ goBack: 2 }, async (first, { request }) => {
    const statuses = [first.status];
    for (let look = 0; look < 4; look += 1) statuses.push((await request('GET', `/batches/${first.id}`)).json.status);
    assert.deepEqual(statuses, ['completed', 'in_progress', 'in_progress', 'completed', 'completed']);
  }));

for (const status of ['validating', 'in_progress', 'finalizing'] as const) {
  test(`a batch may be stuck in ${status} for more than a day, and can still be cancelled, billing what was done once`, () =>
    withBatch({ stuck: status }, async (batch, { simulator, request, readLines, finish }) => {
      assert.equal(batch.status, status);
      await simulator.advance(25 * 3_600_000);
      assert.equal((await request('GET', `/batches/${batch.id}`)).json.status, status);
      const done = { validating: 0, in_progress: 20, finalizing: 40 }[status];
      assert.equal(simulator.bill().length, done);
      assert.equal((await request('POST', `/batches/${batch.id}/cancel`)).json.status, 'cancelling');
      const cancelled = await finish(batch.id);
      assert.equal(cancelled.status, 'cancelled');
      assert.equal(simulator.bill().length, done);
      if (done > 0) assert.equal((await readLines(cancelled.output_file_id)).length, done);
      else assert.equal(cancelled.output_file_id, null);
    }));
}

test('a batch may be stuck in cancelling', () =>
  withSimulator({ faults: [{ do: { stuck: 'cancelling' } }] }, async ({ submit, request, finish }) => {
    const id = await submit(chatLines(40));
    await request('POST', `/batches/${id}/cancel`);
    assert.equal((await finish(id)).status, 'cancelling');
  }));

test('a listing lag may concern one batch', () =>
  withSimulator({ faults: [{ match: { batch: 2 }, do: { listLagMs: 30_000 } }] }, async ({ submit, request, simulator }) => {
    const first = await submit(chatLines(1));
    await submit(chatLines(1));
    const listed = async () => (await request('GET', '/batches')).json.data.map(({ id }: { id: string }) => id);
    assert.deepEqual(await listed(), [first]);
    await simulator.advance(30_000);
    assert.equal((await listed()).length, 2);
  }));

test('an output file may start with a byte order mark', () =>
  withBatch({ bom: true }, async (batch, { request }) => {
    const content = await request('GET', `/files/${batch.output_file_id}/content`);
    // The text decoder of fetch takes the mark away; the length still tells.
    assert.equal(Number(content.headers.get('content-length')), Buffer.byteLength(content.text) + 3);
  }));
