import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chatLines, type RawAnswer, type SimulatorApi, withSimulator } from './helpers/simulator-api.ts';

const onList = { method: 'GET', path: '/v1/batches' };

/** The list of three batches under a fault that has to fire. */
function withList(
  kind: string,
  check: (read: (query?: string) => Promise<RawAnswer['json']>, api: SimulatorApi) => Promise<void>,
): Promise<void> {
  return withSimulator({ faults: [{ match: onList, do: { list: kind } }] }, async (api) => {
    for (let batch = 0; batch < 3; batch += 1) await api.submit(chatLines(1), { metadata: { shard: '1' } });
    await check(async (query = '') => (await api.request('GET', `/batches${query}`)).json, api);
    assert.ok((api.simulator.faultsFired()[0]?.fired ?? 0) > 0);
  });
}

test('the list comes as a bare array', () =>
  withList('bare_array', async (read) => assert.deepEqual([(await read()).length, (await read()).has_more], [3, undefined])));

test('fields of the list are left out', async () => {
  await withList('no_created_at', async (read) =>
    assert.equal(
      (await read()).data.some((batch: object) => 'created_at' in batch),
      false,
    ),
  );
  await withList('no_metadata', async (read) =>
    assert.equal(
      (await read()).data.some((batch: object) => 'metadata' in batch),
      false,
    ),
  );
});

test('a list is empty, or null in place of an empty one', async () => {
  await withList('empty', async (read) => assert.deepEqual((await read()).data, []));
  await withList('null_data', async (read) => assert.equal((await read()).data.length, 3));
  await withSimulator({ faults: [{ match: onList, do: { list: 'null_data' } }] }, async (api) =>
    assert.equal((await api.request('GET', '/batches')).json.data, null),
  );
});

test('a list repeats its first page forever, or never ends', async () => {
  await withList('same_page', async (read) => {
    const first = await read();
    assert.deepEqual(await read(`?after=${first.last_id}`), first);
    assert.equal(first.has_more, true);
  });
  await withList('endless', async (read) => {
    const seen = new Set<string>();
    let after = '';
    for (let page = 0; page < 5; page += 1) {
      const { data } = await read(after);
      for (const { id } of data) seen.add(id);
      after = `?after=${data.at(-1).id}`;
    }
    assert.equal(seen.size, 503, 'three of ours, then others');
  });
});

test('a batch vanishes and reappears, and keeps working meanwhile', () =>
  withSimulator({ faults: [{ match: { batch: 1 }, do: { vanishMs: 90_000 } }] }, async (api) => {
    const id = await api.submit(chatLines(2));
    const look = async () => {
      const [one, list] = [await api.request('GET', `/batches/${id}`), await api.request('GET', '/batches')];
      return [one.status, list.json.data.length];
    };
    await api.simulator.advance(60_000);
    assert.deepEqual(await look(), [404, 0]);
    assert.equal((await api.request('POST', `/batches/${id}/cancel`)).status, 404);
    assert.equal(api.simulator.bill().length, 2);
    await api.simulator.advance(60_000);
    assert.deepEqual(await look(), [200, 1]);
  }));

test('a create is answered with the id of another batch, and makes its own anyway', () =>
  withSimulator({ faults: [{ match: { batch: 2 }, do: { idOfBatch: 1 } }] }, async (api) => {
    const first = await api.submit(chatLines(1));
    assert.equal(await api.submit(chatLines(1)), first);
    const { data } = (await api.request('GET', '/batches')).json;
    assert.equal(new Set(data.map(({ id }: { id: string }) => id)).size, 2);
  }));

test('a batch reports no usage', () =>
  withSimulator({ faults: [{ match: { batch: 1 }, do: { zeroUsage: true } }] }, async (api) => {
    const batch = await api.finish(await api.submit(chatLines(2)));
    assert.deepEqual([batch.usage.input_tokens, batch.usage.total_tokens], [0, 0]);
  }));
