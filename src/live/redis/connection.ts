import type { Redis } from 'ioredis';
import { AppError, EXIT } from '../../core/errors.ts';
import type { StartTimer } from '../../core/timer.ts';
import { type ErrorReply, readErrorReply, refusedRight } from './error-reply.ts';
import { GroupedRedis } from './grouped-redis.ts';
import { findRefusedCommands } from './rights.ts';

/** From the first attempt to the message that says what is wrong. */
const START_PATIENCE_MS = 4_000;
/** A server that has not answered for this long counts as gone: the connection is opened again. */
const COMMAND_TIMEOUT_MS = 5_000;
const LONGEST_RECONNECT_PAUSE_MS = 500;
/** After this long, the connection is closed without a goodbye from the server. */
const GOODBYE_MS = 200;
/** The client's wording for a lost connection. */
const LOST = /connection is closed|connection close|isn't writeable/i;

/**
 * A checked connection whose commands fail at once while Redis is unavailable, so that the caller decides about waiting.
 * @throws AppError exit 2 within five seconds if Redis is unavailable, answers with an error, refuses a command we need, or would drop jobs
 */
export async function openRedis(redisUrl: string, startTimer: StartTimer): Promise<Redis> {
  checkUrl(redisUrl);
  let hasStarted = false;
  const redis = new GroupedRedis(redisUrl, {
    lazyConnect: true,
    connectTimeout: START_PATIENCE_MS,
    commandTimeout: COMMAND_TIMEOUT_MS,
    disconnectTimeout: GOODBYE_MS,
    disableClientInfo: true,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    // A server that is still loading reports that, instead of being waited for in silence.
    enableReadyCheck: false,
    reconnectOnError: isDemoted,
    retryStrategy: (times) => (hasStarted ? pauseMs(times) : null),
  });
  let lastFailure: unknown = null;
  redis.on('error', (error) => {
    lastFailure = error;
  });
  let stopTimer = () => {};
  try {
    await Promise.race([
      connect(redis),
      new Promise((_resolve, reject) => {
        stopTimer = startTimer(START_PATIENCE_MS, () => reject(lastFailure ?? new Error('no answer')));
      }),
    ]);
    // A wrong database number is reported but not thrown: another database would be used.
    if (lastFailure !== null) throw lastFailure;
    await checkPolicy(redis, redisUrl);
    const refused = await findRefusedCommands(redis);
    if (refused.length > 0) throw refuse(describeReply(refusedRight(`to run ${refused.join(', ')}`), redisUrl), null);
  } catch (error) {
    redis.disconnect();
    if (error instanceof AppError) throw error;
    throw makeStartError(lastFailure ?? error, redisUrl);
  } finally {
    stopTimer();
  }
  hasStarted = true;
  return redis;
}

async function connect(redis: Redis): Promise<void> {
  await redis.connect();
  // Requires the rights for the handshake as well, which is awaited.
  await redis.info('server');
}

/** What prevents the start of work, as its final message. */
export function makeStartError(error: unknown, redisUrl: string): AppError {
  const reply = readErrorReply(error);
  const message = reply === null ? `Redis at ${describeUrl(redisUrl)} cannot be used (${reasonOf(error)})` : describeReply(reply, redisUrl);
  return refuse(message, error);
}

/** A primary became a replica: the host name may resolve to the new primary by now. */
function isDemoted({ message }: Error): boolean {
  return message.startsWith('READONLY') || message.startsWith('UNBLOCKED');
}

/** A connection for BullMQ's workers, and the ones it duplicates: commands wait as long as Redis is unavailable, until `gone` fires. */
export function openPatientRedis(redisUrl: string, gone: AbortSignal): Redis {
  const retryStrategy = (times: number) => (gone.aborted ? null : pauseMs(times));
  const redis = new GroupedRedis(redisUrl, {
    maxRetriesPerRequest: null,
    disconnectTimeout: GOODBYE_MS,
    disableClientInfo: true,
    enableReadyCheck: false,
    reconnectOnError: isDemoted,
    retryStrategy,
  });
  redis.on('error', () => {});
  return redis;
}

function pauseMs(times: number): number {
  return Math.min(25 * 2 ** Math.min(times, 6), LONGEST_RECONNECT_PAUSE_MS);
}

/** Whether every write reaches an append-only file: without one, a restart of Redis loses its calls. */
export async function isAppendOnly(redis: Redis): Promise<boolean> {
  return /^aof_enabled:1/m.test(await redis.info('persistence'));
}

/** How many more bytes Redis may use under its `maxmemory`; null if it has no limit. */
export async function readMemoryRoom(redis: Redis): Promise<number | null> {
  const memory = await redis.info('memory');
  const read = (name: string) => Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(memory)?.[1] ?? 0);
  const most = read('maxmemory');
  return most === 0 ? null : Math.max(0, most - read('used_memory'));
}

/** Any policy but noeviction silently drops jobs when memory runs short: of 20,000 added under 2 MB, 678 were left. */
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

/** A reply of Redis as a sentence, with the address and without its password. */
export function describeReply(reply: ErrorReply, redisUrl: string): string {
  return `Redis at ${describeUrl(redisUrl)} ${reply.sentence}`;
}

/** Whether an error comes from Redis or the connection to it; BullMQ has some of its own. */
export function isOfRedis(error: Error): boolean {
  if (readErrorReply(error) !== null) return true;
  return /^E[A-Z]+$/.test(reasonOf(error)) || LOST.test(error.message) || /timed out/.test(error.message);
}

/** Why Redis did not answer, in a few words. */
export function reasonOf(error: unknown): string {
  const { code, message = '' } = (error ?? {}) as { code?: string; message?: string };
  if (code !== undefined) return code;
  if (/timed out/.test(message)) return 'no answer';
  // ioredis's message for bytes that are not a reply.
  if (/^Unknown RESP type/.test(message)) return 'the server there is not a Redis';
  return LOST.test(message) ? 'the connection was lost' : message || 'no answer';
}

function refuse(message: string, cause: unknown): AppError {
  return new AppError(message, { code: 'redis', exitCode: EXIT.usage, ...(cause === null ? {} : { cause }) });
}

export interface RedisLink {
  /** `redis://` or `rediss://`, with user and password if Redis requires them. */
  readonly url: string;
  /** The secret with which runner and workers sign jobs and answers; null leaves them unsigned. */
  readonly secret: string | null;
}
