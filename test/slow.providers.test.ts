import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { test } from 'node:test';
import { PROFILES, type Reply } from './helpers/provider-profiles.ts';
import { MOST_TO_STOP_MS, makeProviderStage, type StageOptions } from './helpers/provider-stage.ts';
import { readShape } from './helpers/provider-stub.ts';

for (const profile of PROFILES) {
  const { name, batch } = profile;

  test(`${name}: three live rows end ok, the list of batches is never requested, and nothing is learned twice`, async (t) => {
    const { runAll, stub, world } = await makeProviderStage(t, profile);
    await runAll('live');
    assert.deepEqual(
      stub.requests.filter((request) => request !== 'POST /chat/completions'),
      [],
    );
    assert.ok(stub.refusals.length <= 3, 'each of the first calls at most once');
    const learned = stub.refusals.length;
    assert.equal(learned > 0, profile.refuseCap !== null);
    fs.appendFileSync(world.path('in.csv'), 'r9,One more\n');
    await runAll('live', 4);
    assert.equal(stub.refusals.length, learned, 'remembered in the state');
    assert.equal(stub.answered.length, 4, 'the answers of before serve: no key has changed');
  });

  if (profile.hosted !== null) {
    test(`${name}: at its own address nothing has to be learned`, async (t) => {
      const { runAll, stub } = await makeProviderStage(t, profile, { at: 'hosted' });
      const { warnings } = await runAll('live');
      assert.deepEqual([stub.refusals, stub.answered.length, warnings], [[], 3, []]);
    });
  }

  for (const at of batch === null ? [] : profile.hosted === null ? (['here'] as const) : (['here', 'hosted'] as const)) {
    test(`${name}: three rows in a batch end ok, ${at === 'here' ? 'with its forms learned' : 'at its own address without a refusal'}`, async (t) => {
      const { run, runAll, stub } = await makeProviderStage(t, profile, { at });
      // Nobody tells before a batch has run what its lines may not hold: its rows cost nothing, and are asked again by hand.
      if (at === 'here' && profile.refuseCap !== null) {
        const { summary, warnings } = await run('batch');
        assert.deepEqual([summary.exitCode, summary.causes], [3, { bad_request: 3 }]);
        assert.match(warnings.join('\n'), /calls the output cap max_tokens.*rowmill retry/s);
        await runAll('batch', 3, { reopen: { causes: null, set: {} } });
      } else await runAll('batch');
      if (at === 'hosted') assert.deepEqual(stub.refusals, []);
      assert.equal(stub.answered.length, 3);
    });
  }

  if (profile.refuseCap === null && !profile.caps.includes('max_completion_tokens')) {
    test(`${name}: an ignored cap is detected by a longer answer, reported, and sent under its other name`, async (t) => {
      const { run, stub, world } = await makeProviderStage(t, profile, { longAnswerTokens: 700 });
      const { warnings } = await run('live');
      assert.match(
        warnings.join('\n'),
        /calls the output cap max_tokens \(an answer had 700 tokens where max_completion_tokens allowed 100\)/,
      );
      fs.appendFileSync(world.path('in.csv'), 'r9,One more\n');
      await run('live');
      const last = stub.answered.at(-1);
      assert.deepEqual([last.max_tokens, last.max_completion_tokens, stub.answered.length], [100, undefined, 4]);
    });
  }

  test(`${name}: has at least two sources besides its documentation`, () => {
    const sources = new Set(profile.shapes.flatMap((shape) => String(readShape(shape).source).split('; ')));
    sources.delete('own variation');
    assert.ok(sources.size >= 2, [...sources].join(', '));
  });
}

const findProfile = (name: string) => PROFILES.find((one) => one.name === name) ?? assert.fail(name);

/** Answers the first call so. */
function answerFirst(reply: Reply): NonNullable<StageOptions['intercept']> {
  let isServed = false;
  return (_method, path) => {
    if (isServed || path !== '/chat/completions') return null;
    isServed = true;
    return reply;
  };
}

test('a model answer that was not JSON, which Groq reports as an error of the request, is retried', async (t) => {
  const error = {
    message: 'Failed to generate JSON.',
    type: 'invalid_request_error',
    code: 'json_validate_failed',
    failed_generation: '{',
  };
  const { runAll, stub } = await makeProviderStage(t, findProfile('Groq'), { intercept: answerFirst({ status: 400, body: { error } }) });
  await runAll('live');
  assert.equal(stub.refusals.length, 1);
  assert.match(JSON.stringify(stub.answered), /This answer cannot be used/);
});

test('insufficient_quota is a rate limit at DashScope, where an empty account has another code, and final elsewhere', async (t) => {
  const error = { message: 'You exceeded your current quota', type: 'insufficient_quota', param: null, code: 'insufficient_quota' };
  for (const [at, exitCode, ok] of [
    ['hosted', 0, 3],
    ['here', 5, null],
  ] as const) {
    const intercept = answerFirst({ status: 429, body: { error } });
    const { run } = await makeProviderStage(t, findProfile('DashScope (Qwen)'), { at, intercept });
    const { summary } = await run('live');
    assert.equal(summary.exitCode, exitCode, summary.verdict);
    if (ok !== null) assert.equal(summary.rows.ok, ok);
  }
});

/** Servers whose answers to a path they do not have differ most; their API lies below `/v1`. */
for (const name of ['vLLM', 'Ollama', 'llama.cpp', 'LM Studio', 'OpenRouter', 'Azure OpenAI, v1']) {
  const profile = findProfile(name);
  test(`${name}: a base URL without /v1 stops the run within five seconds, proposes the right one and replaces nothing`, async (t) => {
    const { run, startWatch, stub, world } = await makeProviderStage(t, { ...profile, basePath: '/v1' }, { path: '' });
    world.write('out.csv', 'the table of yesterday\n');
    const readWaitedMs = startWatch();
    const { summary } = await run('live');
    assert.ok(readWaitedMs() < MOST_TO_STOP_MS);
    assert.deepEqual([summary.exitCode, summary.rows.pending, summary.rows.failed], [4, 3, 0]);
    assert.match(summary.verdict, /try --base-url http:\/\/127\.0\.0\.1:\d+\/v1$/);
    assert.equal(world.read('out.csv'), 'the table of yesterday\n');
    assert.deepEqual(stub.requests, []);
    const right = await run('live', { baseUrl: stub.baseUrl });
    assert.deepEqual([right.summary.exitCode, right.summary.rows.ok], [0, 3]);
  });
}
