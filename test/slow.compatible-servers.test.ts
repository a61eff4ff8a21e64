import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startProxy } from './helpers/proxy.ts';
import { makeRows, makeWorld } from './helpers/run-world.ts';

// biome-ignore lint/suspicious/noExplicitAny: bodies as other servers write them.
type Body = any;

/** Servers with models of their own: the simulator knows none of them. */
const rename = ({ body }: { readonly body: Buffer }) =>
  Buffer.from(body.toString().replaceAll('"model":"llama3.2"', '"model":"gpt-4o-mini"'));
const JOB = 'model: llama3.2';

/** How the answers of other servers differ from those of the API itself (openai-contract section 16, seen 2026-11-21). */
const ANSWERS: Readonly<Record<string, (answer: Body) => Body>> = {
  vLLM: ({ choices, usage, system_fingerprint: _print, service_tier: _tier, ...answer }) => ({
    ...answer,
    model: 'llama3.2',
    kv_transfer_params: null,
    choices: choices.map(({ message, ...choice }: Body) => ({
      ...choice,
      stop_reason: null,
      message: { role: 'assistant', content: message.content, reasoning_content: null, tool_calls: [] },
    })),
    usage: { ...usage, prompt_tokens_details: null, completion_tokens_details: undefined },
  }),
  Ollama: ({ choices, usage, ...answer }) => ({
    ...answer,
    model: 'llama3.2',
    system_fingerprint: 'fp_ollama',
    service_tier: undefined,
    choices: choices
      .slice(0, 1)
      .map(({ message, ...choice }: Body) => ({ ...choice, message: { role: 'assistant', content: message.content } })),
    usage: { prompt_tokens: usage.prompt_tokens, completion_tokens: usage.completion_tokens, total_tokens: usage.total_tokens },
  }),
  Azure: ({ choices, ...answer }) => ({
    ...answer,
    model: 'llama3.2',
    prompt_filter_results: [{ prompt_index: 0, content_filter_results: {} }],
    choices: choices.map((choice: Body) => ({ ...choice, content_filter_results: { hate: { filtered: false, severity: 'safe' } } })),
  }),
};

for (const [server, change] of Object.entries(ANSWERS)) {
  test(`live answers in the form of ${server} count; their cost is unknown, not zero`, async (t) => {
    const world = await makeWorld(t, { rows: makeRows(4), job: JOB });
    const baseUrl = await startProxy(t, {
      target: world.simulator.url,
      changePath: (path) => path.replace('/openai/', '/'),
      changeRequest: rename,
      changeAnswer: ({ path }, answer) => (path === '/v1/chat/completions' ? change(answer) : answer),
    });
    const overrides = { cwd: world.directory, input: null, out: null, mode: 'live' } as const;
    const { summary } = await world.run({ overrides, baseUrl: baseUrl.replace('/v1', '/openai/v1') });
    assert.deepEqual([summary.exitCode, summary.rows.ok, summary.cost.unpricedAttempts], [0, 4, 4]);
    assert.ok(summary.tokens.input > 0 && summary.tokens.output > 0);
    assert.match(world.read('out.csv'), /llama3\.2/);
  });
}

test('batches are followed even if statuses are in capitals, counts and times missing, metadata dropped and ids empty', async (t) => {
  const world = await makeWorld(t, { rows: makeRows(4), job: JOB });
  const loosen = ({ id, object, status, input_file_id, output_file_id, created_at }: Body) => ({
    ...{ id, object, input_file_id, output_file_id: output_file_id ?? '', created_at },
    ...{ status: status.toUpperCase(), request_counts: null, error_file_id: '', expires_at: null, errors: null },
  });
  const baseUrl = await startProxy(t, {
    target: world.simulator.url,
    changePath: (path) => path.replace('/openai/', '/'),
    changeRequest: rename,
    changeAnswer: (_, answer: Body) => (answer.object === 'batch' ? loosen(answer) : answer),
  });
  const { summary } = await world.run({ baseUrl: baseUrl.replace('/v1', '/openai/v1') });
  assert.deepEqual([summary.exitCode, summary.rows.ok, summary.batches.length], [0, 4, 1]);
});

test('plain-text errors fail their rows with that text', async (t) => {
  const world = await makeWorld(t, {
    rows: makeRows(2),
    faults: [
      { match: { method: 'POST', path: '/v1/chat/completions' }, do: { status: 400, body: { error: 'model runner: context too long' } } },
    ],
  });
  const { summary } = await world.run({ overrides: { cwd: world.directory, input: null, out: null, mode: 'live' } });
  world.assertFaultsFired();
  assert.deepEqual([summary.exitCode, summary.causes], [3, { bad_request: 2 }]);
  assert.match(world.read('out.csv'), /context too long/);
});
