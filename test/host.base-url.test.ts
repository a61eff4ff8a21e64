import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isLinkLocalAddress, isPrivateAddress, isPrivateName } from '../src/core/bounds/private-address.ts';
import { UsageError } from '../src/core/errors.ts';
import { chooseBaseUrl } from '../src/host/base-url.ts';

const KEY = { OPENAI_API_KEY: 'sk-test' };

/** Base URLs that are taken, and as what. */
const TAKEN: readonly [url: string, env: Record<string, string>, chosen: string][] = [
  ['https://host.example/v1', KEY, 'https://host.example/v1'],
  ['https://host.example/v1//', KEY, 'https://host.example/v1'],
  [' https://host.example/v1 ', KEY, 'https://host.example/v1'],
  ['http://127.0.0.1:8000/v1', KEY, 'http://127.0.0.1:8000/v1'],
  ['http://localhost:8000/v1', KEY, 'http://localhost:8000/v1'],
  ['http://[::1]:8000/v1', KEY, 'http://[::1]:8000/v1'],
  ['http://192.168.1.20:8000/v1', {}, 'http://192.168.1.20:8000/v1'],
  ['http://10.0.0.7/v1', {}, 'http://10.0.0.7/v1'],
  ['http://172.20.3.4/v1', {}, 'http://172.20.3.4/v1'],
  ['http://[fd00::1]:8000/v1', {}, 'http://[fd00::1]:8000/v1'],
  ['http://gpu:11434/v1', {}, 'http://gpu:11434/v1'],
  ['http://gpu.internal/v1', { OPENAI_API_KEY: ' ' }, 'http://gpu.internal/v1'],
  ['http://192.168.1.20:8000/v1', { ...KEY, ROWMILL_HTTP_HOSTS: 'a, 192.168.1.20' }, 'http://192.168.1.20:8000/v1'],
  ['http://GPU.example:8000/v1', { ...KEY, ROWMILL_HTTP_HOSTS: 'gpu.example:8000' }, 'http://GPU.example:8000/v1'],
];

for (const [url, env, chosen] of TAKEN)
  test(`${url} is accepted with ${JSON.stringify(env)}`, () => assert.equal(chooseBaseUrl(url, env), chosen));

const REFUSED: readonly [url: string, env: Record<string, string>, says: RegExp][] = [
  ['host.example/v1', {}, /not a URL; use for example --base-url https:\/\/host\.example\/v1$/],
  ['localhost:8080/v1', {}, /not a URL; use for example --base-url http:\/\/localhost:8080\/v1$/],
  ['localhost:11434', {}, /--base-url http:\/\/localhost:11434\/v1$/],
  ['192.168.1.20:8000/v1', {}, /--base-url http:\/\/192\.168\.1\.20:8000\/v1$/],
  ['host.example:8443/v1', {}, /--base-url https:\/\/host\.example:8443\/v1$/],
  ['//', {}, /--base-url http:\/\/127\.0\.0\.1:8080\/v1$/],
  ['ftp://host.example/v1', {}, /must begin with https/],
  ['https://user:secret@host.example/v1', {}, /a key does not belong in the URL/],
  ['https://host.example/v1?api-version=2024-06-01', KEY, /no query.*Azure's v1 API needs no version: https:\/\/host\.example\/openai\/v1/],
  ['https://host.example/v1?key=abc', KEY, /^UsageError: base URL https:\/\/host\.example\/v1: the paths of calls follow it/],
  ['https://host.example/v1#top', KEY, /no fragment/],
  ['https://host.example/v1?', KEY, /no query/],
  ['https://host.example/v1#', KEY, /no fragment/],
  ['https://host.example/v1/chat/completions', KEY, /use --base-url https:\/\/host\.example\/v1$/],
  ['https://host.example/v1/models/', KEY, /use --base-url https:\/\/host\.example\/v1$/],
  ['http://host.example/v1', {}, /https only/],
  ['http://192.0.2.1/v1', {}, /https only/],
  ['http://169.254.169.254/v1', {}, /https only/],
  ['http://[fe80::1]/v1', {}, /https only/],
  ['http://192.168.1.20:8000/v1', KEY, /ROWMILL_HTTP_HOSTS=192\.168\.1\.20:8000/],
  ['http://192.168.1.20:8000/v1', { OPENAI_API_KEY_FILE: '/key' }, /unset OPENAI_API_KEY and OPENAI_API_KEY_FILE/],
  ['http://192.168.1.20:8000/v1', { ...KEY, ROWMILL_HTTP_HOSTS: '192.168.1.20:9000' }, /ROWMILL_HTTP_HOSTS/],
];

for (const [url, env, says] of REFUSED) {
  test(`${url} is refused with ${JSON.stringify(env)}`, () => {
    assert.throws(
      () => chooseBaseUrl(url, env),
      (error) => error instanceof UsageError && says.test(String(error)) && !/secret|abc/.test(String(error)),
    );
  });
}

test("a flag takes precedence over the environment, our variable over OpenAI's, and the default comes last", () => {
  const env = { ROWMILL_BASE_URL: 'https://b.example/v1', OPENAI_BASE_URL: 'https://c.example/v1' };
  assert.equal(chooseBaseUrl('https://a.example/v1', env), 'https://a.example/v1');
  assert.equal(chooseBaseUrl(undefined, env), 'https://b.example/v1');
  assert.equal(chooseBaseUrl('', { ...env, ROWMILL_BASE_URL: '' }), 'https://c.example/v1');
  assert.equal(chooseBaseUrl(undefined, {}), 'https://api.openai.com/v1');
});

test('addresses of private networks are recognised in every notation', () => {
  const isPrivate = [
    '10.1.2.3',
    '127.0.0.1',
    '169.254.169.254',
    '172.31.0.1',
    '192.168.0.1',
    '100.64.0.1',
    '0.0.0.0',
    '::1',
    '[::1]',
    '::',
    'fe80::1',
    'fd12::1',
  ];
  const isMapped = ['::ffff:127.0.0.1', '::ffff:7f00:1', '[::ffff:a9fe:a9fe]', '::ffff:192.168.0.1'];
  for (const address of [...isPrivate, ...isMapped]) assert.equal(isPrivateAddress(address), true, address);
  for (const address of ['8.8.8.8', '172.32.0.1', '2606:4700::1', '::ffff:8.8.8.8', 'localhost', 'host.example', ''])
    assert.equal(isPrivateAddress(address), false, address);
  for (const address of ['169.254.169.254', '::ffff:a9fe:a9fe', 'fe80::1']) assert.equal(isLinkLocalAddress(address), true, address);
  assert.equal(isLinkLocalAddress('10.0.0.1'), false);
  for (const name of ['gpu', 'gpu.local', 'a.b.internal', 'nas.home.arpa']) assert.equal(isPrivateName(name), true, name);
  for (const name of ['gpu.example', 'local.example', '10.0.0.1', '[::1]']) assert.equal(isPrivateName(name), false, name);
});
