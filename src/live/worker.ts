import { setMaxListeners } from 'node:events';
import { UsageError } from '../core/errors.ts';
import type { StartTimer } from '../core/timer.ts';
import type { MakeCall } from './call.ts';
import type { DailyAllowance } from './daily-allowance.ts';
import { describeUrl, openPatientRedis, openRedis } from './redis-connection.ts';
import { makeRegistryKey } from './redis-keys.ts';
import type { WorkerLog } from './worker-context.ts';
import type { WorkerCeilings } from './worker-job.ts';
import { type ServedQueue, serveQueue } from './worker-queue.ts';
import { sleepUntilAny } from './worker-wait.ts';

/** Everything a worker is: it keeps nothing of its own, so any number may run anywhere, and each may be killed. */
export interface WorkerOptions {
  readonly redisUrl: string;
  /** Calls under way at once, per model. Also how many calls may be paid twice when this process is killed. */
  readonly concurrency: number;
  /** The key and the base URL, from this process's environment only; they choose whose calls are served. */
  readonly keyFingerprint: string;
  readonly baseUrl: string;
  readonly makeCall: MakeCall;
  readonly ceilings: WorkerCeilings;
  readonly allowance: DailyAllowance;
  /** `ROWMILL_QUEUE_SECRET`; null where none is set. */
  readonly secret: string | null;
  readonly log: WorkerLog;
  /** Random; tells workers apart. */
  readonly workerId: string;
  readonly random: () => number;
  readonly monotonicMs: () => number;
  readonly sleep: (milliseconds: number, signal: AbortSignal) => Promise<void>;
  readonly startTimer: StartTimer;
  /** Fires on SIGTERM: nothing new is taken, calls under way end and are delivered. */
  readonly draining: AbortSignal;
  /** Fires when calls under way must end too. */
  readonly ending: AbortSignal;
  /** How soon a dead worker's jobs are found; shorter in tests. */
  readonly lockMs?: number;
}

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
