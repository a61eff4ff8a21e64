import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { makeRedisJobWorld } from './helpers/redis-job-world.ts';
import { whyNoRedis } from './helpers/redis-server.ts';
import { makeRows, makeWorld, type World } from './helpers/run-world.ts';

const readTable = (world: World) =>
  world
    .read('out.jsonl')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);

describe('other endpoints through workers over Redis', { skip: whyNoRedis() }, () => {
  test('/v1/responses: every kind of answer ends as it should, re-asks included, and the bill is the ledger', async (t) => {
    const at = (nth: number, answer: string) => ({ match: { nth }, do: { answer }, times: 1 });
    const { world, run } = await makeRedisJobWorld(t, {
      job: 'endpoint: /v1/responses\nwrite: { path: out.jsonl }',
      faults: [
        ...[at(1, 'refusal'), at(2, 'content_filter'), at(3, 'length'), at(4, 'invalid_json')],
        ...[at(5, 'several_outputs'), at(6, 'failed_response'), at(7, 'no_choices'), at(8, 'tool_calls')],
      ],
      workers: 2,
    });
    const { summary, requests } = await run();
    world.assertFaultsFired();
    assert.deepEqual([summary.exitCode, summary.rows.ok, summary.causes], [3, 10, { refused: 1, filtered: 1 }]);
    assert.deepEqual([summary.attempts.live, summary.attempts.unknown, requests['POST /v1/responses']], [17, 0, 17]);
    const bill = world.simulator.bill();
    assert.deepEqual([bill.length, summary.ledger.attempts], [17, 17]);
    // gpt-4o-mini: 150 and 600 nano-dollars a token.
    const nanoUsd = bill.reduce((sum, { usage }) => sum + Number(usage.input_tokens) * 150 + Number(usage.output_tokens) * 600, 0);
    assert.equal(summary.cost.nanoUsd, nanoUsd);
    for (const { id, label, _status } of readTable(world))
      if (_status === 'ok') assert.match(String(label), /^(good|bad|other)$/, String(id));
    const again = await run();
    assert.equal(again.summary.attempts.total, 0);
  });

  test('/v1/embeddings: the vectors are those of the lane in one process, and cost their input alone', async (t) => {
    const job = `endpoint: /v1/embeddings
model: text-embedding-3-small
prompt: "{{ text }}"
output: vector
params: { dimensions: 8 }
write: { path: out.jsonl }
budget: { usd: 1 }`;
    const vectorsOf = (world: World) => readTable(world).map(({ id, answer }) => [id, answer]);
    const local = await makeWorld(t, { rows: makeRows(30), job });
    const alone = await local.run({ overrides: { cwd: local.directory, input: null, out: null, mode: 'live' } });
    const { world, run } = await makeRedisJobWorld(t, { rows: makeRows(30), job, workers: 2 });
    const { summary, requests } = await run();
    assert.deepEqual([summary.exitCode, summary.rows.ok, summary.tokens.output, requests['POST /v1/embeddings']], [0, 30, 0, 30]);
    assert.deepEqual(vectorsOf(world), vectorsOf(local));
    const tokens = world.simulator.bill().reduce((sum, { usage }) => sum + Number(usage.prompt_tokens), 0);
    assert.deepEqual([summary.cost.nanoUsd, alone.summary.cost.nanoUsd], [tokens * 20, tokens * 20]);
    for (const [, vector] of vectorsOf(world)) assert.ok(Array.isArray(vector) && vector.length === 8 && vector.every(Number.isFinite));
  });
});
