import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { startTimer } from '../../src/host/real-effects.ts';
import { type InProcessWorker, startWorker } from './in-process-worker.ts';
import { borrowRedis } from './redis-server.ts';
import { CANARY_KEY, type Ended, makeWorld, type RunChange, type World, type WorldOptions } from './run-world.ts';

/** A world whose live calls are made by workers over Redis, on real time: they live by the same clock as their Redis. */
export interface RedisJobWorld {
  readonly world: World;
  run(change?: RunChange): Promise<Ended>;
  /** Ends the workers, and starts as many over the simulator of the moment. */
  replaceWorkers(): Promise<void>;
}

export async function makeRedisJobWorld(t: TestContext, options: WorldOptions & { readonly workers?: number }): Promise<RedisJobWorld> {
  const { workers: count = 1, ...worldOptions } = options;
  const redis = await borrowRedis();
  let workers: readonly InProcessWorker[] = [];
  const drain = () => Promise.all(workers.map((worker) => worker.drain()));
  // In this order: a worker without its Redis would wait for it.
  t.after(() => drain().then(() => redis.stop()));
  const world = await makeWorld(t, { virtualTime: false, now: Date.now, ...worldOptions });
  const start = () =>
    Promise.all(
      Array.from({ length: count }, () =>
        startWorker({ redisUrl: redis.url, baseUrl: world.simulator.url, apiKey: CANARY_KEY, concurrency: 3 }),
      ),
    );
  workers = await start();
  const effects = {
    ...world.effects,
    random: Math.random,
    clock: () => new Date(),
    startTimer,
    sleep: async (milliseconds: number, signal: AbortSignal) => sleep(milliseconds, undefined, { signal }),
  };
  return {
    world,
    run: (change = {}) =>
      world.run({
        overrides: { cwd: world.directory, input: null, out: null, mode: 'live' },
        redis: { url: redis.url, secret: null },
        effects,
        ...change,
      }),
    async replaceWorkers() {
      await drain();
      workers = await start();
    },
  };
}
