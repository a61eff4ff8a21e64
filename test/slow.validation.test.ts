import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { test } from 'node:test';
import { startProxy } from './helpers/proxy.ts';
import { makeRows, makeWorld } from './helpers/run-world.ts';

test('rows refused by line in validation fail with its message, and the rest is sent again once', async (t) => {
  const fault = {
    match: { batch: 1 },
    do: { fail: 'invalid_request', message: 'Messages parameter is required.', param: 'body.messages', lines: [2, 5] },
  };
  const world = await makeWorld(t, { faults: [fault] });
  const { summary } = await world.run();
  world.assertFaultsFired();
  assert.deepEqual(
    [summary.exitCode, summary.causes, summary.batches.map(({ status }) => status)],
    [3, { bad_request: 2 }, ['failed', 'completed']],
  );
  assert.equal(world.simulator.bill().length, 10);
  assert.match(world.read('out.failures.csv'), /Messages parameter is required/);
  world.check(summary);
});

test('a refusal without a line number is bisected: only the bad row fails, all others are answered once', async (t) => {
  const rows = makeRows(50);
  rows[36] = ['r37', 'POISON of all'];
  const world = await makeWorld(t, { rows });
  const holdsPoison = (fileId: string) =>
    fs.readFileSync(`${world.stateDirectory}/provider/files/${fileId}.data`, 'utf8').includes('POISON');
  let refused = 0;
  const baseUrl = await startProxy(t, {
    target: world.simulator.url,
    changeRequest({ method, path, body }) {
      if (method !== 'POST' || path !== '/v1/batches' || !holdsPoison(JSON.parse(body.toString()).input_file_id)) return body;
      // Makes the simulator refuse it in validation, for nothing.
      return Buffer.from(body.toString().replace('/v1/chat/completions', '/v1/embeddings'));
    },
    changeAnswer({ method, path }, answer) {
      if (method === 'GET' && path.startsWith('/v1/batches/') && answer.status === 'failed') {
        refused += 1;
        return {
          ...answer,
          errors: { object: 'list', data: [{ code: 'invalid_request', message: 'Some row is wrong.', param: null, line: null }] },
        };
      }
      return answer;
    },
  });
  const { summary } = await world.run({ baseUrl });
  assert.deepEqual([summary.exitCode, summary.causes, summary.rows.ok], [3, { bad_request: 1 }, 49]);
  assert.equal(world.simulator.bill().length, 49);
  assert.ok(refused >= 5 && refused <= 1 + Math.ceil(Math.log2(50)), `found after ${refused} refusals`);
  world.check(summary);
});

test('a row that is refused on its own without a line number fails with the reason', async (t) => {
  const faults = [{ do: { fail: 'invalid_request', message: 'Something in it is wrong.' } }];
  const world = await makeWorld(t, { rows: makeRows(1), faults });
  const { summary } = await world.run();
  world.assertFaultsFired();
  assert.deepEqual([summary.exitCode, summary.causes, summary.cost.nanoUsd], [3, { bad_request: 1 }, 0]);
  world.check(summary);
});

test('a job whose every shard is refused completely is stopped by the breaker with exit 5, instead of losing row after row', async (t) => {
  const faults = [{ do: { fail: 'invalid_request', message: 'Invalid schema for response_format.', lines: [1] } }];
  const world = await makeWorld(t, { rows: makeRows(6), job: 'limits: { enqueued_tokens: 140 }', faults });
  const { summary } = await world.run();
  world.assertFaultsFired();
  assert.equal(summary.exitCode, 5);
  assert.match(summary.verdict, /3 batch files in a row were refused whole/);
  assert.ok(summary.rows.pending > 0);
  world.check(summary, { previousTable: null });
});

for (const { title, hasBatch, fault } of [
  {
    title: 'an unknown model',
    hasBatch: true,
    fault: {
      do: {
        fail: 'model_not_found',
        message: "The provided model 'x' is not supported by the Batch API.",
        param: 'body.model',
        lines: [1],
      },
    },
  },
  {
    title: 'a bad endpoint',
    hasBatch: false,
    fault: {
      match: { method: 'POST', path: '/v1/batches' },
      do: {
        status: 400,
        body: { error: { code: 'invalid_value', message: "Invalid value: '/v1/chat'.", type: 'invalid_request_error', param: 'endpoint' } },
      },
    },
  },
]) {
  test(`${title} stops the run with exit 4: no row is at fault`, async (t) => {
    const world = await makeWorld(t, { faults: [fault] });
    const { summary } = await world.run();
    world.assertFaultsFired();
    assert.deepEqual([summary.exitCode, summary.rows.pending, summary.rows.failed], [4, 12, 0]);
    // Where no batch was made nothing was tried: it leaves no table and counts as no run.
    if (hasBatch) world.check(summary, { previousTable: null });
    else
      assert.deepEqual(
        fs.readdirSync(world.directory).filter((name) => name.startsWith('out')),
        [],
      );
    await world.restart({});
    const next = await world.run();
    assert.deepEqual([next.summary.exitCode, next.summary.rows.ok, next.summary.run === summary.run], [0, 12, hasBatch]);
    world.check(next.summary);
  });
}

test('an account with a small queue finishes a larger job: the limit is learned and shards are cut to fit', async (t) => {
  const world = await makeWorld(t, { rows: makeRows(400), enqueuedTokens: 2_000 });
  const { summary, warnings } = await world.run();
  assert.equal(summary.exitCode, 0);
  assert.ok(warnings.some((warning) => /holds 2,000 enqueued tokens/.test(warning)));
  assert.ok(summary.batches.length > 3);
  assert.equal(world.simulator.bill().length, 400);
  assert.equal(summary.attempts.total, 400, 'waiting for room uses no attempt');
  world.check(summary);
});

test('a limit that another job uses up is waited for with the same file, and no attempt is used', async (t) => {
  const full =
    'Enqueued token limit reached for gpt-4o-mini in organization org-1. Limit: 2,000,000 enqueued tokens. Please try again once some in_progress batches have been completed.';
  const world = await makeWorld(t, { faults: [{ do: { fail: 'token_limit_exceeded', message: full }, times: 3 }] });
  const { summary, requests } = await world.run({ pollMaxMs: 1_000 });
  world.assertFaultsFired();
  assert.deepEqual([summary.exitCode, requests['POST /v1/batches'], summary.attempts.total], [0, 4, 12]);
  assert.ok((requests['POST /v1/files'] ?? 0) <= 4);
  world.check(summary);
});

for (const { title, fault } of [
  {
    title: 'as a 400 at create',
    fault: {
      match: { method: 'POST', path: '/v1/batches' },
      do: {
        status: 400,
        body: {
          error: { code: 'token_limit_exceeded', message: 'Limit: 2,000,000 enqueued tokens.', type: 'invalid_request_error', param: null },
        },
      },
    },
  },
  { title: 'as a 429 at create', fault: { match: { method: 'POST', path: '/v1/batches' }, do: { error: 'enqueued_limit' } } },
]) {
  test(`a full queue is recognised ${title}`, async (t) => {
    const world = await makeWorld(t, { faults: [{ ...fault, times: 2 }] });
    const { summary } = await world.run({ pollMaxMs: 1_000 });
    world.assertFaultsFired();
    assert.deepEqual([summary.exitCode, summary.attempts.total, summary.batches.length], [0, 12, 1]);
    world.check(summary);
  });
}

for (const { title, fault } of [
  { title: '413 from a proxy', fault: { match: { method: 'POST', path: '/v1/files' }, do: { html: 413 } } },
  {
    title: '400 "File is too large."',
    fault: {
      match: { method: 'POST', path: '/v1/files' },
      do: { status: 400, body: { error: { message: 'File is too large.', type: 'invalid_request_error', param: null, code: null } } },
    },
  },
  {
    title: 'a failed batch that names the maximum',
    fault: { do: { fail: 'invalid_request', message: 'The file exceeds the maximum of 209715200 bytes for this model.' } },
  },
]) {
  test(`a file that is too large is cut smaller, in whatever form it is refused: ${title}`, async (t) => {
    const world = await makeWorld(t, { faults: [{ ...fault, times: 2 }] });
    const { summary } = await world.run();
    world.assertFaultsFired();
    assert.equal(summary.exitCode, 0);
    assert.ok(summary.batches.filter(({ status }) => status === 'completed').length >= 2);
    assert.equal(world.simulator.bill().length, 12);
    world.check(summary);
  });
}

const cannotFind = 'Cannot find file file-abc, or organization org-1 does not have access to it.';
for (const { title, fault } of [
  { title: 'as a failed batch', fault: { do: { fail: 'invalid_request', message: cannotFind, param: 'file_id' } } },
  {
    title: 'as a 400 at create',
    fault: {
      match: { method: 'POST', path: '/v1/batches' },
      do: { status: 400, body: { error: { code: null, message: cannotFind, type: 'invalid_request_error', param: null } } },
    },
  },
]) {
  test(`a file the provider does not find yet is waited for, no attempt used: ${title}`, async (t) => {
    const world = await makeWorld(t, { faults: [{ ...fault, times: 2 }] });
    const { summary, requests } = await world.run();
    world.assertFaultsFired();
    assert.deepEqual([summary.exitCode, requests['POST /v1/files'], summary.attempts.total], [0, 1, 12]);
    world.check(summary);
  });
}

test('a file that is never found is uploaded again, and after three uploads the run leaves with exit 7', async (t) => {
  const world = await makeWorld(t, { faults: [{ do: { fail: 'invalid_request', message: cannotFind, param: 'file_id' } }] });
  const { summary, requests } = await world.run();
  world.assertFaultsFired();
  assert.deepEqual([summary.exitCode, requests['POST /v1/files'], summary.rows.pending], [7, 3, 12]);
  world.check(summary, { previousTable: null });
});
