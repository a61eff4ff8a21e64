import assert from 'node:assert/strict';
import * as http from 'node:http';
import * as net from 'node:net';
import { after, before, test } from 'node:test';
import * as v8 from 'node:v8';
import * as vm from 'node:vm';
import { startTimer } from '../src/host/real-effects.ts';
import { ApiError, type FailureKind } from '../src/openai/api-error.ts';
import { createProvider } from '../src/openai/provider.ts';
import { createManualTimers } from './helpers/manual-timers.ts';
import { wideTest } from './helpers/wide.ts';

const KEY = 'sk-canary-9Lm2Qz81TtVv';

/** What the server does with the next request; the default answers with a batch. */
let act: (request: http.IncomingMessage, response: http.ServerResponse) => void;
let requests = 0;
let server: http.Server;
let url = '';

before(async () => {
  server = http.createServer((request, response) => {
    requests += 1;
    request.resume().on('end', () => act(request, response));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as net.AddressInfo).port}/v1`;
});

after(() => {
  server.closeAllConnections();
  server.close();
});

/** Those of a call whose deadline is not real. */
const timers = createManualTimers();

async function create(options: { baseUrl?: string; signal?: AbortSignal; callTimeoutMs?: number } = {}) {
  const provider = await createProvider({
    apiKey: KEY,
    baseUrl: options.baseUrl ?? url,
    clock: () => new Date('2026-11-22T00:00:00Z'),
    startTimer: options.callTimeoutMs === undefined ? timers.startTimer : startTimer,
    callTimeoutMs: options.callTimeoutMs ?? 5_000,
  });
  return provider.createBatch({
    inputFileId: 'file-1',
    endpoint: '/v1/chat/completions',
    metadata: {},
    signal: options.signal ?? new AbortController().signal,
  });
}

async function failCreate(options: Parameters<typeof create>[0] = {}): Promise<ApiError> {
  requests = 0;
  try {
    await create(options);
  } catch (error) {
    assert.ok(error instanceof ApiError, String(error));
    return error;
  }
  return assert.fail('the call succeeded');
}

/** An answer with these headers and body. */
function answer(status: number, body: unknown, headers: Record<string, string> = {}): typeof act {
  return (_request, response) => {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    response.writeHead(status, { 'content-type': typeof body === 'string' ? 'text/html' : 'application/json', ...headers });
    response.end(text);
  };
}

const error = (code: string | null, message = 'why') => ({ error: { message, type: 't', param: null, code } });
const HTML = '<!DOCTYPE html><html><body>Bad gateway</body></html>';
const json = { 'content-type': 'application/json' };

/** Every row of the classifier's table, as the SDK shows it. */
const CASES: readonly { title: string; act: typeof act; kind: FailureKind; exitCode?: number; code?: string }[] = [
  { title: 'a connection reset after the request', act: (request) => request.socket.resetAndDestroy(), kind: 'unknown' },
  { title: 'a connection closed without an answer', act: (request) => request.socket.destroy(), kind: 'unknown' },
  { title: 'no answer at all', act: () => timers.fire(), kind: 'unknown' },
  {
    title: 'a body that breaks off',
    act: (_request, response) => {
      response.writeHead(200, { ...json, 'content-length': '900' });
      response.write('{"id":"batch_1",', () => response.destroy());
    },
    kind: 'unknown',
  },
  {
    title: 'a body that stalls',
    act: (_request, response) => {
      response.writeHead(200, json);
      response.write('{"id":', () => timers.fire());
    },
    kind: 'unknown',
  },
  { title: 'JSON that is cut', act: answer(200, '{"id":"batch_1","sta', json), kind: 'unknown' },
  { title: 'an empty 200', act: answer(200, '', json), kind: 'unknown' },
  {
    title: 'a 204',
    act: (_request, response) => {
      response.writeHead(204);
      response.end();
    },
    kind: 'unknown',
  },
  { title: 'a page with status 200', act: answer(200, HTML), kind: 'unknown' },
  { title: 'JSON null', act: answer(200, 'null', json), kind: 'unknown' },
  { title: 'another shape', act: answer(200, { hello: 'world' }), kind: 'unknown' },
  { title: 'damaged gzip', act: answer(200, 'this is not gzip', { ...json, 'content-encoding': 'gzip' }), kind: 'unknown' },
  { title: '400', act: answer(400, error('invalid_value')), kind: 'permanent', code: 'invalid_value' },
  { title: '400 without a code', act: answer(400, error(null)), kind: 'permanent', code: 'http_400' },
  { title: '404', act: answer(404, error(null)), kind: 'permanent' },
  { title: '413 in a page', act: answer(413, HTML), kind: 'permanent' },
  { title: '422', act: answer(422, error(null)), kind: 'permanent' },
  { title: '400 in a page', act: answer(400, HTML), kind: 'permanent' },
  ...[408, 409, 500, 502, 503, 504, 529].map((status) => ({
    title: `${status} in the API's words`,
    act: answer(status, error(null)),
    kind: 'again' as const,
  })),
  ...[500, 502, 503, 504].map((status) => ({ title: `${status} in a page`, act: answer(status, HTML), kind: 'unknown' as const })),
  { title: '500 without a body', act: answer(500, ''), kind: 'unknown' },
  { title: '429 too fast', act: answer(429, error('rate_limit_exceeded', 'Rate limit reached. Please try again in 644ms.')), kind: 'wait' },
  {
    title: '429 for a request that can never fit',
    act: answer(429, error('rate_limit_exceeded', 'Request too large for gpt-4o on tokens per min (TPM): Limit 30000, Requested 31538.')),
    kind: 'permanent',
  },
  { title: '429 without money', act: answer(429, error('insufficient_quota')), kind: 'stop', exitCode: 5 },
  { title: '400 at the hard limit', act: answer(400, error('billing_hard_limit_reached')), kind: 'stop', exitCode: 5 },
  { title: '401', act: answer(401, error('invalid_api_key')), kind: 'stop', exitCode: 4 },
  { title: '401 in a page', act: answer(401, HTML), kind: 'stop', exitCode: 4 },
  { title: '403', act: answer(403, error(null)), kind: 'stop', exitCode: 4 },
  { title: '404 for the model', act: answer(404, error('model_not_found')), kind: 'stop', exitCode: 4 },
  ...[301, 302, 303, 307, 308].map((status) => ({
    title: `a redirect ${status}`,
    act: answer(status, '', { location: 'https://elsewhere.example/v1' }),
    kind: 'stop' as const,
    exitCode: 2,
    code: 'redirect',
  })),
];

for (const { title, act: wanted, kind, exitCode, code } of CASES) {
  test(`${title} is ${kind}, after one request`, { timeout: 60_000 }, async () => {
    act = wanted;
    const failure = await failCreate();
    assert.equal(failure.kind, kind, failure.message);
    assert.equal(requests, 1, 'nothing repeats a paid call');
    if (exitCode !== undefined) assert.equal(failure.exitCode, exitCode);
    if (code !== undefined) assert.equal(failure.code, code);
    if (code === 'redirect') assert.match(failure.message, /elsewhere\.example/);
  });
}

test('calls that never left are distinguished: a closed port may pass, an unknown host and failed TLS are a reason to stop', async () => {
  const closed = net.createServer();
  await new Promise<void>((resolve) => closed.listen(0, '127.0.0.1', resolve));
  const { port } = closed.address() as net.AddressInfo;
  await new Promise((resolve) => closed.close(resolve));
  act = answer(200, {});
  for (const [baseUrl, kind, exitCode] of [
    [`http://127.0.0.1:${port}/v1`, 'not-sent', 7],
    ['http://no-such-host.invalid/v1', 'stop', 4],
    [url.replace('http:', 'https:'), 'stop', 4],
  ] as const) {
    const failure = await failCreate({ baseUrl });
    assert.deepEqual([failure.kind, failure.exitCode, requests], [kind, exitCode, 0], `${baseUrl}: ${failure.code}`);
    if (kind === 'stop') assert.match(failure.message, /the base URL/);
  }
});

wideTest('a deadline survives garbage collection', { timeout: 60_000 }, async () => {
  v8.setFlagsFromString('--expose-gc');
  const collectGarbage = vm.runInNewContext('gc') as () => void;
  const collecting = setInterval(collectGarbage, 5);
  try {
    act = () => {};
    const failure = await failCreate({ callTimeoutMs: 150 });
    assert.equal(failure.kind, 'unknown');
  } finally {
    clearInterval(collecting);
  }
});

test("the caller's own abort is passed on unchanged", async () => {
  const abort = new AbortController();
  const reason = new Error('enough');
  act = () => abort.abort(reason);
  await assert.rejects(create({ signal: abort.signal }), (thrown) => thrown === reason);
});

test('a key that a provider repeats in its message does not get into ours', async () => {
  act = answer(401, error('invalid_api_key', `Incorrect API key provided: ${KEY}. Get one at the site.`));
  const failure = await failCreate();
  assert.ok(!`${failure.message} ${failure.stack} ${JSON.stringify(failure)}`.includes(KEY.slice(0, 12)), failure.message);
});

test('the environment cannot change where a call goes or which key it carries', async () => {
  const changed = {
    OPENAI_BASE_URL: 'http://127.0.0.1:9/v1',
    OPENAI_CUSTOM_HEADERS: 'authorization: Bearer sk-another',
    OPENAI_LOG: 'debug',
  };
  const kept = Object.fromEntries(Object.keys(changed).map((name) => [name, process.env[name]]));
  Object.assign(process.env, changed);
  try {
    const seen: http.IncomingHttpHeaders[] = [];
    act = (request, response) => {
      seen.push(request.headers);
      answer(200, { id: 'batch_1', status: 'validating', input_file_id: 'file-1' })(request, response);
    };
    assert.equal((await create()).id, 'batch_1');
    assert.equal(seen[0]?.authorization, `Bearer ${KEY}`);
  } finally {
    for (const [name, value] of Object.entries(kept)) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  }
});
