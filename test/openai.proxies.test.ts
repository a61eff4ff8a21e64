import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import * as https from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { UsageError } from '../src/core/errors.ts';
import { startTimer } from '../src/host/real-effects.ts';
import { ApiError } from '../src/openai/api-error.ts';
import { createProvider } from '../src/openai/provider.ts';
import { openWay } from '../src/openai/transport/open-fetch.ts';
import { startSimulator } from '../src/simulator/start.ts';
import { startConnectProxy } from './helpers/connect-proxy.ts';
import { PROGRAM } from './helpers/program.ts';
import { projectRoot } from './helpers/project-root.ts';
import { wideTest } from './helpers/wide.ts';

const VARIABLES = ['HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY', 'http_proxy', 'https_proxy', 'no_proxy'];
const CERTIFICATE = join(projectRoot, 'test', 'tls', 'localhost.crt');
const signal = new AbortController().signal;

/** With these settings and no others. */
async function withEnvironment<T>(settings: Record<string, string>, work: () => Promise<T>): Promise<T> {
  const kept = VARIABLES.map((name) => [name, process.env[name]] as const);
  for (const name of VARIABLES) delete process.env[name];
  Object.assign(process.env, settings);
  try {
    return await work();
  } finally {
    for (const [name, value] of kept) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  }
}

/** Asks for the models of a base URL, as it goes with these settings. */
async function listModels(settings: Record<string, string>, baseUrl: string): Promise<readonly string[]> {
  return withEnvironment(settings, async () => {
    const provider = await createProvider({ apiKey: 'sk-test', baseUrl, clock: () => new Date(), startTimer });
    return (await provider.listModels(signal)).map(({ id }) => id);
  });
}

async function failToList(settings: Record<string, string>, baseUrl: string): Promise<ApiError> {
  try {
    await listModels(settings, baseUrl);
  } catch (error) {
    assert.ok(error instanceof ApiError, String(error));
    return error;
  }
  return assert.fail('the call succeeded');
}

/** An API behind TLS whose certificate nobody has signed but itself. */
async function startSecureServer(t: TestContext): Promise<string> {
  const folder = join(projectRoot, 'test', 'tls');
  const server = https.createServer(
    { key: readFileSync(join(folder, 'localhost.key')), cert: readFileSync(join(folder, 'localhost.crt')) },
    (_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end('{"object":"list","data":[{"id":"secure-model"}]}');
    },
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  return `https://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
}

async function startPlainServer(t: TestContext): Promise<{ readonly url: string; readonly address: string }> {
  const simulator = await startSimulator();
  t.after(() => simulator.close());
  return { url: simulator.url, address: new URL(simulator.url).host };
}

test('calls go through the proxy named by the environment, with its user, in upper or lower case', async (t) => {
  const { address } = await startPlainServer(t);
  for (const name of ['HTTP_PROXY', 'http_proxy']) {
    const proxy = await startConnectProxy(t, { lead: () => address });
    const models = await listModels({ [name]: proxy.url.replace('//', '//me:pass%21@') }, 'http://api.example/v1');
    assert.ok(models.length > 0);
    assert.deepEqual(proxy.asked, [{ target: 'api.example:80', user: 'me:pass!' }]);
  }
});

test('HTTPS_PROXY is used for https, and hosts in NO_PROXY and this machine are reached without it', async (t) => {
  const { url, address } = await startPlainServer(t);
  const secure = await startSecureServer(t);
  const proxy = await startConnectProxy(t, { lead: (target) => (target.endsWith(':443') ? new URL(secure).host : address) });
  const settings = { HTTPS_PROXY: proxy.url };
  // The certificate is for this machine: that it is looked at shows that the tunnel was used to its end.
  const failure = await failToList(settings, 'https://api.example/v1');
  assert.match(failure.code, /SELF_SIGNED|ALTNAME/);
  assert.deepEqual(proxy.asked, [{ target: 'api.example:443', user: null }]);
  assert.ok((await listModels(settings, url)).length > 0);
  const exempt = await failToList({ ...settings, NO_PROXY: '.invalid' }, 'https://no-such-host.invalid/v1');
  assert.equal(exempt.code, 'ENOTFOUND');
  const none = await failToList({ ...settings, NO_PROXY: '*' }, 'https://no-such-host.invalid/v1');
  assert.equal(none.code, 'ENOTFOUND');
  assert.equal(proxy.asked.length, 1);
});

test('calls and uploads arrive complete through the proxy', async (t) => {
  const { address } = await startPlainServer(t);
  const proxy = await startConnectProxy(t, { lead: () => address });
  await withEnvironment({ HTTP_PROXY: proxy.url }, async () => {
    const provider = await createProvider({ apiKey: 'sk-test', baseUrl: 'http://api.example/v1', clock: () => new Date(), startTimer });
    const path = join(projectRoot, 'package.json');
    const body = '{"model":"gpt-4o-mini","messages":[{"role":"user","content":"hi"}]}';
    const answered = await provider.callEndpoint({ url: '/v1/chat/completions', body, customId: 'a', signal });
    assert.equal(answered.status, 'answered');
    await assert.rejects(provider.uploadFile({ path, filename: 'package.json', signal }), /Must be \.jsonl/);
    assert.deepEqual(provider.proxy, { variable: 'HTTP_PROXY', host: new URL(proxy.url).host, exempt: '' });
  });
  assert.ok(proxy.asked.length > 0);
});

for (const status of [403, 407, 502]) {
  test(`a proxy that answers ${status} is a reason to stop, naming the variable to check`, async (t) => {
    const proxy = await startConnectProxy(t, { refuse: status });
    const failure = await failToList({ HTTPS_PROXY: proxy.url.replace('//', '//me:topsecret@') }, 'https://api.example/v1');
    assert.deepEqual([failure.kind, failure.exitCode, proxy.asked.length], ['stop', 4, 1], failure.message);
    assert.match(
      failure.message,
      new RegExp(`the proxy 127\\.0\\.0\\.1:\\d+ .* api\\.example \\(it answers ${status}\\).*HTTPS_PROXY.*NO_PROXY`),
    );
    assert.doesNotMatch(failure.message, /topsecret/);
  });
}

test('an untrusted certificate and an unknown host are reasons to stop, each with what to set', async (t) => {
  const untrusted = await failToList({}, await startSecureServer(t));
  assert.deepEqual([untrusted.kind, untrusted.exitCode], ['stop', 4]);
  assert.match(untrusted.message, /certificate of 127\.0\.0\.1:\d+ is not trusted .*NODE_EXTRA_CA_CERTS/);
  const unknown = await failToList({}, 'https://no-such-host.invalid/v1');
  assert.deepEqual([unknown.kind, unknown.exitCode], ['stop', 4]);
  assert.match(
    unknown.message,
    /there is no host no-such-host\.invalid: check that this machine is online, and that the base URL .* is right; .*HTTPS_PROXY/,
  );
  const noProxy = await failToList({ HTTPS_PROXY: 'http://no-such-proxy.invalid:3128' }, 'https://api.example/v1');
  assert.match(noProxy.message, /there is no host no-such-proxy\.invalid, which HTTPS_PROXY names/);
});

test('the same failure after an answer may pass: the provider was reached before', async (t) => {
  const { url } = await startPlainServer(t);
  const provider = await createProvider({ apiKey: 'sk-test', baseUrl: url, clock: () => new Date(), startTimer });
  await provider.listModels(signal);
  const way = globalThis.fetch;
  t.after(() => {
    globalThis.fetch = way;
  });
  globalThis.fetch = async () => {
    throw Object.assign(new TypeError('fetch failed'), {
      cause: Object.assign(new Error('getaddrinfo ENOTFOUND api.example'), { code: 'ENOTFOUND' }),
    });
  };
  await assert.rejects(provider.listModels(signal), (error) => error instanceof ApiError && error.kind === 'not-sent');
});

test('an invalid proxy address is reported by its variable, and never shown', async () => {
  for (const text of ['socks5://me:topsecret@host:1', 'http://', 'http://me:topsecret@:bad']) {
    await assert.rejects(
      openWay({ HTTPS_PROXY: text }),
      (error) =>
        error instanceof UsageError &&
        /^UsageError: HTTPS_PROXY is not a proxy address/.test(String(error)) &&
        !/topsecret/.test(String(error)),
    );
  }
  assert.equal((await openWay({ HTTPS_PROXY: 'proxy.example:3128' })).proxy?.host, 'proxy.example:3128');
  assert.equal((await openWay({ HTTPS_PROXY: '' })).proxy, null);
});

wideTest('doctor names the proxy and the certificates, and a certificate in NODE_EXTRA_CA_CERTS is trusted', async (t) => {
  const secure = await startSecureServer(t);
  const run = async (env: Record<string, string>) => {
    const { PATH = '', HOME = '' } = process.env;
    const child = spawn(process.execPath, [PROGRAM, 'doctor', '--base-url', secure], {
      env: { PATH, HOME, OPENAI_API_KEY: 'sk-test', ...env },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let stdout = '';
    child.stdout.on('data', (chunk) => {
      stdout += chunk;
    });
    const [exitCode] = await once(child, 'close');
    return { exitCode, stdout };
  };
  const bare = await run({});
  assert.equal(bare.exitCode, 4);
  assert.match(bare.stdout, /models.*not trusted.*NODE_EXTRA_CA_CERTS/);
  const trusting = await run({
    NODE_EXTRA_CA_CERTS: CERTIFICATE,
    HTTPS_PROXY: 'http://me:topsecret@proxy.example:3128',
    NO_PROXY: 'a.example',
  });
  assert.equal(trusting.exitCode, 0, trusting.stdout);
  assert.match(
    trusting.stdout,
    /proxy +calls go through proxy\.example:3128 \(HTTPS_PROXY\), but not to a\.example \(NO_PROXY\); certificates of .*localhost\.crt are trusted too/,
  );
  assert.match(trusting.stdout, /models +1 model\b/);
  assert.doesNotMatch(trusting.stdout, /topsecret/);
});
