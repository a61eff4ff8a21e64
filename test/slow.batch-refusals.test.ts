import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeRows, makeWorld } from './helpers/run-world.ts';
import { readShapes } from './helpers/world-shapes.ts';

const CREATES = 'POST /v1/batches';

for (const code of ['billing_hard_limit_reached', 'insufficient_quota', 'billing_not_active']) {
  test(`a batch that fails for the account (${code}) stops the run with 5, and every row stays pending`, async (t) => {
    const world = await makeWorld(t, { faults: [{ do: { fail: code, message: 'No money' }, times: 1 }] });
    const { summary, requests } = await world.run();
    world.assertFaultsFired();
    assert.deepEqual([summary.exitCode, summary.rows.pending, summary.rows.failed, requests[CREATES]], [5, 12, 0, 1]);
    assert.match(summary.verdict, new RegExp(code));
    assert.deepEqual([summary.attempts.total, summary.cost.nanoUsd], [0, 0]);
    const next = await world.run();
    assert.deepEqual([next.summary.exitCode, next.requests['POST /v1/files'], next.requests[CREATES]], [0, undefined, 1]);
    assert.equal(world.simulator.bill().length, 12);
    world.check(next.summary);
  });
}

for (const place of ['a failed batch', 'a refused creation'] as const) {
  test(`a limit in requests is learned from ${place}: shards are cut to fit, and remembered`, async (t) => {
    const message = 'Enqueued request limit reached for gpt-4o-mini in organization org-1. Limit: 10 enqueued requests.';
    const code = 'request_limit_exceeded';
    const fault =
      place === 'a failed batch'
        ? { match: { batch: 1 }, do: { fail: code, message } }
        : {
            match: { method: 'POST', path: '/v1/batches', nth: 1 },
            do: { status: 429, body: { error: { code, message, type: 'requests', param: null } } },
          };
    const world = await makeWorld(t, { rows: makeRows(24), faults: [fault] });
    const { summary, warnings } = await world.run();
    world.assertFaultsFired();
    assert.match(warnings.join('\n'), /the account holds 10 enqueued requests/);
    assert.deepEqual([summary.exitCode, summary.rows.ok, world.simulator.bill().length], [0, 24, 24]);
    const sizes = summary.batches.filter(({ status }) => status === 'completed').map(({ requests }) => requests);
    assert.ok(sizes.every((size) => size <= 5) && sizes.length === 5, sizes.join());
    world.check(summary);
    world.write(
      'in.csv',
      `${world.read('in.csv')}${makeRows(8, 100)
        .map(([id, text]) => `${id},"${text.replaceAll('"', '""')}"`)
        .join('\n')}\n`,
    );
    const next = await world.run();
    assert.deepEqual([next.summary.exitCode, next.summary.batches.map(({ requests }) => requests)], [0, [5, 3]]);
  });
}

const REFUSALS = [
  { name: 'upload-route-missing', path: '/v1/files' },
  { name: 'create-405', path: '/v1/batches' },
  { name: 'create-model-has-no-batch', path: '/v1/batches' },
];

for (const { name, path } of REFUSALS) {
  test(`an address without batches is reported in one sentence: ${name}`, async (t) => {
    const shape = readShapes().find((one) => one.name === name) ?? assert.fail(name);
    const world = await makeWorld(t, {
      faults: [{ match: { method: 'POST', path }, do: { status: shape.status, body: shape.body ?? shape.text ?? '' } }],
    });
    const { summary, requests } = await world.run();
    world.assertFaultsFired();
    assert.deepEqual([summary.exitCode, summary.rows.pending], [shape.want.exitCode, 12]);
    assert.ok(summary.verdict.includes(shape.want.says ?? ''), summary.verdict);
    assert.ok((requests['GET /v1/batches'] ?? 0) <= 2, 'nothing is looked for: it was refused');
  });
}

test('batches in the forms of other providers are read correctly', async () => {
  const { readCreatedBatch, readRemoteBatch, TERMINAL_STATUSES, KNOWN_STATUSES } = await import('../src/openai/wire.ts');
  const read = (name: string) => {
    const body = readShapes().find((shape) => shape.name === name)?.body ?? assert.fail(name);
    return readRemoteBatch(body);
  };
  const capitals = read('batch-status-in-capitals');
  assert.deepEqual([capitals.status, capitals.createdSeconds], ['completed', Date.parse('2026-11-21T00:00:00Z') / 1000]);
  const cancelling = read('batch-status-canceling').status;
  assert.ok(KNOWN_STATUSES.has(cancelling) && !TERMINAL_STATUSES.has(cancelling), cancelling);
  assert.equal(read('batch-times-in-milliseconds').createdSeconds, 1_795_219_200);
  assert.deepEqual(
    read('batch-failed-with-an-error-as-text').errors.map(({ message, line }) => [message, line]),
    [['line 2: model is missing', null]],
  );
  const wrapped = readShapes().find(({ name }) => name === 'create-wrapped-in-job')?.body;
  assert.deepEqual([readCreatedBatch(wrapped).id, readCreatedBatch(wrapped).status], ['b1', 'validating']);
});
