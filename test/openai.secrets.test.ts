import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { startTimer } from '../src/host/real-effects.ts';
import { createProvider, type Provider } from '../src/openai/provider.ts';

const KEY = 'sk-canary-0123456789-abcdefghij-KLMNOP';

/** A provider that quotes the key it was given, whole, in base64 and shortened, in everything it refuses. */
async function openQuotingProvider(t: TestContext, status: number): Promise<{ provider: Provider; quoted: () => number }> {
  let quoted = 0;
  const server = createServer((request, response) => {
    const key = request.headers.authorization?.replace('Bearer ', '') ?? '';
    assert.equal(key, KEY);
    quoted += 1;
    const message = `no: ${key}, ${Buffer.from(key).toString('base64')}, ${key.slice(0, 22)}…`;
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ error: { message, type: 'invalid_request_error', code: 'refused', param: null } }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
  return { provider: await createProvider({ apiKey: KEY, baseUrl, clock: () => new Date(), startTimer }), quoted: () => quoted };
}

/** A piece of the key that no shortening leaves out by itself. */
const isQuoted = (value: unknown) =>
  JSON.stringify(value).includes(KEY.slice(3, 20)) || JSON.stringify(value).includes(Buffer.from(KEY).toString('base64').slice(0, 20));

for (const status of [400, 401, 500]) {
  test(`a key quoted in an answer with ${status} is in no failure, of a live call or any other`, async (t) => {
    const { provider, quoted } = await openQuotingProvider(t, status);
    const { signal } = new AbortController();
    const live = await provider.callEndpoint({ url: '/v1/chat/completions', body: '{}', customId: 'a', signal });
    assert.ok(live.status === 'failed' && /no: \[key\]/.test(live.failure.message), JSON.stringify(live));
    assert.equal(isQuoted([live.failure.message, live.failure.refusal]), false);
    await assert.rejects(
      provider.retrieveBatch('batch_1', signal),
      (error: Error) => /\[key\]/.test(error.message) && !isQuoted(error.message),
    );
    assert.equal(quoted(), 2);
  });
}
