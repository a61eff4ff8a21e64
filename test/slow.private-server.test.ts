import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { type TestContext, test } from 'node:test';
import type { Summary } from '../src/core/summary.ts';
import { CANARY_KEY, createWorld, type World } from './helpers/command-line.ts';
import { PROFILES, type ProviderProfile } from './helpers/provider-profiles.ts';
import { type ProviderStub, startProviderStub } from './helpers/provider-stub.ts';
import { borrowRedis, whyNoRedis } from './helpers/redis-server.ts';
import { endProcess } from './helpers/redis-world.ts';
import { makeJobText, makeRows, renderCsv } from './helpers/run-world.ts';

const BASE_URL = 'http://gpu.internal/v1';
const VLLM = PROFILES.find(({ name }) => name === 'vLLM before 2024-10') as ProviderProfile;

/** A server of a private network: its name means something only to the proxy that leads to it. */
async function makePrivateServer(t: TestContext): Promise<{ readonly world: World; readonly stub: ProviderStub }> {
  const stub = await startProviderStub(t, VLLM);
  const world = createWorld({ 'in.csv': renderCsv(makeRows(3)), 'job.yaml': makeJobText('model: some-model') });
  t.after(() => world.dispose());
  return { world, stub };
}

test('a server in a private network is used over plain http without a key, through a proxy', async (t) => {
  const { world, stub } = await makePrivateServer(t);
  const env = { HTTP_PROXY: stub.proxyUrl };
  const { exitCode, stderr } = await world.spawn(['run', 'job.yaml', '--mode', 'live', '--base-url', BASE_URL, '--yes'], env);
  assert.equal(exitCode, 0, stderr);
  assert.match(stderr, /Talking to http:\/\/gpu\.internal\/v1/);
  assert.match(stderr, /gpu\.internal calls the output cap max_tokens \(it refused max_completion_tokens with 400\); this is remembered/);
  assert.deepEqual([stub.keys, stub.answered.length], [new Set(['Bearer none']), 3]);
  assert.equal(fs.existsSync(path.join(world.folder, 'out.csv')), true);
});

test('with a key in the environment the host has to be listed, and then gets the key', async (t) => {
  const { world, stub } = await makePrivateServer(t);
  const env = { HTTP_PROXY: stub.proxyUrl, OPENAI_API_KEY: CANARY_KEY };
  const args = ['run', 'job.yaml', '--mode', 'live', '--base-url', BASE_URL, '--yes'];
  const refused = await world.run(args, env);
  assert.deepEqual([refused.exitCode, stub.requests.length], [2, 0]);
  assert.match(refused.stderr, /ROWMILL_HTTP_HOSTS=gpu\.internal/);
  const { exitCode } = await world.spawn(args, { ...env, ROWMILL_HTTP_HOSTS: 'gpu.internal' });
  assert.deepEqual([exitCode, stub.keys], [0, new Set([`Bearer ${CANARY_KEY}`])]);
});

test('workers use the proxy too, and learn on their own what the address wants', { skip: whyNoRedis() }, async (t) => {
  const { world, stub } = await makePrivateServer(t);
  const redis = await borrowRedis();
  const worker = world.start(['worker', '--redis', redis.url, '--concurrency', '2'], {
    HTTP_PROXY: stub.proxyUrl,
    ROWMILL_BASE_URL: BASE_URL,
  });
  let log = '';
  worker.stdout?.on('data', (chunk) => {
    log += chunk;
  });
  t.after(async () => {
    await endProcess(worker, 'SIGTERM');
    await redis.stop();
  });
  // The run's own process reaches nothing: its proxy leads nowhere.
  const args = ['run', 'job.yaml', '--mode', 'live', '--base-url', BASE_URL, '--redis', redis.url, '--yes', '--json'];
  const ended = await world.spawn(args, { HTTP_PROXY: 'http://127.0.0.1:9' });
  assert.equal(ended.exitCode, 0, ended.stderr);
  assert.equal((JSON.parse(ended.stdout) as Summary).rows.ok, 3);
  assert.ok(stub.answered.every((body) => body.max_tokens === 100));
  assert.match(log, /calls the output cap max_tokens/);
});
