import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type SimulatorApi, withSimulator } from './helpers/simulator-api.ts';

const create = { input_file_id: 'file-none', endpoint: '/v1/chat/completions', completion_window: '24h' };

async function createBatches({ request }: SimulatorApi, count: number): Promise<string[]> {
  const ids: string[] = [];
  for (let made = 0; made < count; made += 1) ids.push((await request('POST', '/batches', create)).json.id);
  return ids;
}

async function readPages({ request }: SimulatorApi, path: string): Promise<string[][]> {
  const pages: string[][] = [];
  for (let after = ''; ; ) {
    const { json } = await request('GET', `${path}${after}`);
    pages.push(json.data.map(({ id }: { id: string }) => id));
    if (!json.has_more) return pages;
    after = `&after=${json.last_id}`;
  }
}

test('batches are listed newest first in pages of 20, and following the pages finds each once', () =>
  withSimulator({}, async (api) => {
    const ids = await createBatches(api, 45);
    const pages = await readPages(api, '/batches?');
    assert.deepEqual(
      pages.map((page) => page.length),
      [20, 20, 5],
    );
    assert.deepEqual(pages.flat(), ids.reverse());
  }));

test('a mixed order of the list still gives each batch once', () =>
  withSimulator({ listOrder: 'mixed' }, async (api) => {
    const ids = await createBatches(api, 25);
    const listed = (await readPages(api, '/batches?limit=10')).flat();
    assert.deepEqual([...listed].sort(), [...ids].sort());
    assert.notDeepEqual(listed, ids.reverse());
  }));

test('a page of more than 100 batches, or of none, is refused', () =>
  withSimulator({}, async ({ request }) => {
    assert.equal((await request('GET', '/batches?limit=101')).json.error.code, 'integer_above_max_value');
    assert.equal((await request('GET', '/batches?limit=0')).json.error.code, 'integer_below_min_value');
    assert.equal((await request('GET', '/batches?after=batch_none')).status, 400);
  }));

test('with a listing lag a new batch can be retrieved at once but is listed later', () =>
  withSimulator({ listLagMs: 30_000 }, async (api) => {
    const [id] = await createBatches(api, 1);
    assert.equal((await api.request('GET', `/batches/${id}`)).status, 200);
    assert.deepEqual((await api.request('GET', '/batches')).json.data, []);
    await api.simulator.advance(29_999);
    assert.deepEqual((await api.request('GET', '/batches')).json.data, []);
    await api.simulator.advance(1);
    assert.equal((await api.request('GET', '/batches')).json.data.length, 1);
  }));

test('files are listed by purpose in either order, and expire', () =>
  withSimulator({}, async (api) => {
    const content = '{"a":1}\n';
    const first = (await api.upload(content)).json.id;
    const second = (await api.upload(content)).json.id;
    await api.upload(content, { purpose: 'user_data' });
    assert.deepEqual((await readPages(api, '/files?purpose=batch&limit=1')).flat(), [second, first]);
    assert.deepEqual((await readPages(api, '/files?purpose=batch&order=asc')).flat(), [first, second]);
    await api.simulator.advance(31 * 86_400_000);
    assert.deepEqual((await api.request('GET', '/files?purpose=batch')).json.data, []);
    assert.equal((await api.request('GET', `/files/${first}/content`)).status, 404);
  }));

test('unset fields of a batch are null, or as the switch says', async () => {
  const cases = [
    { unsetFields: undefined, output: null, hasErrors: true },
    { unsetFields: 'empty' as const, output: '', hasErrors: true },
    { unsetFields: 'omitted' as const, output: undefined, hasErrors: false },
  ];
  for (const { unsetFields, output, hasErrors } of cases) {
    await withSimulator({ unsetFields }, async ({ request }) => {
      const { json } = await request('POST', '/batches', create);
      assert.equal(json.output_file_id, output);
      assert.equal('errors' in json, hasErrors);
    });
  }
});
