import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SimulatorOptions } from '../src/simulator/options.ts';
import { formatDuration } from '../src/simulator/rate-limits.ts';
import { chatLine, chatLines, type RawAnswer, withSimulator } from './helpers/simulator-api.ts';
import { wideTest } from './helpers/wide.ts';

const chat = (words: number, body: object = {}) => ({
  model: 'gpt-4o',
  messages: [{ role: 'user', content: 'word '.repeat(words) }],
  ...body,
});

test('a batch above the queue of its model fails with token_limit_exceeded, and fits once another has ended', () =>
  withSimulator({ enqueuedTokens: { 'gpt-4o-mini': 2_000 } }, async ({ submit, finish, request, simulator }) => {
    const lines = (name: string) => chatLines(100).map((line) => ({ ...line, custom_id: `${name}-${line.custom_id}` }));
    const first = await submit(lines('a'));
    await simulator.advance(50);
    const second = await finish(await submit(lines('b')));
    assert.equal(second.status, 'failed');
    assert.deepEqual(second.errors.data, [
      {
        code: 'token_limit_exceeded',
        message:
          'Enqueued token limit reached for gpt-4o-mini in organization org-simulated. Limit: 2,000 enqueued tokens. Please try again once some in_progress batches have been completed.',
        param: null,
        line: null,
      },
    ]);
    assert.equal((await request('GET', `/batches/${first}`)).json.status, 'completed');
    assert.equal((await finish(await submit(lines('b')))).status, 'completed', 'the tokens of the first are free again');
    assert.equal(simulator.bill().length, 200);
  }));

test('a batch larger than the whole queue never fits; another model has its own queue', () =>
  withSimulator({ faults: [{ match: { batch: 1 }, do: { enqueuedTokens: 90_000 } }] }, async ({ submit, finish }) => {
    const large = await finish(await submit([chatLine('a', chat(100_000, { model: 'gpt-4o-mini' }))]));
    assert.match(large.errors.data[0].message, /Limit: 90,000 enqueued tokens/);
    assert.equal((await finish(await submit([chatLine('a', chat(100_000, { model: 'gpt-4o-mini' }))]))).status, 'completed');
  }));

test('a cancelled batch goes through cancelling, keeps what it finished, and bills exactly that', () =>
  withSimulator({ batchSeconds: 3_600 }, async ({ submit, request, simulator, readLines }) => {
    const id = await submit(chatLines(100));
    await simulator.advance(1_800_000);
    const cancelling = (await request('POST', `/batches/${id}/cancel`)).json;
    assert.deepEqual([cancelling.status, cancelling.cancelled_at], ['cancelling', null]);
    assert.equal((await request('POST', `/batches/${id}/cancel`)).status, 200, 'cancelling twice is allowed');
    await simulator.advance(0);
    const batch = (await request('GET', `/batches/${id}`)).json;
    assert.equal(batch.status, 'cancelled');
    const finished = (await readLines(batch.output_file_id)).map((line) => line.custom_id);
    assert.ok(finished.length > 30 && finished.length < 70, `${finished.length} finished`);
    assert.equal(batch.request_counts.completed, finished.length);
    assert.deepEqual(
      simulator
        .bill()
        .map(({ customId }) => customId)
        .sort(),
      finished.sort(),
    );
    assert.equal((await request('POST', `/batches/${id}/cancel`)).status, 200, 'a cancelled batch may be cancelled again');
    await simulator.advance(86_400_000);
    assert.equal(simulator.bill().length, finished.length);
  }));

test('a batch that is not done after 24 hours expires; a day passes in virtual time', () =>
  withSimulator({ batchSeconds: 200_000 }, async ({ submit, request, simulator, readLines }) => {
    const id = await submit(chatLines(40));
    await simulator.advance(86_399_000);
    assert.equal((await request('GET', `/batches/${id}`)).json.status, 'in_progress');
    await simulator.advance(1_000);
    const batch = (await request('GET', `/batches/${id}`)).json;
    assert.equal(batch.status, 'expired');
    assert.equal(batch.expired_at, batch.expires_at);
    const [output, expired] = [await readLines(batch.output_file_id), await readLines(batch.error_file_id)];
    assert.equal(output.length + expired.length, 40);
    assert.equal(simulator.bill().length, output.length);
  }));

/** Sends live calls until one is refused, and returns all answers. */
async function sendUntilRefused(options: SimulatorOptions, body: object): Promise<readonly RawAnswer[]> {
  const answers: RawAnswer[] = [];
  await withSimulator(options, async ({ request }) => {
    while (answers.length < 100 && answers.at(-1)?.status !== 429) answers.push(await request('POST', '/chat/completions', body));
  });
  return answers;
}

test('without limits no rate header is sent', async () => {
  await withSimulator({}, async ({ request }) => {
    const { headers } = await request('POST', '/chat/completions', chat(1));
    assert.deepEqual(
      [...headers.keys()].filter((name) => name.startsWith('x-ratelimit')),
      [],
    );
  });
});

test('requests per minute are enforced with headers, text and waiting times', () =>
  withSimulator({ requestsPerMinute: 3, tokensPerMinute: 1_000 }, async ({ request, simulator }) => {
    const send = () => request('POST', '/chat/completions', chat(10));
    const first = await send();
    assert.deepEqual(
      ['limit-requests', 'remaining-requests', 'reset-requests', 'limit-tokens', 'remaining-tokens'].map((name) =>
        first.headers.get(`x-ratelimit-${name}`),
      ),
      ['3', '2', '20s', '1000', '983'],
    );
    await send();
    await send();
    const refused = await send();
    assert.equal(refused.status, 429);
    assert.deepEqual([refused.json.error.code, refused.json.error.type], ['rate_limit_exceeded', 'requests']);
    assert.equal(
      refused.json.error.message,
      'Rate limit reached for gpt-4o in organization org-simulated on requests per min (RPM): Limit 3, Used 3, Requested 1. Please try again in 20s. Visit https://platform.openai.com/account/rate-limits to learn more.',
    );
    assert.deepEqual([refused.headers.get('retry-after'), refused.headers.get('retry-after-ms')], ['20', '20000']);
    await simulator.advance(20_000);
    assert.equal((await send()).status, 200);
    assert.equal(simulator.bill().length, 4);
  }));

test('tokens are charged by actual usage, or reserved by the cap', async () => {
  const count = async (accounting: 'actual' | 'reserved') =>
    (await sendUntilRefused({ tokensPerMinute: 1_000, accounting }, chat(10, { max_tokens: 200 }))).length;
  const [actual, reserved] = [await count('actual'), await count('reserved')];
  assert.ok(actual > 30, `${actual} calls by actual usage`);
  assert.equal(reserved, 5, 'four calls of 217 reserved tokens pass');
});

test('a request larger than the minute is refused for good, whatever is left', async () => {
  const [answer] = await sendUntilRefused({ tokensPerMinute: 100 }, chat(200));
  assert.match(
    answer?.json.error.message,
    /^Request too large for gpt-4o in organization .* on tokens per min \(TPM\): Limit 100, Requested 207\. The input or output tokens must be reduced/,
  );
  assert.equal(answer?.headers.get('retry-after'), null);
});

for (const [retryAfter, expected] of [
  ['ms', { 'retry-after-ms': /^\d+$/, 'retry-after': null }],
  ['seconds', { 'retry-after-ms': null, 'retry-after': /^\d+$/ }],
  ['date', { 'retry-after-ms': null, 'retry-after': /^\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT$/ }],
  ['none', { 'retry-after-ms': null, 'retry-after': null }],
] as const) {
  test(`a refusal may name its waiting time as: ${retryAfter}`, async () => {
    const refused = (await sendUntilRefused({ requestsPerMinute: 1, retryAfter }, chat(1))).at(-1);
    for (const [name, pattern] of Object.entries(expected)) {
      const value = refused?.headers.get(name) ?? null;
      if (pattern === null) assert.equal(value, null);
      else assert.match(value ?? '', pattern);
    }
  });
}

test('a burst of less than a minute keeps calls to the pace of the limit', async () => {
  const answers = await sendUntilRefused({ requestsPerMinute: 60, burstSeconds: 5 }, chat(1));
  assert.equal(answers.length, 6, 'five pass at once, the sixth waits');
});

test('durations are written like the API writes them', () => {
  const written = { 17: '17ms', 1000: '1s', 8640: '8.64s', 2081: '2.081s', 360000: '6m0s', 72500: '1m12.5s', 3630000: '1h0m30s' };
  for (const [durationMs, text] of Object.entries(written)) assert.equal(formatDuration(Number(durationMs)), text);
});

wideTest('a live call takes the configured latency, constant or drawn around a median', async () => {
  await withSimulator({ latencyMs: 400 }, async ({ request, simulator }) => {
    const answer = request('POST', '/chat/completions', chat(1));
    while (simulator.bill().length === 0) await simulator.advance(100);
    assert.equal((await answer).headers.get('openai-processing-ms'), '400');
  });
  const drawn: number[] = [];
  await withSimulator({ latencyMs: { p50Ms: 400 } }, async ({ request, simulator }) => {
    for (let call = 0; call < 101; call += 1) {
      const answer = request('POST', '/chat/completions', chat(1));
      while (simulator.bill().length <= call) await simulator.advance(10_000);
      drawn.push(Number((await answer).headers.get('openai-processing-ms')));
    }
  });
  const median = drawn.sort((left, right) => left - right)[50] ?? 0;
  assert.ok(median > 280 && median < 560, `median ${median}`);
  assert.ok((drawn[95] ?? 0) > 1.5 * median, 'some take much longer');
});
