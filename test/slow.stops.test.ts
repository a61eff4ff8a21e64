import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import * as http from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { AppError, EXIT } from '../src/core/errors.ts';
import { CANARY_CELL, makeRows, makeWorld } from './helpers/run-world.ts';

/** A batch that is still running whatever a run does; `advance` ends it. */
const LONG_SECONDS = 36_000;
const listTables = (world: { readonly directory: string }) => fs.readdirSync(world.directory).filter((name) => name.startsWith('out'));
const post = (path: string) => ({ method: 'POST', path });

for (const { title, error, exitCode } of [
  { title: 'no money left', error: 'insufficient_quota', exitCode: 5 },
  { title: 'the hard limit reached', error: 'billing_hard_limit_reached', exitCode: 5 },
  { title: 'a refused key', error: 'invalid_api_key', exitCode: 4 },
  { title: 'a missing permission', error: 'permission_denied', exitCode: 4 },
]) {
  for (const path of ['/v1/files', '/v1/batches']) {
    test(`${title} at POST ${path} stops the run with exit ${exitCode}, rows pending, and it can be continued`, async (t) => {
      const world = await makeWorld(t, { faults: [{ match: post(path), do: { error }, times: 1 }] });
      const { summary, requests } = await world.run();
      world.assertFaultsFired();
      assert.deepEqual([summary.exitCode, summary.rows.pending, summary.attempts.total], [exitCode, 12, 0]);
      assert.equal(requests[`POST ${path}`], 1, 'it is not tried again');
      assert.equal(
        summary.next,
        exitCode === EXIT.refused ? null : 'rowmill run job.yaml',
        'the command that was refused would be refused again',
      );
      // A run that was refused before anything was tried leaves nothing that looks like one; the next is another.
      const isRefused = exitCode === EXIT.refused;
      if (isRefused) assert.deepEqual(listTables(world), []);
      else world.check(summary, { previousTable: null });
      const next = await world.run();
      assert.deepEqual([next.summary.exitCode, next.summary.run === summary.run], [0, !isRefused]);
      assert.equal(world.simulator.bill().length, 12);
      world.check(next.summary);
    });
  }
}

test('a key refused during a run stops it at once; with the right key it resumes and nothing is paid for twice', async (t) => {
  const faults = [{ match: { method: 'GET', path: '/v1/batches/*', nth: 2 }, do: { error: 'invalid_api_key' } }];
  const world = await makeWorld(t, { faults, batchSeconds: LONG_SECONDS, rows: makeRows(30) });
  const { summary, requests } = await world.run();
  world.assertFaultsFired();
  assert.equal(summary.exitCode, 4);
  assert.equal(requests['GET /v1/batches/:id'], 2);
  world.check(summary, { previousTable: null });
  await world.simulator.advance(LONG_SECONDS * 1000);
  const next = await world.run();
  assert.deepEqual([next.summary.exitCode, next.requests['POST /v1/batches']], [0, undefined]);
  assert.equal(world.simulator.bill().length, 30);
  world.check(next.summary);
});

test("another project's key does not see the batch: exit 4, nothing is sent again, the first key collects it", async (t) => {
  const world = await makeWorld(t, { batchSeconds: LONG_SECONDS });
  const submitted = await world.run({ waitMs: 0 });
  assert.equal(submitted.summary.exitCode, 7);
  await world.restart({
    faults: [
      {
        match: { method: 'GET', path: '/v1/batches/*' },
        do: { status: 404, body: { error: { message: 'No batch found', type: 'invalid_request_error', param: null, code: null } } },
        times: 1,
      },
    ],
  });
  const other = await world.run({ apiKey: 'sk-another-project-0000' });
  world.assertFaultsFired();
  assert.deepEqual([other.summary.exitCode, other.requests['POST /v1/batches'], other.summary.rows.pending], [4, undefined, 12]);
  assert.match(other.summary.verdict, /another API key/);
  const first = await world.run();
  assert.deepEqual([first.summary.exitCode, world.simulator.bill().length], [0, 12]);
  world.check(first.summary);
});

test('a quota that runs out row by row keeps the rows for later: no attempt is used, none fails for lack of money', async (t) => {
  const quota = {
    rowStatus: 429,
    code: 'insufficient_quota',
    message: 'You exceeded your current quota, please check your plan and billing details.',
  };
  const world = await makeWorld(t, {
    faults: [
      { match: { batch: 1, every: 3 }, do: quota },
      { match: { batch: 2 }, do: quota },
    ],
  });
  const { summary } = await world.run();
  assert.deepEqual([summary.exitCode, summary.rows.failed, summary.rows.ok, summary.rows.pending], [5, 0, 8, 4]);
  assert.equal(summary.attempts.total, 8);
  world.check(summary, { previousTable: null });
  await world.restart({});
  const next = await world.run();
  assert.deepEqual([next.summary.exitCode, world.simulator.bill().length], [0, 12]);
  world.check(next.summary);
});

test('rate-limited rows are sent again without using an attempt', async (t) => {
  const world = await makeWorld(t, { faults: [{ match: { every: 2 }, do: { rowStatus: 429 }, times: 12 }] });
  const { summary } = await world.run();
  world.assertFaultsFired();
  assert.deepEqual([summary.exitCode, summary.rows.ok, summary.attempts.total], [0, 12, 12]);
  world.check(summary);
});

/**
 * Where the redirect is met, and what that ends with: 2 says that nothing was spent. Files are let lie in another place, but not in a private one,
 * and are fetched by the next run.
 */
const REDIRECTED = [
  { path: '/v1/files', exitCode: EXIT.usage },
  { path: '/v1/batches', exitCode: EXIT.usage },
  { path: '/v1/batches/*', exitCode: EXIT.bug },
  { path: '/v1/files/*/content', exitCode: EXIT.stopped },
];

for (const status of [302, 307]) {
  for (const { path, exitCode } of REDIRECTED) {
    test(`a redirect (${status}) of ${path} is refused by name, and nothing reaches the other host`, async (t) => {
      let reached = 0;
      const other = http.createServer((request, response) => {
        reached += 1;
        request.resume();
        response.end('{}');
      });
      await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
      t.after(() => other.close());
      const { port } = other.address() as AddressInfo;
      const world = await makeWorld(t, {
        rows: [...makeRows(3), ['c', CANARY_CELL]],
        faults: [{ match: { path }, do: { redirect: `http://127.0.0.1:${port}/elsewhere`, redirectStatus: status } }],
      });
      const { summary } = await world.run();
      const failed = { exitCode: summary.exitCode, said: summary.verdict };
      world.assertFaultsFired();
      assert.equal(reached, 0);
      assert.equal(failed.exitCode, exitCode);
      assert.match(failed.said, new RegExp(`(redirects to|keeps the file at) 127\\.0\\.0\\.1:${port}`));
    });
  }
}

test('the budget stops the run with exit 5 before a request that could exceed it, and a larger one continues it', async (t) => {
  const world = await makeWorld(t, { rows: makeRows(30), job: 'limits: { enqueued_tokens: 700 }' });
  const plain = await makeWorld(t, { rows: makeRows(30) });
  const { summary: whole } = await plain.run();
  const maxNanoUsd = Math.round(whole.cost.nanoUsd * 0.8);
  const { summary } = await world.run({ maxNanoUsd });
  assert.equal(summary.exitCode, 5);
  assert.match(summary.verdict, /budget/);
  assert.ok(summary.rows.ok > 0 && summary.rows.pending > 0, `${summary.rows.ok} ok`);
  assert.ok(summary.cost.nanoUsd <= maxNanoUsd);
  assert.equal(summary.outputs.table, 'out.partial.csv');
  world.check(summary, { previousTable: null });
  const again = await world.run({ maxNanoUsd });
  assert.equal(again.summary.exitCode, 5, 'the budget is of the run, also when it is continued');
  assert.ok(again.summary.cost.nanoUsd <= maxNanoUsd);
  const next = await world.run();
  assert.deepEqual([next.summary.exitCode, next.summary.run, world.simulator.bill().length], [0, summary.run, 30]);
  world.check(next.summary);
});

test('--no-wait leaves with exit 7 once everything is with the provider; the same command collects it later', {
  timeout: 10_000,
}, async (t) => {
  const world = await makeWorld(t, { batchSeconds: LONG_SECONDS });
  const first = await world.run({ waitMs: 0 });
  assert.deepEqual([first.summary.exitCode, first.summary.rows.pending, first.requests['POST /v1/batches']], [7, 12, 1]);
  world.check(first.summary, { previousTable: null });
  await world.simulator.advance(LONG_SECONDS * 1000);
  const second = await world.run();
  assert.deepEqual([second.summary.exitCode, second.requests['POST /v1/batches'], second.summary.rows.new], [0, undefined, 12]);
  world.check(second.summary);
});

test('--wait ends the run after its time with exit 7, with its books in order', async (t) => {
  const world = await makeWorld(t, { faults: [{ match: { batch: 1 }, do: { stuck: 'in_progress' } }] });
  const { summary } = await world.run({ waitMs: 1_500_000 });
  world.assertFaultsFired();
  assert.deepEqual([summary.exitCode, summary.rows.pending], [7, 12]);
  assert.match(summary.verdict, /--wait/);
  world.check(summary, { previousTable: null });
});

test('an interrupted run takes no new work, writes what it has and is continued under the same id', async (t) => {
  const world = await makeWorld(t, { rows: makeRows(60), job: 'limits: { enqueued_tokens: 700 }' });
  const stopping = new AbortController();
  const reason = new AppError('interrupted', { code: 'interrupted', exitCode: EXIT.interrupted });
  const { summary } = await world.run({
    stopping: stopping.signal,
    watch: (view) => {
      const poll = setInterval(() => {
        if (view.okRequests < 5) return;
        clearInterval(poll);
        stopping.abort(reason);
      }, 1);
    },
  });
  assert.equal(summary.exitCode, 130);
  assert.ok(summary.rows.ok >= 5 && summary.rows.pending > 0);
  world.check(summary, { previousTable: null });
  const { summary: next, requests } = await world.run();
  assert.deepEqual([next.exitCode, next.run, world.simulator.bill().length], [0, summary.run, 60]);
  assert.ok((requests['POST /v1/batches'] ?? 0) > 0);
  world.check(next);
});

test('a provider that is unreachable for ten minutes ends the run with exit 7', async (t) => {
  const world = await makeWorld(t, { faults: [{ match: post('/v1/files'), do: { status: 503 } }] });
  const { summary } = await world.run();
  world.assertFaultsFired();
  assert.deepEqual([summary.exitCode, summary.rows.pending], [7, 12]);
  assert.match(summary.verdict, /unreachable/);
  world.check(summary, { previousTable: null });
});

test('a Retry-After of any size is capped, and any garbage in it is ignored', async (t) => {
  for (const value of ['86400', '-5', 'Wed, 21 Oct 2099 07:28:00 GMT']) {
    const fault = { match: { ...post('/v1/files'), nth: 1 }, do: { error: 'rate_limit_exceeded', headers: { 'retry-after': value } } };
    const world = await makeWorld(t, { faults: [fault] });
    const startedAt = world.clock().getTime();
    const { summary } = await world.run();
    world.assertFaultsFired();
    assert.equal(summary.exitCode, 0);
    assert.ok(world.clock().getTime() - startedAt < 3_600_000, 'nobody waits for a day');
  }
});

test('the hash of the table in the summary file is that of the table', async (t) => {
  const world = await makeWorld(t);
  const { summary } = await world.run();
  const kept = JSON.parse(world.read(`.rowmill/proof@simulator/runs/${summary.run}/summary.json`));
  assert.equal(kept.fingerprint.tableSha256, createHash('sha256').update(world.read('out.csv')).digest('hex'));
});
