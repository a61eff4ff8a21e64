import assert from 'node:assert/strict';
import * as http from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { startTimer } from '../src/host/real-effects.ts';
import { createMakeCall } from '../src/live/call.ts';
import { createProvider } from '../src/openai/provider.ts';
import { readRefusal, refusesMember } from '../src/openai/refusal.ts';
import type { Reply } from './helpers/provider-profiles.ts';
import { readShapes } from './helpers/provider-stub.ts';

let reply: Reply = { status: 500 };
let server: http.Server;
let origin = '';

before(async () => {
  server = http.createServer((request, response) => {
    request.resume().on('end', () => {
      response.writeHead(reply.status, { 'content-type': 'application/json', ...reply.headers });
      response.end(reply.text ?? JSON.stringify(reply.body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

after(() => {
  server.closeAllConnections();
  server.close();
});

const REQUEST = {
  key: 'A'.repeat(22),
  customId: 'A'.repeat(22),
  url: '/v1/chat/completions',
  body: '{"model":"gpt-x","messages":[],"max_completion_tokens":200}',
};
const { signal } = new AbortController();

/** What becomes of a row whose call is answered so until the run sends something else, by what follows. */
async function callUntilTold(basePath: string) {
  const provider = await createProvider({ apiKey: 'sk-test', baseUrl: `${origin}${basePath}`, clock: () => new Date(), startTimer });
  const makeCall = createMakeCall({ provider, makeLineId: () => 'line', clock: () => new Date(), monotonicMs: () => performance.now() });
  for (let tries = 1; ; tries += 1) {
    const outcome = await makeCall(REQUEST, { queuedAt: new Date(), signal });
    // The first answers that the address is wrong leave the row as it was.
    if (outcome.status !== 'not-sent' || tries === 3) return { outcome, cap: provider.forms.now.cap };
  }
}

const shapes = readShapes().filter(({ kind, endpoint }) => kind === 'call' && /^(\/v1)?\/chat\/completions$/.test(endpoint));

for (const shape of shapes) {
  const { name, want } = shape;
  test(`${name}: ${want.run ?? ''} ${want.outcome ?? ''}`, async () => {
    reply = shape;
    const { outcome, cap } = await callUntilTold(shape.endpoint.startsWith('/v1') ? '/v1' : '');
    const failure = outcome.status === 'answered' || outcome.status === 'not-sent' ? outcome.failure : outcome.failure;
    const said = `${failure?.message} ${failure?.code}`;
    if (want.run === 'stops') {
      assert.equal(outcome.status, 'stop', said);
      if (want.exitCode !== undefined) assert.equal(failure?.exitCode, want.exitCode, said);
    } else if (/cap-unknown/.test(name)) {
      assert.deepEqual([outcome.status, cap], ['answered', 'max_tokens'], 'the other name was tried, and refused by the same words');
    } else if (want.outcome === 'rate_limited') assert.equal(outcome.status, 'wait', said);
    else if (want.outcome === 'unknown') assert.equal(outcome.status, 'unknown', said);
    else if (want.outcome === 'not ok') assert.ok(outcome.status === 'unknown' || failure?.kind === 'again', said);
    else {
      assert.equal(outcome.status, 'answered', said);
      assert.equal(failure?.kind, want.outcome === 'server_error' ? 'again' : 'permanent', said);
      if (want.outcome === 'filtered') assert.equal(failure?.code, 'content_filter');
    }
    if (want.says !== undefined) assert.ok(said.includes(want.says), said);
  });
}

test('enough shapes of refusals are covered', () => assert.ok(shapes.length >= 50, String(shapes.length)));

/** Refusals that name the cap: only those that do not know it are about its name. */
const ABOUT_THE_CAP: readonly [body: unknown, isUnknown: boolean][] = [
  [
    {
      error: {
        message: "Unsupported parameter: 'max_completion_tokens' is not supported with this model.",
        code: 'unsupported_parameter',
        param: 'max_completion_tokens',
      },
    },
    true,
  ],
  [{ error: { message: 'Unrecognized request argument supplied: max_completion_tokens' } }, true],
  [{ error: { message: "property 'max_completion_tokens' is unsupported" } }, true],
  [{ message: "Completions.create() got an unexpected keyword argument 'max_completion_tokens'" }, true],
  [{ detail: [{ type: 'extra_forbidden', loc: ['body', 'max_completion_tokens'], msg: 'Extra inputs are not permitted' }] }, true],
  [
    {
      error: {
        message: 'max_completion_tokens is too large: 200000. This model supports at most 16384 completion tokens.',
        param: 'max_completion_tokens',
        code: 'invalid_value',
      },
    },
    false,
  ],
  [{ error: { message: 'max_completion_tokens must be at least 16', param: 'max_completion_tokens' } }, false],
  [{ detail: [{ type: 'extra_forbidden', loc: ['body', 'seed'], msg: 'Extra inputs are not permitted' }] }, false],
  [{ error: { message: 'my_max_completion_tokens: Extra inputs are not permitted' } }, false],
];

for (const [body, isUnknown] of ABOUT_THE_CAP) {
  test(`${JSON.stringify(body)} ${isUnknown ? 'does not know the cap' : 'is about something else'}`, () => {
    assert.equal(refusesMember(readRefusal(JSON.stringify(body)), 'max_completion_tokens'), isUnknown);
  });
}

test('whatever a refusal contains, its text is short, on one line and without tags, and reading it never fails', () => {
  const nested = `${'['.repeat(5_000)}${']'.repeat(5_000)}`;
  const bodies = [
    '',
    ' ',
    'null',
    '[]',
    '{}',
    '{"error":null}',
    '{"error":[]}',
    '{"message":{"detail":[1,null,{}]}}',
    nested,
    '<html>',
    '\u0000\u0001',
  ];
  for (const text of [
    ...bodies,
    `{"error":{"message":"${'x'.repeat(5_000)}"}}`,
    `<h1>${'y\n'.repeat(5_000)}`,
    JSON.stringify({ message: JSON.stringify({ message: 'inner' }) }),
  ]) {
    const { message } = readRefusal(text);
    assert.ok(message.length <= 501 && !/[<\n]/.test(message), JSON.stringify(message));
  }
  assert.equal(readRefusal(JSON.stringify({ message: JSON.stringify({ message: 'inner' }) })).message, 'inner');
});
