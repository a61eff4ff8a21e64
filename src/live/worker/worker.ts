import { setMaxListeners } from 'node:events';
import type { Redis } from 'ioredis';
import { type AppError, UsageError } from '../../core/errors.ts';
import { describeUrl, makeStartError, openPatientRedis, openRedis } from '../redis/connection.ts';
import { makeRegistryKey } from '../redis/keys.ts';
import { RedisWatch } from '../redis/watch.ts';
import type { WorkerOptions } from './context.ts';
import { type ServedQueue, serveQueue } from './queue.ts';
import { sleepUntilAny } from './wait.ts';

/** A new run waits at most this long until its model is served. */
const LOOK_MS = 100;
const LOCK_MS = 5_000;
/** How long calls in flight have to be delivered when Redis refuses us for good. */
const DRAIN_MS = 30_000;

/**
 * Serves the calls of every run with this key and base URL, until `draining` fires.
 * @throws AppError exit 2 if Redis cannot be used; exit 5 if it later refuses with an error that cannot pass, after calls in flight have ended
 */
export async function runWorker(given: WorkerOptions): Promise<void> {
  if (!Number.isInteger(given.concurrency) || given.concurrency < 1) throw new UsageError('--concurrency must be a whole number from 1');
  const registry = makeRegistryKey(given);
  const redis = await openServed(given, registry);
  const refusal = createRefusal(given);
  const options = { ...given, draining: refusal.draining, ending: refusal.ending };
  // Every slot listens to the same two signals.
  setMaxListeners(0, options.draining, options.ending);
  const watch = new RedisWatch({
    redis,
    redisUrl: options.redisUrl,
    nowMs: options.monotonicMs,
    tell: (message) => options.log('warn', 'redis', { message }),
    afterwards: 'the worker ends, start it again then',
  });
  const onRedisFailure = (error: unknown) => {
    if (options.ending.aborted) return;
    const end = watch.onFailure(error);
    if (end !== null) refusal.end(end);
  };
  // Anything still waiting for Redis then fails at once.
  options.ending.addEventListener('abort', () => redis.disconnect(), { once: true });
  const openPatient = (gone: AbortSignal) => openPatientRedis(options.redisUrl, gone);
  const served = new Map<string, ServedQueue>();
  const refused = new Set<string>();
  options.log('info', 'ready', { redis: describeUrl(options.redisUrl), worker: options.workerId, concurrency: options.concurrency });
  try {
    while (!options.draining.aborted) {
      for (const model of await readModels()) {
        if (served.has(model) || refused.has(model)) continue;
        if (options.ceilings.models?.has(model) === false) {
          refused.add(model);
          options.log('warn', 'model-not-allowed', { model: model.slice(0, 60) });
          continue;
        }
        options.log('info', 'serving', { model });
        const lockMs = options.lockMs ?? LOCK_MS;
        served.set(model, serveQueue({ ...options, lockMs, model, redis, openPatient, onRedisFailure }));
      }
      await sleepUntilAny(options.sleep, LOOK_MS, [options.draining]);
    }
    options.log('info', 'draining');
    await Promise.all([...served.values()].map((queue) => queue.drain()));
    options.log('info', 'drained');
  } finally {
    refusal.dispose();
    redis.disconnect();
  }
  if (refusal.error !== null) throw refusal.error;

  async function readModels(): Promise<readonly string[]> {
    try {
      return await redis.smembers(registry);
    } catch (error) {
      onRedisFailure(error);
      return [];
    }
  }
}

/** The connection of a worker, which has checked that it may read what to serve: on a node of a cluster the keys may be elsewhere. */
async function openServed({ redisUrl, startTimer }: WorkerOptions, registry: string): Promise<Redis> {
  const redis = await openRedis(redisUrl, startTimer);
  try {
    await redis.smembers(registry);
    return redis;
  } catch (error) {
    redis.disconnect();
    throw makeStartError(error, redisUrl);
  }
}

/** The user's signals, joined by an end of our own: a Redis that refuses us for good. */
function createRefusal({ draining, ending, startTimer }: WorkerOptions) {
  const [refused, isOver] = [new AbortController(), new AbortController()];
  let error: AppError | null = null;
  let dispose = () => {};
  return {
    draining: AbortSignal.any([draining, refused.signal]),
    ending: AbortSignal.any([ending, isOver.signal]),
    get error() {
      return error;
    },
    /** The first reason counts. */
    end(reason: AppError): void {
      if (error !== null) return;
      error = reason;
      refused.abort(reason);
      dispose = startTimer(DRAIN_MS, () => isOver.abort(reason));
    },
    dispose: () => dispose(),
  };
}
