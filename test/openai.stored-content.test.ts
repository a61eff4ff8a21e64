import assert from 'node:assert/strict';
import type * as dns from 'node:dns';
import { readFileSync } from 'node:fs';
import type { IncomingHttpHeaders } from 'node:http';
import * as http from 'node:http';
import * as https from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { startTimer } from '../src/host/real-effects.ts';
import { ApiError } from '../src/openai/api-error.ts';
import { createProvider } from '../src/openai/provider.ts';
import { openStoredContent } from '../src/openai/transport/stored-content.ts';
import { projectRoot } from './helpers/project-root.ts';
import { makeRows, makeWorld } from './helpers/run-world.ts';
import { wideTest } from './helpers/wide.ts';

const KEY = 'sk-canary-5Xq1';
const TLS = join(projectRoot, 'test', 'tls');
const certificate = readFileSync(join(TLS, 'localhost.crt'));
const signal = new AbortController().signal;

/** A provider whose files lie elsewhere. */
async function startRedirecting(t: TestContext, location: string, status = 302): Promise<{ readonly baseUrl: string }> {
  const server = http.createServer((_request, response) => void response.writeHead(status, { location }).end());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  return { baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1` };
}

/** Storage behind TLS; this process trusts its certificate. */
async function startStorage(t: TestContext, answer: (path: string) => { status: number; headers?: Record<string, string>; text?: string }) {
  const seen: IncomingHttpHeaders[] = [];
  const server = https.createServer({ key: readFileSync(join(TLS, 'localhost.key')), cert: certificate }, (request, response) => {
    seen.push(request.headers);
    const { status, headers = {}, text = '' } = answer(request.url ?? '');
    response.writeHead(status, headers).end(text);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  https.globalAgent.options.ca = certificate;
  t.after(() => {
    delete https.globalAgent.options.ca;
    https.globalAgent.destroy();
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  return { port: (server.address() as AddressInfo).port, seen };
}

const redirectTo =
  (location: string, status = 302) =>
  () =>
    Promise.reject(Object.assign(new Error('redirect'), { status, headers: new Headers({ location }) }));

async function fail(opening: Promise<unknown>): Promise<ApiError> {
  try {
    await opening;
  } catch (error) {
    assert.ok(error instanceof ApiError, String(error));
    return error;
  }
  return assert.fail('it was opened');
}

/** Where a file is never fetched from, whatever the provider says. */
const FORBIDDEN = [
  'http://storage.example/file',
  'ftp://storage.example/file',
  'file:///etc/passwd',
  '/v1/files/elsewhere',
  '',
  'https://127.0.0.1/file',
  'https://localhost/file',
  'https://[::1]/file',
  'https://10.0.0.7/file',
  'https://169.254.169.254/latest/meta-data',
  'https://[::ffff:a9fe:a9fe]/latest/meta-data',
  'https://2130706433/file',
  'https://0x7f.1/file',
  'https://storage/file',
  'https://storage.internal/file',
];

for (const location of FORBIDDEN) {
  test(`a download is not followed to "${location}"`, async (t) => {
    const { baseUrl } = await startRedirecting(t, location);
    const provider = await createProvider({ apiKey: KEY, baseUrl, clock: () => new Date(), startTimer });
    const failure = await fail(provider.openContent('file-1', signal));
    assert.deepEqual([failure.kind, failure.code], ['stop', 'redirect']);
    assert.match(failure.message, /it is not gone to/);
  });
}

/** A name server that knows one address for every name. */
const answerWith = (address: string) =>
  ((_name: string, _options: object, done: (error: null, addresses: object[]) => void) =>
    done(null, [{ address, family: address.includes(':') ? 6 : 4 }])) as unknown as typeof dns.lookup;

for (const address of ['127.0.0.1', '10.1.2.3', '169.254.169.254', '::1', '::ffff:10.0.0.1']) {
  test(`a name that resolves to ${address} is refused on lookup`, async () => {
    const open = openStoredContent(redirectTo('https://storage.example/file'), { signal, proxyFetch: null, lookup: answerWith(address) });
    const failure = await fail(open);
    assert.deepEqual([failure.kind, failure.code], ['stop', 'redirect']);
    assert.match(failure.message, /its name means a private network/);
  });
}

test('a redirect to https is followed once, without the key or any of our headers', async (t) => {
  const storage = await startStorage(t, (path) => ({ status: 200, text: `content of ${path}` }));
  for (const status of [301, 302, 303, 307, 308]) {
    const location = `https://user:pass@storage.example:${storage.port}/file?sig=1`;
    const here = { isForbidden: () => false, lookup: answerWith('127.0.0.1') };
    const open = openStoredContent(redirectTo(location, status), { signal, proxyFetch: null, ...here });
    assert.equal(await text(await open), 'content of /file?sig=1');
  }
  assert.equal(storage.seen.length, 5);
  for (const headers of storage.seen) assert.deepEqual(Object.keys(headers).toSorted(), ['connection', 'host']);
});

test('storage that redirects again, or does not return the file, is retried later', async (t) => {
  const storage = await startStorage(t, (path) =>
    path === '/403' ? { status: 403 } : { status: 302, headers: { location: 'https://other.example/' } },
  );
  for (const path of ['/403', '/again']) {
    const open = openStoredContent(redirectTo(`https://127.0.0.1:${storage.port}${path}`), {
      signal,
      proxyFetch: null,
      isForbidden: () => false,
    });
    assert.deepEqual([(await fail(open)).kind, storage.seen.length], ['again', path === '/403' ? 1 : 2]);
  }
});

test('with a proxy, storage is reached through it', async () => {
  const asked: string[] = [];
  const proxyFetch: typeof fetch = async (url, init) => {
    asked.push(`${url} ${init?.redirect} ${new Headers(init?.headers).get('authorization')}`);
    return new Response('content');
  };
  const open = openStoredContent(redirectTo('https://storage.example/file'), { signal, proxyFetch });
  assert.equal(await text(await open), 'content');
  assert.deepEqual(asked, ['https://storage.example/file manual null']);
});

wideTest(
  'a run stops with a message if its results are at an address it must not follow, and collects them once that is fixed',
  async (t) => {
    const world = await makeWorld(t, {
      rows: makeRows(3),
      faults: [
        { match: { method: 'GET', path: '/v1/files/*/content', nth: 1 }, do: { redirect: 'http://169.254.169.254/latest/meta-data' } },
      ],
    });
    const stopped = await world.run();
    world.assertFaultsFired();
    assert.deepEqual([stopped.summary.exitCode, stopped.summary.rows.pending], [5, 3]);
    assert.match(stopped.summary.verdict, /keeps the file at 169\.254\.169\.254/);
    const ended = await world.run();
    assert.deepEqual([ended.summary.exitCode, ended.summary.rows.ok, ended.summary.attempts.total], [0, 3, 3]);
    world.check(ended.summary);
  },
);
