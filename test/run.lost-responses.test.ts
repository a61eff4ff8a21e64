import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { test } from 'node:test';
import { createManualTimers, until } from './helpers/manual-timers.ts';
import { CANARY_KEY, makeWorld } from './helpers/run-world.ts';
import { someOf, wideTest } from './helpers/wide.ts';

const onCreate = { method: 'POST', path: '/v1/batches', nth: 1 };
const onUpload = { method: 'POST', path: '/v1/files', nth: 1 };

/** Ways to lose the answer to a POST. `taken`: it took effect all the same. `forUploads`: tried on uploads too, which take the same path. */
const LOSSES: readonly { title: string; do: object; taken: boolean; forUploads?: boolean }[] = [
  { title: 'the connection drops before it is processed', do: { drop: 'before' }, taken: false, forUploads: true },
  { title: 'the connection drops after it was processed', do: { drop: 'after' }, taken: true, forUploads: true },
  { title: 'a proxy answers 502 with a page, not passing it on', do: { html: 502 }, taken: false },
  { title: 'a proxy answers 502 with a page, having passed it on', do: { html: 502, processed: true }, taken: true, forUploads: true },
  { title: 'a portal answers 200 with a page', do: { html: 200 }, taken: false, forUploads: true },
  { title: 'a proxy answers 200 with a page, having passed it on', do: { html: 200, processed: true }, taken: true },
  { title: 'the answer is an empty 200, and it was processed', do: { empty: 200, processed: true }, taken: true },
  { title: 'the answer is an empty 200', do: { empty: 200 }, taken: false },
  { title: 'the answer is cut short', do: { cutAtByte: 30 }, taken: true, forUploads: true },
  { title: 'the answer is cut short and the connection closed', do: { cutAtByte: 30, close: true }, taken: true },
  { title: "the answer is 500 in the API's own words, and it was processed", do: { status: 500, processed: true }, taken: true },
  { title: 'the answer is 503', do: { status: 503 }, taken: false, forUploads: true },
  { title: 'the answer is 408, and it was processed', do: { error: 'request_timeout', processed: true }, taken: true },
  { title: 'the answer is 408', do: { error: 'request_timeout' }, taken: false },
  { title: 'the answer is 409, and it was processed', do: { error: 'conflict', processed: true }, taken: true },
  { title: 'the answer is 409', do: { error: 'conflict' }, taken: false },
  { title: 'the answer is JSON of another shape', do: { status: 200, body: { hello: 'world' }, processed: true }, taken: true },
  { title: 'the answer is JSON null', do: { status: 200, body: null }, taken: false },
];

for (const loss of someOf(LOSSES, 2)) {
  test(`a lost create response leaves one batch: ${loss.title}`, async (t) => {
    const world = await makeWorld(t, { faults: [{ match: onCreate, do: loss.do }] });
    const { summary, requests } = await world.run();
    world.assertFaultsFired();
    assert.equal(requests['POST /v1/batches'], loss.taken ? 1 : 2, 'it is looked for before it is sent again');
    assert.ok((requests['GET /v1/batches'] ?? 0) >= 3, 'sweep, look, sweep');
    assert.deepEqual([summary.exitCode, summary.batches.length, summary.cost.orphanedNanoUsd], [0, 1, 0]);
    assert.equal(world.simulator.bill().length, 12);
    world.check(summary);
  });

  if (!loss.forUploads) continue;
  test(`a lost upload response costs nothing: ${loss.title}`, async (t) => {
    const world = await makeWorld(t, { faults: [{ match: onUpload, do: loss.do }] });
    const { summary, requests } = await world.run();
    world.assertFaultsFired();
    assert.equal(requests['POST /v1/batches'], 1);
    assert.ok((requests['POST /v1/files'] ?? 0) <= 2);
    assert.deepEqual([summary.exitCode, summary.batches.length], [0, 1]);
    world.check(summary);
  });
}

for (const processed of [true, false]) {
  test(`a create that is never answered is given up at its deadline and searched for (processed: ${processed})`, async (t) => {
    const world = await makeWorld(t, { faults: [{ match: onCreate, do: { hang: true, processed } }] });
    const timers = createManualTimers();
    const running = world.run({ startTimer: timers.startTimer });
    await until(
      () =>
        world.simulator.faultsFired()[0]?.fired === 1 &&
        (!processed || fs.readdirSync(path.join(world.stateDirectory, 'provider', 'batches')).length === 1),
    );
    timers.fire();
    const { summary, requests } = await running;
    world.assertFaultsFired();
    assert.equal(requests['POST /v1/batches'], processed ? 1 : 2);
    assert.deepEqual([summary.exitCode, summary.batches.length], [0, 1]);
    world.check(summary);
  });
}

test('a finished run leaves no row text when a create that was never answered is searched for again', async (t) => {
  const world = await makeWorld(t, { faults: [{ match: onCreate, do: { drop: 'before' } }] });
  await world.run();
  const { summary, requests } = await world.run();
  world.assertFaultsFired();
  assert.deepEqual([summary.exitCode, requests['POST /v1/batches']], [0, undefined]);
  assert.ok((requests['GET /v1/batches'] ?? 0) >= 1, 'it is looked for');
});

test('a batch without our metadata is found by its input file', async (t) => {
  const faults = [{ match: onCreate, do: { drop: 'after' } }, { do: { dropMetadata: true } }];
  const world = await makeWorld(t, { faults });
  const { summary, requests } = await world.run();
  world.assertFaultsFired();
  assert.deepEqual([summary.exitCode, requests['POST /v1/batches'], summary.batches.length], [0, 1, 1]);
  world.check(summary);
});

wideTest('a batch that appears in the list after 20 s is still found', async (t) => {
  const faults = [{ match: onCreate, do: { drop: 'after' } }, { do: { listLagMs: 20_000 } }];
  const world = await makeWorld(t, { faults });
  const { summary, requests } = await world.run();
  world.assertFaultsFired();
  assert.deepEqual([summary.exitCode, requests['POST /v1/batches'], summary.batches.length], [0, 1, 1]);
  world.check(summary);
});

for (const listOrder of someOf(['oldest_first', 'mixed'] as const, 1)) {
  test(`the list may come in any order: ${listOrder}`, async (t) => {
    const world = await makeWorld(t, { listOrder, faults: [{ match: onCreate, do: { drop: 'after' } }] });
    const { summary, requests } = await world.run();
    assert.deepEqual([summary.exitCode, requests['POST /v1/batches']], [0, 1]);
    world.check(summary);
  });
}

wideTest('a lost create is found behind more batches than a page of the list holds', async (t) => {
  const world = await makeWorld(t, { listOrder: 'oldest_first', faults: [{ match: { ...onCreate, nth: 121 }, do: { drop: 'after' } }] });
  const headers = { authorization: `Bearer ${CANARY_KEY}` };
  const form = new FormData();
  form.append('purpose', 'batch');
  form.append('file', new File(['{}\n'], 'refused.jsonl'));
  const file = (await (await fetch(`${world.simulator.url}/files`, { method: 'POST', headers, body: form })).json()) as { id: string };
  const body = JSON.stringify({ input_file_id: file.id, endpoint: '/v1/chat/completions', completion_window: '24h' });
  const json = { ...headers, 'content-type': 'application/json' };
  for (let others = 0; others < 120; others += 1) {
    const { status } = await fetch(`${world.simulator.url}/batches`, { method: 'POST', headers: json, body });
    assert.equal(status, 200);
  }
  const { summary, requests } = await world.run();
  world.assertFaultsFired();
  assert.deepEqual([summary.exitCode, requests['POST /v1/batches'], summary.batches.length], [0, 1, 1]);
  world.check(summary);
});

test('a failed search does not count as a search', async (t) => {
  const faults = [
    { match: onCreate, do: { drop: 'after' } },
    { match: { method: 'GET', path: '/v1/batches', nth: 2 }, do: { status: 500 } },
    { match: { method: 'GET', path: '/v1/batches', nth: 3 }, do: { html: 502 } },
  ];
  const world = await makeWorld(t, { faults });
  const { summary, requests } = await world.run();
  world.assertFaultsFired();
  assert.deepEqual([summary.exitCode, requests['POST /v1/batches']], [0, 1]);
  world.check(summary);
});

wideTest(
  'a batch that surfaces only after all looks is cancelled, taken in as an extra, and its cost is orphaned to the nano-dollar',
  async (t) => {
    const faults = [
      { match: onCreate, do: { drop: 'after' } },
      { match: { batch: 1 }, do: { listLagMs: 700_000 } },
      // The first batch has surfaced when the second gives its answers, so that the last sweep of the run sees it.
      { match: { batch: 2 }, do: { outputFileId: 'late', lateMs: 900_000 } },
    ];
    const world = await makeWorld(t, { faults });
    const { summary, requests, warnings } = await world.run({ pollMaxMs: 150_000, looksMs: [1_000, 2_000] });
    world.assertFaultsFired();
    assert.equal(requests['POST /v1/batches'], 2);
    assert.equal(requests['POST /v1/batches/:id/cancel'], 1);
    assert.equal(summary.batches.length, 2);
    assert.ok(warnings.some((warning) => /repeats one of ours/.test(warning)));
    assert.equal(summary.exitCode, 0);
    assert.equal(summary.cost.nanoUsd, summary.ledger.nanoUsd);
    world.check(summary);
  },
);

wideTest('after three creates without a trace the shard stays pending with exit 7, and the next run continues it', async (t) => {
  const world = await makeWorld(t, { faults: [{ match: { method: 'POST', path: '/v1/batches' }, do: { drop: 'before' }, times: 3 }] });
  const first = await world.run();
  world.assertFaultsFired();
  assert.deepEqual([first.summary.exitCode, first.summary.rows.pending, first.summary.outputs.table], [7, 12, 'out.partial.csv']);
  world.check(first.summary, { previousTable: null });
  const second = await world.run();
  assert.deepEqual([second.summary.exitCode, second.summary.run, second.requests['POST /v1/files']], [0, first.summary.run, undefined]);
  world.check(second.summary);
});

wideTest('batches of another state directory of the same job are reported and left alone', async (t) => {
  // Begun first, its clock is ahead of the other's.
  const world = await makeWorld(t);
  const other = await makeWorld(t);
  await other.run();
  await world.restart({ stateDirectory: `${other.stateDirectory}/provider` });
  const { summary, warnings } = await world.run();
  assert.ok(warnings.some((warning) => /another state directory/.test(warning)));
  assert.deepEqual([summary.exitCode, summary.cost.orphanedNanoUsd, summary.batches.length], [0, 0, 1]);
});
