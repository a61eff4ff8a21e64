import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeKey } from '../src/core/request.ts';
import { compileJob } from '../src/input/compile-job.ts';
import { makeJob } from '../src/input/job/make-job.ts';
import { makeRows, makeWorld, type World } from './helpers/run-world.ts';
import { wideTest } from './helpers/wide.ts';

const PIXEL = 'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

function compile(spec: object) {
  const job = makeJob(
    { name: 'j', input: { path: 't.csv' }, model: 'gpt-4o-mini', output: 'text', prompt: '{{ a }}', ...spec },
    { directory: '/data' },
  );
  return compileJob({ job }, { columns: ['a', 'b'], format: 'csv' });
}

function bodyOf(spec: object, ...cells: unknown[]): string {
  const rendered = compile(spec).render({ index: 0, file: 't.csv', line: 2, cells, record: null, key: null });
  assert.ok(rendered.status === 'request', JSON.stringify(rendered));
  assert.equal(rendered.request.key, makeKey(rendered.request.url, rendered.request.body));
  return rendered.request.body;
}

const RESPONSES = { endpoint: '/v1/responses' };
const EMBEDDINGS = { endpoint: '/v1/embeddings', output: 'vector', model: 'text-embedding-3-small' };

/** Bodies as they must stay: a changed byte would be paid again. */
const GOLDEN: readonly [title: string, spec: object, body: string][] = [
  ['a response', RESPONSES, '{"model":"gpt-4o-mini","input":[{"role":"user","content":"x"}],"store":false}'],
  [
    'a response with a schema and all parameters',
    {
      ...RESPONSES,
      model: 'gpt-5.2',
      prompt: { system: 'Be brief', user: '{{ a }}' },
      output: { label: 'good | bad' },
      params: {
        ...{ top_logprobs: 2, logprobs: true, service_tier: 'flex', verbosity: 'low', reasoning_effort: 'low', top_p: 1 },
        ...{ temperature: 1, max_output_tokens: 2000 },
      },
    },
    '{"model":"gpt-5.2","input":[{"role":"system","content":"Be brief"},{"role":"user","content":"x"}],"text":{"format":{"type":"json_schema","name":"answer","strict":true,"schema":{"type":"object","properties":{"label":{"type":"string","enum":["good","bad"]}},"required":["label"],"additionalProperties":false}},"verbosity":"low"},"max_output_tokens":2000,"temperature":1,"top_p":1,"reasoning":{"effort":"low"},"service_tier":"flex","top_logprobs":2,"include":["message.output_text.logprobs"],"store":false}',
  ],
  [
    'a response in JSON mode',
    { ...RESPONSES, prompt: 'Reply in JSON: {{ a }}', output: { json: 'object' } },
    '{"model":"gpt-4o-mini","input":[{"role":"user","content":"Reply in JSON: x"}],"text":{"format":{"type":"json_object"}},"store":false}',
  ],
  [
    'a response with an image',
    { ...RESPONSES, prompt: { user: '{{ a }}', images: ['{{ b }}'] } },
    `{"model":"gpt-4o-mini","input":[{"role":"user","content":[{"type":"input_text","text":"x"},{"type":"input_image","image_url":"${PIXEL}","detail":"auto"}]}],"store":false}`,
  ],
  [
    'votes with confidence',
    { votes: 3, confidence: 'logprobs', params: { temperature: 0.7 } },
    '{"model":"gpt-4o-mini","messages":[{"role":"user","content":"x"}],"temperature":0.7,"logprobs":true,"n":3}',
  ],
  [
    'a response with confidence',
    { ...RESPONSES, confidence: 'logprobs' },
    '{"model":"gpt-4o-mini","input":[{"role":"user","content":"x"}],"include":["message.output_text.logprobs"],"store":false}',
  ],
  ['an embedding', EMBEDDINGS, '{"model":"text-embedding-3-small","input":"x"}'],
  [
    'an embedding with its size',
    { ...EMBEDDINGS, prompt: 'title: {{ a }}', params: { dimensions: 256 } },
    '{"model":"text-embedding-3-small","input":"title: x","dimensions":256}',
  ],
];

for (const [title, spec, body] of GOLDEN) {
  test(`the body of ${title} is the golden one`, () => assert.equal(bodyOf(spec, 'x', PIXEL), body));
}

const REFUSED: readonly [spec: object, message: RegExp][] = [
  [{ ...RESPONSES, params: { seed: 1 } }, /params\.seed: POST \/v1\/responses has no such parameter/],
  [{ ...RESPONSES, params: { max_output_tokens: 8 } }, /max_output_tokens: POST \/v1\/responses takes 16 or more/],
  [{ params: { dimensions: 8 } }, /params\.dimensions: POST \/v1\/chat\/completions has no such parameter/],
  [{ ...EMBEDDINGS, params: { temperature: 0 } }, /params\.temperature: POST \/v1\/embeddings has no such parameter/],
  [{ ...EMBEDDINGS, output: 'text' }, /output: \/v1\/embeddings answers with vectors/],
  [{ output: 'vector' }, /output: vectors come from endpoint: \/v1\/embeddings only/],
  [{ ...EMBEDDINGS, prompt: { system: 's', user: '{{ a }}' } }, /prompt: an embedding is made of one text/],
  [{ endpoint: '/v1/response' }, /endpoint: must be .*Did you mean "\/v1\/responses"/],
];

test('settings an endpoint does not accept are reported before anything is sent', () => {
  for (const [spec, message] of REFUSED) assert.throws(() => compile(spec), message);
});

type RunChange = Parameters<World['run']>[0];
const runIn = (world: World, mode: 'batch' | 'live', change: RunChange = {}) =>
  world.run({ overrides: { cwd: world.directory, input: null, out: null, mode }, ...change });

const readTable = (world: World, name: string) =>
  world
    .read(name)
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);

for (const mode of ['batch', 'live'] as const) {
  test(`/v1/responses in the ${mode} lane: every kind of answer ends as it should, re-asks included, and the bill is the ledger`, async (t) => {
    const at = (nth: number, answer: string) => ({ match: { nth }, do: { answer }, times: 1 });
    const faults = [at(1, 'refusal'), at(2, 'content_filter'), at(3, 'length'), at(4, 'invalid_json'), at(5, 'several_outputs')];
    const world = await makeWorld(t, {
      job: 'endpoint: /v1/responses\nwrite: { path: out.jsonl }',
      faults: [...faults, at(6, 'failed_response'), at(7, 'no_choices'), at(8, 'tool_calls')],
    });
    const { summary, requests } = await runIn(world, mode);
    world.assertFaultsFired();
    assert.deepEqual([summary.exitCode, summary.rows.ok, summary.causes], [3, 10, { refused: 1, filtered: 1 }]);
    assert.equal(summary.attempts.total, 17, 'cut, not JSON, failed, nothing and a tool call are asked again');
    assert.equal(requests[mode === 'live' ? 'POST /v1/responses' : 'POST /v1/chat/completions'], mode === 'live' ? 17 : undefined);
    assert.equal(world.simulator.bill().length, 17);
    assert.equal(summary.ledger.attempts, 17);
    for (const { id, label, _status } of readTable(world, 'out.jsonl')) {
      if (_status === 'ok') assert.match(String(label), /^(good|bad|other)$/, String(id));
    }
    const cost = world.simulator.bill().reduce((sum, { usage }) => sum + priceOf(usage), 0);
    assert.equal(summary.cost.nanoUsd, mode === 'live' ? cost : cost / 2);
    const again = await runIn(world, mode);
    assert.equal(again.summary.attempts.total, 0);
  });
}

/** gpt-4o-mini: 150 and 600 nano-dollars a token. */
function priceOf(usage: Readonly<Record<string, unknown>>): number {
  return Number(usage.input_tokens) * 150 + Number(usage.output_tokens) * 600;
}

const EMBEDDING_JOB = [
  'endpoint: /v1/embeddings',
  'model: text-embedding-3-small',
  'prompt: "{{ text }}"',
  'output: vector',
  'params: { dimensions: 8 }',
].join('\n');

wideTest('embeddings are vectors, the same in both lanes, one text per request, and cost only their input', async (t) => {
  const rows = makeRows(5);
  const tables: unknown[][] = [];
  for (const mode of ['batch', 'live'] as const) {
    const world = await makeWorld(t, { rows, job: `${EMBEDDING_JOB}\nwrite: { path: out.jsonl }\nbudget: { usd: 1 }` });
    const { summary } = await runIn(world, mode);
    assert.deepEqual([summary.exitCode, summary.rows.ok, summary.tokens.output], [0, 5, 0]);
    const tokens = world.simulator.bill().reduce((sum, { usage }) => sum + Number(usage.prompt_tokens), 0);
    assert.equal(summary.cost.nanoUsd, tokens * (mode === 'live' ? 20 : 10));
    tables.push(readTable(world, 'out.jsonl').map(({ id, answer }) => [id, answer]));
  }
  assert.deepEqual(tables[0], tables[1]);
  for (const [, vector] of tables[0] as [string, number[]][]) {
    assert.equal(vector.length, 8);
    assert.ok(vector.every(Number.isFinite));
  }
});

wideTest('a CSV table contains a vector as JSON text', async (t) => {
  const world = await makeWorld(t, { rows: makeRows(1), job: EMBEDDING_JOB });
  await runIn(world, 'batch');
  assert.match(world.read('out.csv'), /"\[-?0\.\d+(,-?0\.\d+){7}\]"/);
});

test('a text answer is written to the table unchanged', async (t) => {
  const world = await makeWorld(t, { rows: makeRows(2), job: 'output: text\nwrite: { path: out.jsonl }' });
  await runIn(world, 'batch');
  for (const { answer } of readTable(world, 'out.jsonl')) assert.ok(typeof answer === 'string' && answer !== '');
});
