import { setMaxListeners } from 'node:events';
import { UsageError } from '../../core/errors.ts';
import { describeUrl, openPatientRedis, openRedis } from '../redis/connection.ts';
import { makeRegistryKey } from '../redis/keys.ts';
import type { WorkerOptions } from './context.ts';
import { type ServedQueue, serveQueue } from './queue.ts';
import { sleepUntilAny } from './wait.ts';

/** A run that begins waits at most so long until its model is served. */
const LOOK_MS = 100;
const LOCK_MS = 5_000;

/**
 * Serves the calls of every run that uses this key and base URL, until `draining` fires.
 * @throws AppError exit 2 when Redis cannot be used
 */
export async function runWorker(options: WorkerOptions): Promise<void> {
  if (!Number.isInteger(options.concurrency) || options.concurrency < 1)
    throw new UsageError('--concurrency must be a whole number from 1');
  // Every slot listens to the same two signals.
  setMaxListeners(0, options.draining, options.ending);
  const redis = await openRedis(options.redisUrl, options.startTimer);
  const served = new Map<string, ServedQueue>();
  const refused = new Set<string>();
  const registry = makeRegistryKey(options);
  options.log('info', 'ready', { redis: describeUrl(options.redisUrl), worker: options.workerId, concurrency: options.concurrency });
  try {
    while (!options.draining.aborted) {
      const models = await redis.smembers(registry).catch(() => []);
      for (const model of models) {
        if (served.has(model) || refused.has(model)) continue;
        if (options.ceilings.models?.has(model) === false) {
          refused.add(model);
          options.log('warn', 'model-not-allowed', { model: model.slice(0, 60) });
          continue;
        }
        options.log('info', 'serving', { model });
        const openPatient = () => openPatientRedis(options.redisUrl);
        served.set(model, serveQueue({ ...options, lockMs: options.lockMs ?? LOCK_MS, model, redis, openPatient }));
      }
      await sleepUntilAny(options.sleep, LOOK_MS, [options.draining]);
    }
    options.log('info', 'draining');
    await Promise.all([...served.values()].map((queue) => queue.drain()));
    options.log('info', 'drained');
  } finally {
    redis.disconnect();
  }
}
