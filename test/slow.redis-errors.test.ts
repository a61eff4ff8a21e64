import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { AppError, EXIT } from '../src/core/errors.ts';
import { KEY_COMMANDS, OTHER_COMMANDS } from '../src/live/redis/rights.ts';
import { type InProcessWorker, startWorker } from './helpers/in-process-worker.ts';
import { type RedisServer, startRedis, whyNoRedisServer } from './helpers/redis-server.ts';
import { PASSING_TROUBLES, TROUBLE_SETTINGS } from './helpers/redis-trouble.ts';
import { makeCall, openTestQueue, TestBooks } from './helpers/redis-world.ts';
import { CANARY_KEY, makeRows, makeWorld, type RunChange, type World } from './helpers/run-world.ts';

const ROWS = 60;
const USER = 'known:secret-word';

interface Scene {
  readonly world: World;
  readonly server: RedisServer;
  readonly admin: Redis;
  run(change?: RunChange): ReturnType<World['run']>;
  work(): Promise<InProcessWorker>;
  /** Resolves when so many calls are on the provider's bill. */
  billed(calls: number): Promise<void>;
}

/** A run and its workers over a Redis of their own, as a user of Redis that may be changed. */
async function makeScene(
  t: TestContext,
  options: { settings?: readonly string[]; latencyMs?: number; rights?: readonly string[] } = {},
): Promise<Scene> {
  const server = await startRedis({ settings: options.settings ?? TROUBLE_SETTINGS });
  const admin = new Redis(server.url);
  admin.on('error', () => {});
  const workers: InProcessWorker[] = [];
  t.after(async () => {
    await Promise.all(workers.map((worker) => worker.end()));
    admin.disconnect();
    await server.stop();
  });
  await allow(admin, options.rights);
  const url = server.url.replace('//', `//${USER}@`);
  const world = await makeWorld(t, { virtualTime: false, now: Date.now, rows: makeRows(ROWS), latencyMs: options.latencyMs ?? 20 });
  const effects = {
    ...world.effects,
    random: Math.random,
    clock: () => new Date(),
    sleep: async (milliseconds: number, signal: AbortSignal) => sleep(milliseconds, undefined, { signal }),
  };
  return {
    world,
    server,
    admin,
    run: (change = {}) =>
      world.run({
        overrides: { cwd: world.directory, input: null, out: null, mode: 'live' },
        redis: { url, secret: null },
        effects,
        ...change,
      }),
    async work() {
      const worker = await startWorker({ redisUrl: url, baseUrl: world.simulator.url, apiKey: CANARY_KEY, concurrency: 4 });
      workers.push(worker);
      return worker;
    },
    async billed(calls) {
      while (world.simulator.bill().length < calls) await sleep(2);
    },
  };
}

async function allow(admin: Redis, rights: readonly string[] = ['+@all']): Promise<void> {
  await admin.call('ACL', 'SETUSER', 'known', 'on', '>secret-word', '~rowmill*', ...rights);
}

const count = (lines: readonly string[], text: RegExp) => lines.filter((line) => text.test(line)).length;

describe('a Redis that answers with an error during work', { skip: whyNoRedisServer() }, () => {
  for (const trouble of PASSING_TROUBLES) {
    test(`${trouble.word} is reported and waited for, and the run ends as it would have; nothing is paid for twice`, async (t) => {
      const scene = await makeScene(t);
      const worker = await scene.work();
      let isOver = false;
      let onWarned = () => {};
      const warned = new Promise<void>((resolve) => {
        onWarned = resolve;
      });
      const running = scene.run({ warn: (message) => trouble.says.test(message) && onWarned() }).finally(() => {
        isOver = true;
      });
      await scene.billed(15);
      await trouble.begin(scene.admin, scene.server);
      await Promise.race([warned, running]);
      assert.equal(isOver, false);
      await trouble.end(scene.admin, scene.server);
      const { summary } = await running;
      assert.deepEqual([summary.exitCode, summary.rows.ok, summary.attempts.unknown], [0, ROWS, 0]);
      assert.equal(scene.world.simulator.bill().length, ROWS);
      assert.ok(count(worker.log, /^warn redis /) <= 3, worker.log.join('\n'));
      assert.equal(count(worker.log, /cannot be reached|could not be reached/), 0);
    });
  }

  for (const [what, begin, end, says] of [
    ['a right taken away', ['-xrange'], ['+@all'], /does not allow its user to run XRANGE \(NOPERM\)/],
    ['a password changed', ['resetpass', '>another'], ['resetpass', '>secret-word'], /refuses the user or the password.*\(WRONGPASS\)/],
  ] as const) {
    test(`${what} ends the run with exit 5 and one sentence; the same command continues, and nothing is paid for twice unreported`, async (t) => {
      const scene = await makeScene(t);
      await scene.work();
      const running = scene.run();
      await scene.billed(15);
      await scene.admin.call('ACL', 'SETUSER', 'known', ...begin);
      await scene.admin.call('CLIENT', 'KILL', 'USER', 'known');
      const { summary } = await running;
      assert.equal(summary.exitCode, 5);
      assert.match(summary.verdict, says);
      assert.doesNotMatch(summary.verdict, /secret-word|be reached/);
      // Begun anew before it is mended, the run has still paid for rows: that is no exit 2.
      await assert.rejects(scene.run(), ({ message, exitCode }: AppError) => exitCode === EXIT.stopped && says.test(message));
      await scene.admin.call('ACL', 'SETUSER', 'known', ...end);
      await scene.work();
      const again = await scene.run();
      assert.deepEqual([again.summary.exitCode, again.summary.rows.ok], [0, ROWS]);
      // An answer the worker held when it was shut out is lost: it is counted, and asked for again.
      const untold = scene.world.simulator.bill().length - ROWS - summary.attempts.unknown - again.summary.attempts.unknown;
      assert.ok(untold <= 0, `${untold} paid twice`);
    });
  }

  test('a worker that loses a right it needs ends with exit 5 and one sentence, and another one continues', async (t) => {
    const scene = await makeScene(t);
    const worker = await scene.work();
    const running = scene.run();
    await scene.billed(15);
    await scene.admin.call('ACL', 'SETUSER', 'known', '-bzpopmin');
    await scene.admin.call('CLIENT', 'KILL', 'USER', 'known');
    await assert.rejects(worker.ended, (error: AppError) => {
      assert.equal(error.exitCode, EXIT.stopped);
      assert.match(error.message, /does not allow its user to run BZPOPMIN \(NOPERM\).*start it again then$/);
      return true;
    });
    await scene.admin.call('ACL', 'SETUSER', 'known', '+@all');
    await scene.work();
    const { summary } = await running;
    assert.deepEqual([summary.exitCode, summary.rows.ok], [0, ROWS]);
    assert.equal(scene.world.simulator.bill().length, ROWS);
  });
});

describe('the end of the time to finish', { skip: whyNoRedisServer() }, () => {
  const interrupted = () => new AppError('interrupted', { code: 'interrupted', exitCode: EXIT.terminated });

  for (const [what, disturb, mend] of [
    ['gone', ({ server }: Scene) => server.kill(), ({ server, admin }: Scene) => server.restart().then(() => allow(admin))],
    // Commands are neither answered nor refused.
    [
      'silent',
      async ({ server }: Scene) => {
        const other = new Redis(server.url, { retryStrategy: () => null });
        other.on('error', () => {});
        other.call('DEBUG', 'SLEEP', '60').catch(() => {});
        await once(other, 'ready');
      },
      ({ server, admin }: Scene) => server.restart().then(() => allow(admin)),
    ],
    [
      'full',
      async ({ admin }: Scene) => void (await admin.config('SET', 'maxmemory', '1')),
      async ({ admin }: Scene) => void (await admin.config('SET', 'maxmemory', '0')),
    ],
  ] as const) {
    test(`ends a run and a worker whose Redis is ${what}, with calls in flight; their answers are kept`, async (t) => {
      const scene = await makeScene(t, { latencyMs: 50 });
      const worker = await scene.work();
      const [stopping, ending] = [new AbortController(), new AbortController()];
      const running = scene.run({ stopping: stopping.signal, signal: ending.signal });
      await scene.billed(8);
      await disturb(scene);
      stopping.abort(interrupted());
      // The thirty seconds are over.
      ending.abort(interrupted());
      await assert.rejects(running, (error: AppError) => error.code === 'interrupted' && error.exitCode === EXIT.terminated);
      await worker.end();
      // The state is whole: with a Redis that works, the same command goes on, and what may have been paid twice is counted.
      await mend(scene);
      assert.deepEqual(await scene.admin.keys('rowmill:*:failed'), [], 'a failed job is taken up by nobody');
      await scene.work();
      const { summary } = await scene.run();
      assert.deepEqual([summary.exitCode, summary.rows.ok], [0, ROWS]);
      assert.ok(scene.world.simulator.bill().length - ROWS <= summary.attempts.unknown);
    });
  }
});

describe('the rights of a user of Redis', { skip: whyNoRedisServer() }, () => {
  const rights = [...OTHER_COMMANDS, ...KEY_COMMANDS].map((name) => `+${name.toLowerCase()}`);

  test('the documented ones are enough for a run and its workers, and for stopping it', async (t) => {
    const scene = await makeScene(t, { rights });
    const [first, second] = [await scene.work(), await scene.work()];
    const stopping = new AbortController();
    const running = scene.run({ stopping: stopping.signal });
    await scene.billed(10);
    stopping.abort(new AppError('interrupted', { code: 'interrupted', exitCode: EXIT.interrupted }));
    assert.equal((await running).summary.exitCode, EXIT.interrupted);
    await second.drain();
    const { summary } = await scene.run();
    assert.deepEqual([summary.exitCode, summary.rows.ok], [0, ROWS]);
    assert.equal(scene.world.simulator.bill().length, ROWS);
    assert.equal(count(first.log, /^(warn|error) /), 0, first.log.join('\n'));
    const denied = (await scene.admin.call('ACL', 'LOG')) as unknown[];
    assert.deepEqual(denied, []);
  });

  test('each missing one is named when work begins', async (t) => {
    const scene = await makeScene(t, { rights });
    const url = scene.server.url.replace('//', `//${USER}@`);
    const needed = [...KEY_COMMANDS, 'INFO', 'TIME', 'EVAL', 'EVALSHA'];
    for (const name of needed) {
      await scene.admin.call('ACL', 'SETUSER', 'known', `-${name}`);
      const refusal = await openTestQueue(url, { keyFingerprint: 'k' }).then(
        async (queue) => {
          await queue.close();
          return { exitCode: 0, message: `begins without ${name}` };
        },
        (error: AppError) => error,
      );
      assert.match(refusal.message, new RegExp(`does not allow its user to run ${name} \\(NOPERM\\)`));
      assert.equal(refusal.exitCode, EXIT.usage);
      await scene.admin.call('ACL', 'SETUSER', 'known', `+${name}`);
    }
  });
});

describe('a Redis in a cluster', { skip: whyNoRedisServer() }, () => {
  test('a single node with all slots can carry a run', async (t) => {
    const scene = await makeScene(t, { settings: ['--cluster-enabled', 'yes'] });
    await scene.admin.call('CLUSTER', 'ADDSLOTSRANGE', '0', '16383');
    while (!String(await scene.admin.call('CLUSTER', 'INFO')).includes('cluster_state:ok')) await sleep(20);
    await scene.work();
    const { summary } = await scene.run();
    assert.deepEqual([summary.exitCode, summary.rows.ok], [0, ROWS]);
  });

  test('one of two nodes is refused with one sentence', async (t) => {
    const nodes = await Promise.all([1, 2].map(() => startRedis({ settings: ['--cluster-enabled', 'yes'] })));
    const admins = nodes.map(({ url }) => new Redis(url));
    t.after(async () => {
      for (const admin of admins) admin.disconnect();
      await Promise.all(nodes.map((node) => node.stop()));
    });
    const [first, second] = admins as [Redis, Redis];
    await first.call('CLUSTER', 'ADDSLOTSRANGE', '0', '8191');
    await second.call('CLUSTER', 'ADDSLOTSRANGE', '8192', '16383');
    await first.call('CLUSTER', 'MEET', '127.0.0.1', new URL((nodes[1] as RedisServer).url).port);
    for (const admin of admins) while (!String(await admin.call('CLUSTER', 'INFO')).includes('cluster_state:ok')) await sleep(20);
    const refusals: string[] = [];
    for (const { url } of nodes) {
      try {
        const queue = await openTestQueue(url, { keyFingerprint: 'k' });
        await queue.attach(new TestBooks()).finally(() => queue.close());
      } catch (error) {
        assert.equal((error as AppError).exitCode, EXIT.usage);
        refusals.push((error as AppError).message);
      }
    }
    assert.ok(refusals.length >= 1, 'each key lies on one of them only');
    for (const message of refusals) assert.match(message, /is one node of a cluster.*\(MOVED\)$/);
  });
});

test('calls are handed over only as far as the memory of Redis allows', { skip: whyNoRedisServer() }, async (t) => {
  const server = await startRedis();
  const admin = new Redis(server.url);
  t.after(async () => {
    admin.disconnect();
    await server.stop();
  });
  const used = Number(/used_memory:(\d+)/.exec(await admin.info('memory'))?.[1]);
  await admin.config('SET', 'maxmemory', used + 8_000_000);
  const warnings: string[] = [];
  const queue = await openTestQueue(server.url, { keyFingerprint: 'k', warn: (message) => warnings.push(message) });
  await queue.attach(new TestBooks());
  let added = 0;
  const filling = (async () => {
    for (; added < 5_000; added += 1) await queue.add(makeCall(added));
  })();
  const isFull = sleep(4_000, 'full');
  assert.equal(await Promise.race([filling, isFull]), 'full');
  assert.ok(added > 300, `only ${added} calls`);
  assert.equal(count(warnings, /OOM/), 0);
  assert.equal(await admin.set('another', 'still fits'), 'OK');
  await queue.close();
  await filling;
});

test('transient errors are waited for even if work begins long after the connection was checked', {
  skip: whyNoRedisServer(),
}, async (t) => {
  const server = await startRedis();
  const admin = new Redis(server.url);
  t.after(async () => {
    admin.disconnect();
    await server.stop();
  });
  let onWarned: (message: string) => void = () => {};
  const warned = new Promise<string>((resolve) => {
    onWarned = resolve;
  });
  const queue = await openTestQueue(server.url, { keyFingerprint: 'k', warn: (message) => /OOM/.test(message) && onWarned(message) });
  await admin.config('SET', 'maxmemory', '1');
  const attached = queue.attach(new TestBooks());
  assert.match(await warned, /is full.*waiting until that has passed/);
  await admin.config('SET', 'maxmemory', '0');
  assert.deepEqual(await attached, []);
  await queue.close();
});
