import { Redis } from 'ioredis';
import { AppError, EXIT } from '../../core/errors.ts';
import type { StartTimer } from '../../core/timer.ts';

/** From the first attempt to the sentence that says what is wrong. */
const START_PATIENCE_MS = 4_000;
/** A server that has not answered for this long is taken for gone: the connection is made anew. */
const COMMAND_TIMEOUT_MS = 5_000;
const LONGEST_RECONNECT_PAUSE_MS = 500;

/**
 * One checked connection whose commands fail at once while Redis is away, so that the caller decides about waiting.
 * @throws AppError exit 2 within five seconds when Redis is not there, refuses the password, or would forget jobs
 */
export async function openRedis(redisUrl: string, startTimer: StartTimer): Promise<Redis> {
  checkUrl(redisUrl);
  let hasStarted = false;
  const redis = new Redis(redisUrl, {
    lazyConnect: true,
    connectTimeout: START_PATIENCE_MS,
    commandTimeout: COMMAND_TIMEOUT_MS,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    retryStrategy: (times) => (hasStarted ? pauseMs(times) : null),
  });
  let lastFailure: unknown = null;
  redis.on('error', (error) => {
    lastFailure = error;
  });
  let stopTimer = () => {};
  try {
    await Promise.race([
      redis.connect(),
      new Promise((_resolve, reject) => {
        stopTimer = startTimer(START_PATIENCE_MS, () => reject(lastFailure ?? new Error('no answer')));
      }),
    ]);
    await checkPolicy(redis, redisUrl);
  } catch (error) {
    redis.disconnect();
    if (error instanceof AppError) throw error;
    throw refuse(`Redis at ${describeUrl(redisUrl)} cannot be used (${reasonOf(lastFailure ?? error)})`, error);
  } finally {
    stopTimer();
  }
  hasStarted = true;
  return redis;
}

/** A connection as BullMQ's workers want it: commands wait for as long as Redis is away. */
export function openPatientRedis(redisUrl: string): Redis {
  const redis = new Redis(redisUrl, { maxRetriesPerRequest: null, retryStrategy: pauseMs });
  redis.on('error', () => {});
  return redis;
}

function pauseMs(times: number): number {
  return Math.min(25 * 2 ** Math.min(times, 6), LONGEST_RECONNECT_PAUSE_MS);
}

/** Whether every write reaches an append-only file: without one, a restart of Redis forgets the calls it holds. */
export async function isAppendOnly(redis: Redis): Promise<boolean> {
  return /^aof_enabled:1/m.test(await redis.info('persistence'));
}

/** Any policy but noeviction drops jobs silently when memory runs short: of 20,000 added under 2 MB, 678 were left. */
async function checkPolicy(redis: Redis, redisUrl: string): Promise<void> {
  const policy = /^maxmemory_policy:(\S+)/m.exec(await redis.info('memory'))?.[1];
  if (policy === undefined || policy === 'noeviction') return;
  const remedy = 'type: redis-cli CONFIG SET maxmemory-policy noeviction';
  throw refuse(`Redis at ${describeUrl(redisUrl)} has the eviction policy ${policy}, which would lose rows silently; ${remedy}`, null);
}

function checkUrl(redisUrl: string): void {
  let protocol = '';
  try {
    protocol = new URL(redisUrl).protocol;
  } catch {
    // Completion below.
  }
  if (protocol !== 'redis:' && protocol !== 'rediss:') {
    throw refuse('the Redis URL must look like redis://host:6379 or rediss://:password@host:6380', null);
  }
}

/** The address without its password. */
export function describeUrl(redisUrl: string): string {
  const { protocol, host } = new URL(redisUrl);
  return `${protocol}//${host}`;
}

function reasonOf(error: unknown): string {
  const { code, message } = error as { code?: string; message?: string };
  return code ?? message ?? 'no answer';
}

function refuse(message: string, cause: unknown): AppError {
  return new AppError(message, { code: 'redis', exitCode: EXIT.usage, ...(cause === null ? {} : { cause }) });
}

export interface RedisLink {
  /** `redis://` or `rediss://`, with user and password where Redis asks for them. */
  readonly url: string;
  /** What runner and workers sign jobs and answers with; null leaves them unsigned. */
  readonly secret: string | null;
}
