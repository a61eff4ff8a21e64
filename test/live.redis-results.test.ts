import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Redis } from 'ioredis';
import { readResults } from '../src/live/redis/read-results.ts';
import { borrowRedis, whyNoRedis } from './helpers/redis-server.ts';

describe('results of workers', { skip: whyNoRedis() }, () => {
  test('are read a few megabytes at a time, a larger one alone, and in order', async (t) => {
    const server = await borrowRedis();
    const redis = new Redis(server.url);
    const results = `rowmill-results-${process.pid}`;
    t.after(async () => {
      await redis.del(results);
      redis.disconnect();
      await server.stop();
    });
    const megabytes = [3, 4, 2, 9, 1, 0, 0];
    for (const count of megabytes) await redis.xadd(results, '*', 'text', 'x'.repeat(count * 2 ** 20));
    const rounds: number[][] = [];
    for (let from = '-'; ; ) {
      const round = await readResults(redis, results, from);
      const last = round.at(-1);
      if (last === undefined) break;
      rounds.push(round.map(([, fields]) => (fields[1] ?? '').length / 2 ** 20));
      from = `(${last[0]}`;
    }
    assert.deepEqual(rounds, [[3, 4], [2], [9], [1, 0, 0]]);
  });
});
