import assert from 'node:assert/strict';
import { test } from 'node:test';
import { verifyState } from '../src/inspect/verify/verify.ts';
import { type Intercept, sendEndlessly, startFront } from './helpers/front.ts';
import { makeReadOptionsOf } from './helpers/read-options.ts';
import { makeRows, makeWorld } from './helpers/run-world.ts';

const isContent = ({ method, path }: { method: string; path: string }) => method === 'GET' && /^\/v1\/files\/[^/]+\/content$/.test(path);

test('an endless download is cut where the answers must have ended: complete ones count, the others may have been billed', async (t) => {
  const world = await makeWorld(t, { rows: makeRows(4), faults: [{ do: { noUsage: true } }] });
  let downloads = 0;
  let countSent = () => 0;
  const intercept: Intercept = (request, response) => {
    if (!isContent(request)) return false;
    downloads += 1;
    if (downloads > 1) return false;
    void (async () => {
      const lines = (await (await request.askBehind()).text()).trim().split('\n');
      response.writeHead(200, { 'content-type': 'application/octet-stream' });
      response.write(`${lines.slice(0, 2).join('\n')}\n`);
      countSent = sendEndlessly(response, Buffer.from(`${'x'.repeat(65_535)}\n`));
    })();
    return true;
  };
  const baseUrl = await startFront(t, world.simulator.url, intercept);
  const { summary, warnings } = await world.run({ baseUrl });
  assert.ok(countSent() > 3, 'the endless file was served');
  assert.match(
    warnings.join('\n'),
    /its output file is not used completely: it is longer than all answers to its requests can be \(\d+ KB\)/,
  );
  assert.deepEqual([summary.exitCode, summary.rows.ok], [0, 4]);
  assert.deepEqual(
    summary.possiblyBilled?.map(({ why, calls }) => [why, calls]),
    [['missing_lines', 2]],
  );
  assert.equal((await verifyState(makeReadOptionsOf(world))).ok, true);
});

test('a line longer than any answer to its row affects no other', async (t) => {
  const world = await makeWorld(t, { rows: makeRows(4), faults: [{ do: { noUsage: true } }] });
  let downloads = 0;
  const intercept: Intercept = (request, response) => {
    if (!isContent(request)) return false;
    downloads += 1;
    if (downloads > 1) return false;
    void (async () => {
      const lines = (await (await request.askBehind()).text()).trim().split('\n');
      const [first = '', ...others] = lines;
      response.writeHead(200, { 'content-type': 'application/octet-stream' });
      response.end([first.replace('"content":"', `"content":"${'y'.repeat(400_000)}`), ...others].join('\n'));
    })();
    return true;
  };
  const baseUrl = await startFront(t, world.simulator.url, intercept);
  const { summary, warnings } = await world.run({ baseUrl });
  assert.match(warnings.join('\n'), /1 of its lines are longer than an answer to their request can be/);
  assert.deepEqual([summary.exitCode, summary.rows.ok], [0, 4]);
  assert.deepEqual(
    summary.possiblyBilled?.map(({ why, calls }) => [why, calls]),
    [['missing_lines', 1]],
  );
});

test('a message of a hundred kilobytes is cut to two thousand characters in tables, reports and logs', async (t) => {
  const world = await makeWorld(t, { rows: makeRows(3) });
  let changed = 0;
  const intercept: Intercept = (request, response) => {
    if (!isContent(request)) return false;
    void (async () => {
      const [first = '', ...others] = (await (await request.askBehind()).text()).trim().split('\n');
      const { id, custom_id } = JSON.parse(first);
      const error = { code: 'invalid_request', message: 'w'.repeat(100_000) };
      changed += 1;
      response.writeHead(200, { 'content-type': 'application/octet-stream' });
      response.end(
        [
          JSON.stringify({ id, custom_id, response: { status_code: 400, request_id: 'r'.repeat(9_000), body: { error } }, error: null }),
          ...others,
        ].join('\n'),
      );
    })();
    return true;
  };
  const baseUrl = await startFront(t, world.simulator.url, intercept);
  const { summary, warnings } = await world.run({ baseUrl });
  assert.ok(changed > 0);
  assert.equal(summary.rows.failed, 1);
  const failures = world.read('out.failures.csv');
  assert.match(failures, /w{1900}/);
  for (const text of [failures, world.read('out.csv'), world.read('out.report.html'), JSON.stringify(summary), warnings.join()])
    assert.doesNotMatch(text, /w{2001}|r{300}/);
});
