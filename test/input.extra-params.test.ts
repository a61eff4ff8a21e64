import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UsageError } from '../src/core/errors.ts';
import { readCapTokens } from '../src/core/request.ts';
import { compileJob } from '../src/input/compile-job.ts';
import { makeJob } from '../src/input/job/make-job.ts';
import { setParams } from '../src/input/request/extra-params.ts';

const TABLE = { columns: ['text'], format: 'csv' } as const;

function compile(params: object, more: object = {}) {
  const spec = { name: 'j', input: { path: 'in.csv' }, model: 'm', prompt: '{{ text }}', output: 'text', params, ...more };
  const job = makeJob(spec, { directory: '/data' });
  const compiled = compileJob({ job }, TABLE);
  const rendered = compiled.render({ index: 0, line: 2, cells: ['hello'] } as never);
  assert.ok(rendered.status === 'request');
  return { compiled, job, request: rendered.request };
}

/** What is said against these parameters. */
function refuse(params: object, more: object = {}): string {
  try {
    compile(params, more);
  } catch (error) {
    assert.ok(error instanceof UsageError, String(error));
    return error.message;
  }
  return assert.fail(`${JSON.stringify(params)} was taken`);
}

test("a provider's own parameters go into the body unchanged, and so into the key", () => {
  const bare = compile({ max_output_tokens: 60 });
  const extra = { enable_thinking: false, chat_template_kwargs: { enable_thinking: false }, top_k: 20 };
  const { request } = compile({ max_output_tokens: 60, extra });
  assert.equal(
    request.body,
    '{"model":"m","messages":[{"role":"user","content":"hello"}],"max_completion_tokens":60,"enable_thinking":false,"chat_template_kwargs":{"enable_thinking":false},"top_k":20}',
  );
  assert.notEqual(request.key, bare.request.key);
  assert.equal(compile({ max_output_tokens: 60, extra: {} }).request.key, bare.request.key);
});

test('a cap in params.extra is the job’s cap, under that name, and no other cap is sent', () => {
  for (const name of ['max_tokens', 'max_completion_tokens']) {
    const { compiled, job, request } = compile({ temperature: 0, extra: { [name]: 60, min_p: 0.1 } });
    assert.equal(request.body, `{"model":"m","messages":[{"role":"user","content":"hello"}],"temperature":0,"${name}":60,"min_p":0.1}`);
    assert.equal(readCapTokens(request), 60);
    assert.equal(job.params.max_output_tokens, 60);
    const reask = compiled.renderReask(request, { n: 1, cause: 'truncated', answerText: null, message: '' });
    assert.equal(readCapTokens(reask), 120, 'a cut answer gets more room');
  }
});

test('retry --set changes the cap under the same name', () => {
  const { job } = compile({ extra: { max_tokens: 60 } });
  const params = setParams(job.params, { max_output_tokens: 400 });
  assert.deepEqual(params, { max_output_tokens: 400, extra: { max_tokens: 400 } });
  assert.match(compile(params).request.body, /"max_tokens":400}$/);
  assert.deepEqual(setParams(job.params, { extra: { max_tokens: 90 } }), { max_output_tokens: 90, extra: { max_tokens: 90 } });
  assert.deepEqual(setParams({ max_output_tokens: 9 }, { max_output_tokens: 10 }), { max_output_tokens: 10 });
});

const REFUSED: readonly (readonly [params: object, says: RegExp, more?: object])[] = [
  ...['model', 'messages', 'input', 'stream', 'n', 'response_format', 'text', 'store', 'max_output_tokens'].map(
    (name) => [{ extra: { [name]: 'x' } }, new RegExp(`params\\.extra\\.${name}: cannot be set here`)] as const,
  ),
  [{ extra: { max_tokens: 5, max_completion_tokens: 5 } }, /second output cap/],
  [{ extra: { max_tokens: '60' } }, /whole number/],
  [{ extra: { max_tokens: 0 } }, /whole number/],
  [{ max_output_tokens: 60, extra: { max_tokens: 61 } }, /differs from params\.max_output_tokens/],
  [{ temperature: 0, extra: { temperature: 1 } }, /is already set by params\.temperature/],
  [{ reasoning_effort: 'low', extra: { reasoning: {} } }, /by params\.reasoning_effort/, { endpoint: '/v1/responses' }],
  [{ extra: { service_tier: 'priority' } }, /params\.service_tier/],
  [{ extra: JSON.parse('{"__proto__": {"a": 1}}') }, /not a valid name/],
  [{ extra: { top_k: Number.NaN } }, /not a JSON value/],
  [{ extra: { hook: () => 1 } }, /not a JSON value/],
  [{ extra: 'enable_thinking' }, /params\.extra: must be a map/],
];

for (const [params, says, more] of REFUSED) {
  test(`params ${Object.keys(params)} are refused: ${says.source}`, () => assert.match(refuse(params, more), says));
}

test("a provider's own tiers are allowed, next to parameters that are not repeated", () => {
  assert.match(compile({ extra: { service_tier: 'on_demand' } }).request.body, /"service_tier":"on_demand"}$/);
  assert.match(compile({ extra: { dimensions: 8 } }).request.body, /"dimensions":8}$/);
  const embedding = compile({ extra: { truncate: 'END' } }, { endpoint: '/v1/embeddings', output: 'vector' });
  assert.equal(embedding.request.body, '{"model":"m","input":"hello","truncate":"END"}');
  const response = compile({ extra: { truncation: 'auto' } }, { endpoint: '/v1/responses' });
  assert.match(response.request.body, /"store":false,"truncation":"auto"}$/);
});

test('stop is one text or up to four, for chat completions only', () => {
  assert.match(compile({ stop: '\n' }).request.body, /"stop":"\\n"}$/);
  assert.match(compile({ stop: ['a', 'b'] }).request.body, /"stop":\["a","b"\]}$/);
  assert.match(refuse({ stop: ['a', 'b', 'c', 'd', 'e'] }), /params\.stop/);
  assert.match(refuse({ stop: [] }), /params\.stop/);
  assert.match(refuse({ stop: '\n' }, { endpoint: '/v1/responses' }), /has no such parameter/);
});
