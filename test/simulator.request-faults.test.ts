import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { test } from 'node:test';
import { chatLines, type SimulatorApi, withSimulator } from './helpers/simulator-api.ts';
import { wideTest } from './helpers/wide.ts';

const create = { input_file_id: 'file-none', endpoint: '/v1/chat/completions', completion_window: '24h' };
const chat = { model: 'gpt-4o-mini', messages: [{ role: 'user', content: 'Hello' }] };
const onCreate = { method: 'POST', path: '/v1/batches' };

const post = ({ request }: SimulatorApi) => request('POST', '/batches', create);
const countBatches = async ({ request }: SimulatorApi) => (await request('GET', '/batches')).json.data.length;

/** Runs a plan of one fault, and asserts at the end that it fired as often as expected. */
async function withFault(
  fault: { match?: object; do: object; times?: number },
  run: (api: SimulatorApi) => Promise<void>,
  fired = 1,
): Promise<void> {
  await withSimulator({ faults: [fault] }, async (api) => {
    await run(api);
    assert.equal(api.simulator.faultsFired()[0]?.fired, fired, 'the fault fired');
  });
}

for (const { when, batches } of [
  { when: 'before', batches: 0 },
  { when: 'after', batches: 1 },
]) {
  test(`a connection dropped ${when} processing resets the request and leaves ${batches} batches behind`, () =>
    withFault({ match: { ...onCreate, nth: 1 }, do: { drop: when } }, async (api) => {
      await assert.rejects(
        post(api),
        (error: Error & { cause?: { code?: string } }) => error.cause?.code === 'ECONNRESET' || error.cause?.code === 'UND_ERR_SOCKET',
      );
      assert.equal(await countBatches(api), batches);
      assert.equal((await post(api)).status, 200, 'the second request passes');
    }));
}

for (const processed of [false, true]) {
  test(`a hanging request is never answered, and takes effect: ${processed}`, () =>
    withFault({ match: onCreate, do: { hang: true, processed } }, async (api) => {
      const answer = fetch(`${api.simulator.url}/batches`, {
        method: 'POST',
        body: JSON.stringify(create),
        headers: { authorization: 'Bearer any' },
        signal: AbortSignal.timeout(60),
      });
      await assert.rejects(answer, { name: 'TimeoutError' });
      assert.equal(await countBatches(api), processed ? 1 : 0);
    }));
}

test('a status comes with its body and headers, as JSON or as text, and without taking effect', () =>
  withSimulator(
    {
      faults: [
        { match: { ...onCreate, nth: 1 }, do: { status: 503, body: { error: { message: 'busy' } }, headers: { 'retry-after': '7' } } },
        {
          match: { ...onCreate, nth: 2 },
          do: { status: 502, body: '<h1>Bad gateway</h1>', headers: { 'content-type': 'text/html' }, processed: true },
        },
      ],
    },
    async (api) => {
      const busy = await post(api);
      assert.deepEqual([busy.status, busy.json, busy.headers.get('retry-after')], [503, { error: { message: 'busy' } }, '7']);
      assert.equal(busy.headers.get('x-rowmill-simulator'), '1');
      assert.equal(await countBatches(api), 0);
      const bad = await post(api);
      assert.deepEqual([bad.status, bad.text, bad.headers.get('content-type')], [502, '<h1>Bad gateway</h1>', 'text/html']);
      assert.equal(await countBatches(api), 1, 'the second took effect');
    },
  ));

const NAMED = [
  { error: 'insufficient_quota', status: 429, code: 'insufficient_quota' },
  { error: 'rate_limit_exceeded', status: 429, code: 'rate_limit_exceeded' },
  { error: 'request_too_large', status: 429, code: 'rate_limit_exceeded' },
  { error: 'flex_unavailable', status: 429, code: 'resource_unavailable' },
  { error: 'invalid_api_key', status: 401, code: 'invalid_api_key' },
  { error: 'permission_denied', status: 403, code: 'missing_scope' },
  { error: 'server_error', status: 500, code: null },
];

for (const { error, status, code } of NAMED) {
  test(`the named error ${error} is a ${status} with the API's code, and is not billed`, () =>
    withFault({ match: { path: '/v1/chat/*' }, do: { error } }, async ({ request, simulator }) => {
      const answer = await request('POST', '/chat/completions', chat);
      assert.deepEqual([answer.status, answer.json.error.code], [status, code]);
      assert.deepEqual(simulator.bill(), []);
    }));
}

test('an HTML page or nothing at all may come with status 200', () =>
  withSimulator(
    {
      faults: [
        { match: { nth: 1 }, do: { html: 200 } },
        { match: { nth: 2 }, do: { empty: 200 } },
      ],
    },
    async (api) => {
      const page = await post(api);
      assert.deepEqual([page.status, page.headers.get('content-type')], [200, 'text/html; charset=utf-8']);
      assert.match(page.text, /^<!DOCTYPE html>/);
      const empty = await post(api);
      assert.deepEqual([empty.status, empty.text], [200, '']);
    },
  ));

test('a truncated answer is short but complete, or breaks off', () =>
  withSimulator(
    {
      faults: [
        { match: { nth: 1 }, do: { cutAtByte: 20 } },
        { match: { nth: 2 }, do: { cutAtByte: 20, close: true } },
      ],
    },
    async (api) => {
      const short = await post(api);
      assert.deepEqual([short.status, short.text.length, short.json], [200, 20, undefined]);
      await assert.rejects(post(api), /terminated/);
      assert.equal(await countBatches(api), 2, 'both took effect');
    },
  ));

test('a file can be cut, missing, or another one at first', () =>
  withSimulator(
    {
      faults: [
        { match: { path: '/v1/files/*/content', file: 'output', nth: 1 }, do: { status: 404, body: { error: { message: 'gone' } } } },
        { match: { path: '/v1/files/*/content', file: 'output', nth: 2 }, do: { cutAtByte: 100, close: true } },
        { match: { path: '/v1/files/*/content', file: 'output', nth: 3 }, do: { status: 200, body: 'something else' } },
        { match: { path: '/v1/files/*/content', file: 'input' }, do: { status: 403, body: '' } },
      ],
    },
    async (api) => {
      const batch = await api.finish(await api.submit(chatLines(5)));
      const read = (id: string) => api.request('GET', `/files/${id}/content`);
      assert.equal((await read(batch.output_file_id)).status, 404);
      await assert.rejects(read(batch.output_file_id), /terminated/);
      assert.equal((await read(batch.output_file_id)).text, 'something else');
      assert.equal((await api.readLines(batch.output_file_id)).length, 5);
      assert.equal((await read(batch.input_file_id)).status, 403);
      assert.deepEqual(
        api.simulator.faultsFired().map(({ fired }) => fired),
        [1, 1, 1, 1],
      );
    },
  ));

test('a redirect names its target and has no other effect', () =>
  withFault({ do: { redirect: 'https://elsewhere.example/v1/batches' }, times: 1 }, async (api) => {
    const answer = await post(api);
    assert.deepEqual([answer.status, answer.headers.get('location')], [307, 'https://elsewhere.example/v1/batches']);
    assert.equal(await countBatches(api), 0);
  }));

test('a slow drip delivers the whole answer in small pieces', () =>
  withFault({ match: onCreate, do: { dripBytes: 100, everyMs: 1 } }, async (api) => {
    assert.equal((await post(api)).json.status, 'validating');
  }));

test('a delayed answer arrives after its delay', () =>
  withFault({ match: onCreate, do: { delayMs: 3_600_000 } }, async (api) => {
    let isAnswered = false;
    const answer = post(api).finally(() => {
      isAnswered = true;
    });
    while (api.simulator.faultsFired()[0]?.fired === 0) await new Promise((resolve) => setImmediate(resolve));
    await api.simulator.advance(3_599_999);
    assert.equal(isAnswered, false);
    await api.simulator.advance(1);
    assert.equal((await answer).status, 200);
  }));

wideTest('every, share and times choose among the requests that match, the same way for the same seed', async () => {
  const run = async (seed: number): Promise<number[]> => {
    const statuses: number[] = [];
    const faults = [{ match: { path: '/v1/models', share: 0.3 }, do: { status: 500 } }];
    await withSimulator({ seed, faults }, async ({ request }) => {
      for (let call = 0; call < 60; call += 1) statuses.push((await request('GET', '/models')).status);
    });
    return statuses;
  };
  const first = await run(1);
  assert.deepEqual(await run(1), first);
  assert.notDeepEqual(await run(2), first);
  const failures = first.filter((status) => status === 500).length;
  assert.ok(failures > 8 && failures < 30, `${failures} of 60`);
  await withFault(
    { match: { path: '/v1/models', every: 3 }, do: { status: 500 }, times: 2 },
    async ({ request }) => {
      const statuses: number[] = [];
      for (let call = 0; call < 10; call += 1) statuses.push((await request('GET', '/models')).status);
      assert.deepEqual(statuses, [200, 200, 500, 200, 200, 500, 200, 200, 200, 200]);
    },
    2,
  );
});

wideTest('a call that a share hits by its custom_id may pass when it comes again; with attempts "all" it never does', async () => {
  for (const { attempts, passes } of [
    { attempts: 'first', passes: true },
    { attempts: 'vary', passes: true },
    { attempts: 'all', passes: false },
  ]) {
    const faults = [{ match: { path: '/v1/chat/completions', share: 0.5, attempts }, do: { error: 'server_error' } }];
    await withSimulator({ faults }, async ({ request }) => {
      const call = async (id: number) => (await request('POST', '/chat/completions', chat, { 'x-client-request-id': `row-${id}` })).status;
      const ids = Array.from({ length: 30 }, (_, id) => id);
      const failed: number[] = [];
      for (const id of ids) if ((await call(id)) === 500) failed.push(id);
      assert.ok(failed.length > 5 && failed.length < 25, `${failed.length} of 30`);
      let left = failed;
      for (let round = 0; round < 12; round += 1) {
        const still: number[] = [];
        for (const id of left) if ((await call(id)) === 500) still.push(id);
        left = still;
      }
      assert.equal(left.length === 0, passes, attempts);
      if (!passes) assert.equal(left.length, failed.length);
    });
  }
});

test('a request can be matched by the status of the batch it names', () =>
  withFault({ match: { path: '/v1/batches/*', status: 'completed' }, do: { status: 500 }, times: 1 }, async (api) => {
    const id = await api.submit(chatLines(2));
    assert.equal((await api.request('GET', `/batches/${id}`)).status, 200);
    await api.simulator.advance(1_000);
    assert.equal((await api.request('GET', `/batches/${id}`)).status, 500);
  }));

test('the trace has one line per request with status and faults, and no body', async () => {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'rowmill-'));
  const traceFile = path.join(directory, 'trace.jsonl');
  try {
    await withSimulator({ traceFile, faults: [{ name: 'gone', match: { path: '/v1/models' }, do: { drop: 'before' } }] }, async (api) => {
      await assert.rejects(api.request('GET', '/models'));
      await post(api);
      assert.deepEqual(api.simulator.requests(), { 'GET /v1/models': 1, 'POST /v1/batches': 1 });
    });
    const lines = fs
      .readFileSync(traceFile, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    const at = '2027-01-15T08:00:00.000Z';
    assert.deepEqual(lines, [
      { at, method: 'GET', path: '/v1/models', status: 0, faults: ['gone'] },
      { at, method: 'POST', path: '/v1/batches', status: 200, faults: [] },
    ]);
  } finally {
    fs.rmSync(directory, { recursive: true });
  }
});
