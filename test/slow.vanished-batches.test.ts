import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeWorld, type World } from './helpers/run-world.ts';

const CREATES = 'POST /v1/batches';
/** Longer than any run of these worlds takes. */
const LONG_MS = 10 * 86_400_000;
const FOR_GOOD_MS = 1_000 * LONG_MS;

/** Lets the batches return as soon as the run has said that one is gone. */
function returnWhenGone(world: World, warnings: string[]) {
  return (message: string) => {
    warnings.push(message);
    if (/is gone at the provider/.test(message)) void world.simulator.advance(LONG_MS);
  };
}

test('rows of a vanished batch are sent again once; what the first may have cost is counted, listed and bounded', async (t) => {
  const world = await makeWorld(t, { faults: [{ match: { batch: 1 }, do: { vanishMs: FOR_GOOD_MS } }] });
  const { summary, requests, warnings } = await world.run();
  world.assertFaultsFired();
  assert.deepEqual([summary.exitCode, requests[CREATES], summary.rows.ok], [0, 2, 12]);
  assert.match(warnings.join('\n'), /is gone at the provider: its 12 requests may have been billed/);
  const [item, ...others] = summary.possiblyBilled ?? [];
  assert.deepEqual([item?.why, item?.id, item?.calls, item?.keys.length, others], ['vanished_batch', summary.batches[0]?.id, 12, 12, []]);
  assert.deepEqual([summary.attempts.unknown, summary.attempts.total], [12, 24]);
  const lost = world.simulator.bill().filter(({ batchId }) => batchId === item?.id);
  assert.equal(lost.length, 12);
  assert.ok(summary.cost.possiblyBilledNanoUsd >= summary.cost.nanoUsd, 'the first batch cost what the second did');
  world.check(summary, { destroyedLines: 12 });
});

test('rows whose second batch vanishes too are held: only retry sends them a third time', async (t) => {
  const world = await makeWorld(t, { faults: [{ do: { vanishMs: FOR_GOOD_MS }, times: 2 }] });
  const first = await world.run();
  world.assertFaultsFired();
  assert.deepEqual([first.summary.exitCode, first.requests[CREATES], first.summary.causes], [3, 2, { unknown: 12 }]);
  assert.match(first.warnings.join('\n'), /12 requests held/);
  assert.match(world.read('out.failures.csv'), /held: its batch vanished/);
  const second = await world.run();
  assert.deepEqual([second.summary.exitCode, second.requests[CREATES], second.summary.rows.failed], [3, undefined, 12]);
  const retried = await world.run({ reopen: { causes: null, set: {} } });
  assert.deepEqual([retried.summary.exitCode, retried.requests[CREATES], world.simulator.bill().length], [0, 1, 36]);
});

test('a batch that reappears in the same run is collected, and nothing of it stays possibly billed', async (t) => {
  const world = await makeWorld(t, { faults: [{ match: { batch: 1 }, do: { vanishMs: LONG_MS } }] });
  const warnings: string[] = [];
  const { summary, requests } = await world.run({ warn: returnWhenGone(world, warnings) });
  world.assertFaultsFired();
  assert.match(warnings.join('\n'), /is back \(completed\)/);
  assert.deepEqual([summary.exitCode, summary.rows.ok, summary.possiblyBilled], [0, 12, undefined]);
  assert.equal(world.simulator.bill().length, 12 * (requests[CREATES] ?? 0));
  assert.equal(summary.attempts.unknown, 0);
  world.check(summary);
});

test('a batch that reappears in a later run is collected: its rows are answered without being sent again', async (t) => {
  const world = await makeWorld(t, {
    job: 'on_unknown: hold',
    faults: [{ match: { batch: 1 }, do: { vanishMs: LONG_MS } }],
  });
  const first = await world.run();
  world.assertFaultsFired();
  assert.deepEqual([first.summary.exitCode, first.summary.causes, first.requests[CREATES]], [3, { unknown: 12 }, 1]);
  await world.simulator.advance(LONG_MS);
  const second = await world.run();
  assert.match(second.warnings.join('\n'), /is back/);
  assert.deepEqual([second.summary.exitCode, second.summary.rows.ok, second.requests[CREATES]], [0, 12, undefined]);
  assert.deepEqual([second.summary.ledger.attempts, world.simulator.bill().length], [12, 12]);
  const third = await world.run();
  assert.deepEqual([third.summary.exitCode, third.requests['GET /v1/batches/:id']], [0, undefined], 'nothing is looked for any more');
});

test('a batch that reappears in a later run as one that failed validation was never billed and gives its rows back', async (t) => {
  const world = await makeWorld(t, {
    job: 'on_unknown: hold',
    faults: [
      { match: { batch: 1 }, do: { vanishMs: LONG_MS } },
      { match: { batch: 1 }, do: { fail: 'invalid_request' } },
    ],
  });
  const first = await world.run();
  assert.deepEqual([first.summary.exitCode, first.summary.causes], [3, { unknown: 12 }]);
  await world.simulator.advance(LONG_MS);
  const { summary, requests } = await world.run();
  world.assertFaultsFired();
  assert.deepEqual([summary.exitCode, summary.rows.ok, requests[CREATES], world.simulator.bill().length], [0, 12, 1, 12]);
  assert.equal(summary.possiblyBilled, undefined);
});

test('a batch that only its own URL does not find is read from the list: nothing is sent again', async (t) => {
  const world = await makeWorld(t, { faults: [{ match: { method: 'GET', path: '/v1/batches/*' }, do: { status: 404 } }] });
  const { summary, requests } = await world.run();
  world.assertFaultsFired();
  assert.deepEqual([summary.exitCode, requests[CREATES], world.simulator.bill().length], [0, 1, 12]);
  assert.equal(summary.possiblyBilled, undefined);
  world.check(summary);
});

test('a gateway that answers 404 to everything proves nothing: the batch is waited for, and the run ends with 7 without sending again', async (t) => {
  const html404 = { html: 404 };
  // The sweep before the first upload is answered: two pages.
  const lists = Array.from({ length: 400 }, (_, index) => ({
    match: { method: 'GET', path: '/v1/batches', nth: index + 3 },
    do: html404,
  }));
  const world = await makeWorld(t, { faults: [{ match: { method: 'GET', path: '/v1/batches/*' }, do: html404 }, ...lists] });
  const { summary, requests } = await world.run();
  assert.deepEqual([summary.exitCode, requests[CREATES], summary.rows.pending], [7, 1, 12]);
  assert.match(summary.verdict, /is not found .* its rows are not sent again/);
  await world.restart({});
  const next = await world.run();
  assert.deepEqual([next.summary.exitCode, next.requests[CREATES], world.simulator.bill().length], [0, undefined, 12]);
  world.check(next.summary);
});
