import assert from 'node:assert/strict';
import * as net from 'node:net';
import { describe, test } from 'node:test';
import { createWorld, REVIEW_JOB, REVIEWS } from './helpers/command-line.ts';
import { createManualTimers } from './helpers/manual-timers.ts';
import { startRedis, whyNoRedisServer } from './helpers/redis-server.ts';
import { openTestQueue } from './helpers/redis-world.ts';
import { CANARY_KEY } from './helpers/run-world.ts';

describe('a Redis that cannot be used', { skip: whyNoRedisServer() }, () => {
  async function refusalOf(redisUrl: string, startTimer = createManualTimers().startTimer): Promise<{ message: string; exitCode: number }> {
    try {
      await (await openTestQueue(redisUrl, { keyFingerprint: 'k', startTimer })).close();
    } catch (error) {
      const { message, exitCode } = error as { message: string; exitCode: number };
      return { message, exitCode };
    }
    throw new Error('it was used');
  }

  test('one that is not there is reported in one sentence, immediately, without its password', async () => {
    const server = await startRedis();
    await server.stop();
    const { message, exitCode } = await refusalOf(server.url.replace('//', '//:secret@'));
    assert.equal(exitCode, 2);
    assert.match(message, /^Redis at redis:\/\/127\.0\.0\.1:\d+ cannot be used \(ECONNREFUSED\)$/);
  });

  test('one that accepts the connection and never answers is given up', async (t) => {
    const timers = createManualTimers();
    const silent = net.createServer((socket) => socket.once('data', timers.fire));
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    t.after(() => silent.close());
    const { port } = silent.address() as net.AddressInfo;
    const { message, exitCode } = await refusalOf(`redis://127.0.0.1:${port}`, timers.startTimer);
    assert.equal(exitCode, 2);
    assert.match(message, /cannot be used \(no answer\)$/);
  });

  test('a server that is not a Redis is reported as such', async (t) => {
    const web = net.createServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    await new Promise<void>((resolve) => web.listen(0, '127.0.0.1', resolve));
    t.after(() => web.close());
    const { port } = web.address() as net.AddressInfo;
    const { message, exitCode } = await refusalOf(`redis://127.0.0.1:${port}`);
    assert.equal(exitCode, 2);
    assert.match(message, /cannot be used \(the server there is not a Redis\)$/);
  });

  test('one that would drop jobs when memory runs short is refused', async () => {
    const server = await startRedis({ settings: ['--maxmemory-policy', 'allkeys-lru'] });
    const { message, exitCode } = await refusalOf(server.url);
    await server.stop();
    assert.equal(exitCode, 2);
    assert.match(message, /eviction policy allkeys-lru.*CONFIG SET maxmemory-policy noeviction/);
  });

  test('a wrong password is reported, and the right one works', async () => {
    const server = await startRedis({ settings: ['--requirepass', 'correct'] });
    const { message, exitCode } = await refusalOf(server.url.replace('//', '//:wrong@'));
    assert.equal(exitCode, 2);
    assert.match(message, /WRONGPASS|NOAUTH/);
    assert.doesNotMatch(message, /wrong@|:wrong/);
    await (await openTestQueue(server.url.replace('//', '//:correct@'), { keyFingerprint: 'k' })).close();
    await server.stop();
  });

  test('one without an append-only file is used, with a warning', async () => {
    for (const appendOnly of [true, false]) {
      const server = await startRedis({ appendOnly });
      const warnings: string[] = [];
      await (await openTestQueue(server.url, { keyFingerprint: 'k', warn: (message) => warnings.push(message) })).close();
      await server.stop();
      assert.equal(warnings.length, appendOnly ? 0 : 1);
    }
  });

  test('an invalid address is reported', async () => {
    assert.match((await refusalOf('localhost:6379')).message, /must look like redis:\/\//);
  });
});

test('a Redis that is not there when a run begins ends it with exit 2 and one sentence', async (t) => {
  const world = createWorld({ 'reviews.csv': REVIEWS, 'job.yaml': REVIEW_JOB });
  t.after(() => world.dispose());
  const at = ['--base-url', 'http://127.0.0.1:9/v1', '--redis', 'redis://:secret-word@127.0.0.1:9'];
  const { exitCode, stdout, stderr } = await world.run(['run', 'job.yaml', '--mode', 'live', ...at], { OPENAI_API_KEY: CANARY_KEY });
  assert.equal(exitCode, 2);
  assert.match(stderr, /Redis at redis:\/\/127\.0\.0\.1:9 cannot be used \(ECONNREFUSED\)/);
  assert.doesNotMatch(stdout + stderr, /secret-word/);
});
