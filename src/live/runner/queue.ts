import { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import type { Request } from '../../core/request.ts';
import type { StartTimer } from '../../core/timer.ts';
import type { CallOwner, CallQueue, LiveCall, QueueView } from '../queue.ts';
import { describeUrl, isAppendOnly, isOfRedis, makeStartError, openRedis } from '../redis/connection.ts';
import { makeQueueName, makeSharedKeys, makeStateKeys, type QueueIdentity, REDIS_PREFIX } from '../redis/keys.ts';
import type { SharedLimits } from '../redis/limits.ts';
import { retryUntilAnswered } from '../redis/retry.ts';
import { RedisPatience, RedisWatch } from '../redis/watch.ts';
import { createSharedPace, type SharedPace } from './pace.ts';
import { RunnerLoop } from './runner-loop.ts';
import { CallWindow, type HeldCall, WINDOW_LIMITS, type WindowLimits } from './window.ts';

export interface BullmqQueueOptions {
  readonly redisUrl: string;
  /** The id of the state directory whose calls these are. */
  readonly state: string;
  readonly identity: QueueIdentity;
  readonly limits: SharedLimits;
  /** The body a worker sends for a request; the request's own without it. */
  readonly deliver?: (request: Request) => string;
  /** `ROWMILL_QUEUE_SECRET`; null if none is set. */
  readonly secret: string | null;
  readonly clock: () => Date;
  readonly random: () => number;
  readonly sleep: (milliseconds: number, signal: AbortSignal) => Promise<void>;
  readonly startTimer: StartTimer;
  /** Fires when nothing may be waited for any more, whatever Redis and workers still do. */
  readonly ending: AbortSignal;
  /** For a person; never row text. */
  readonly warn: (message: string) => void;
  readonly window?: WindowLimits;
  /** A worker that is silent for this long counts as dead. */
  readonly workerSilenceMs?: number;
}

const WORKER_SILENCE_MS = 8_000;
/** This many calls share the overhead of a job in Redis, BullMQ and our own bookkeeping. */
const MOST_GROUP_CALLS = 16;
/** While no worker has appeared. */
const UNKNOWN_GROUP_CALLS = 4;
/** The part of a worker's capacity that one job fills. */
const GROUP_SHARE = 0.25;
/** How many calls may be added before the loop has a turn. */
const CALLS_PER_TURN = 64;

/**
 * The queue for workers in other processes, over Redis. Redis is only transport: the ledger is the source of truth, and whatever Redis forgets is
 * added again.
 * @throws AppError exit 2 within five seconds if Redis cannot be used
 */
export async function openBullmqQueue(options: BullmqQueueOptions): Promise<CallQueue> {
  const redis = await openRedis(options.redisUrl, options.startTimer);
  if (!(await isAppendOnly(redis))) {
    options.warn(`Redis at ${describeUrl(options.redisUrl)} has no append-only file: if it restarts, its calls are put back`);
  }
  return new BullmqQueue(options, redis);
}

class BullmqQueue implements CallQueue {
  readonly isShared = true;
  readonly #options: BullmqQueueOptions;
  readonly #redis: Redis;
  readonly #queue: Queue;
  readonly #window: CallWindow;
  readonly #pace: SharedPace;
  readonly #closed = new AbortController();
  readonly #watch: RedisWatch;
  #loop: RunnerLoop | null = null;
  #added = 0;
  #lastJobNumber: number;

  constructor(options: BullmqQueueOptions, redis: Redis) {
    this.#options = options;
    this.#redis = redis;
    const nowMs = () => options.clock().getTime();
    this.#watch = new RedisWatch({
      redis,
      redisUrl: options.redisUrl,
      nowMs,
      tell: options.warn,
      afterwards: 'what is paid for is kept, and the same command continues',
    });
    this.#window = new CallWindow(options.window ?? WINDOW_LIMITS);
    this.#queue = new Queue(makeQueueName(options.identity), {
      connection: redis,
      prefix: REDIS_PREFIX,
      skipVersionCheck: true,
      // Nobody reads BullMQ's events; ends travel in our own stream.
      streams: { events: { maxLen: 100 } },
    });
    this.#queue.on('error', () => {});
    this.#pace = createSharedPace({
      redis,
      shared: makeSharedKeys(makeQueueName(options.identity)),
      delayedKey: this.#queue.toKey('delayed'),
      limits: options.limits,
      nowMs,
      warn: options.warn,
    });
    options.ending.addEventListener('abort', this.#end, { once: true });
    // Counts from the clock, so that no job id is repeated over restarts of this process or of Redis.
    this.#lastJobNumber = options.clock().getTime();
  }

  async attach(owner: CallOwner): Promise<readonly string[]> {
    const { identity, state, secret } = this.#options;
    const queueName = makeQueueName(identity);
    this.#loop = new RunnerLoop({
      link: { redis: this.#redis, queueName, secret },
      queue: this.#queue,
      state,
      shared: makeSharedKeys(queueName),
      keys: makeStateKeys(queueName, state),
      window: this.#window,
      pace: this.#pace,
      watch: this.#watch,
      owner,
      warn: this.#options.warn,
      sleep: this.#options.sleep,
      random: this.#options.random,
      nowMs: () => this.#options.clock().getTime(),
      deliver: this.#options.deliver ?? (({ body }) => body),
      nextJobNumber: () => {
        this.#lastJobNumber += 1;
        return this.#lastJobNumber;
      },
      groupCalls: () => this.#groupCalls,
      identity,
      limits: this.#options.limits,
      workerSilenceMs: this.#options.workerSilenceMs ?? WORKER_SILENCE_MS,
      closed: this.#closed.signal,
    });
    try {
      await this.#queue.waitUntilReady();
      return await this.#begin(this.#loop);
    } catch (error) {
      // It is unknown what is in Redis, so nothing is removed.
      this.#loop = null;
      this.#options.ending.throwIfAborted();
      throw error instanceof Error && isOfRedis(error) ? makeStartError(error, this.#options.redisUrl) : error;
    }
  }

  /** Work may start long after the connection was checked, at a deadline: what may pass is waited for here too. */
  #begin(loop: RunnerLoop): Promise<readonly string[]> {
    const patience = new RedisPatience(this.#watch);
    const onFailure = (error: unknown) => {
      if (!(error instanceof Error) || !isOfRedis(error) || this.#watch.isLasting(error)) throw error;
      const end = patience.onFailure(error);
      if (end !== null) throw end;
    };
    return retryUntilAnswered(() => loop.begin(), { sleep: this.#options.sleep, signal: this.#closed.signal, onFailure });
  }

  /** Anything waiting for Redis fails at once; calls without an end stay announced. */
  readonly #end = (): void => {
    this.#loop?.giveUp(this.#options.ending.reason);
    this.#closed.abort();
    this.#redis.disconnect();
  };

  async add(call: LiveCall): Promise<void> {
    const { customId, body } = call.request;
    const held: HeldCall = { customId, call, bodyBytes: Buffer.byteLength(body), callId: '', isAdded: false };
    this.#added += 1;
    this.#window.hold(held);
    this.#loop?.feed.add(held);
    // When rows arrive without a pause the first ones go to Redis, so that workers need not wait for all of them.
    if (this.#added % CALLS_PER_TURN === 0) await new Promise((resolve) => setImmediate(resolve));
    await this.#window.waitForRoom();
  }

  stop(): void {
    this.#loop?.stop();
  }

  async drain(): Promise<void> {
    await this.#window.waitUntilEmpty();
  }

  async holdEnds(isHeld: boolean): Promise<void> {
    await this.#loop?.holdEnds(isHeld);
  }

  get view(): QueueView {
    const { inFlight = 0, concurrency = 0 } = this.#loop?.workers ?? {};
    const waiting = Math.max(0, this.#window.held.size - inFlight);
    return { inFlight, waiting, concurrency, pace: this.#pace.view({ waiting, isFull: inFlight >= concurrency }) };
  }

  async close(): Promise<void> {
    if (this.#closed.signal.aborted && this.#loop === null) return;
    if (!this.#closed.signal.aborted && this.#window.held.size === 0) await this.#loop?.cleanUp();
    this.#options.ending.removeEventListener('abort', this.#end);
    this.#closed.abort();
    await this.#loop?.ended;
    this.#loop = null;
    this.#window.close();
    this.#redis.disconnect();
  }

  /** A job's calls go to one worker: fewer of them if workers take few at once, so that none waits there while another worker is idle. */
  get #groupCalls(): number {
    const { fewestAtOnce } = this.#loop?.workers ?? {};
    if (fewestAtOnce === undefined || fewestAtOnce === null) return UNKNOWN_GROUP_CALLS;
    return Math.min(MOST_GROUP_CALLS, Math.max(1, Math.floor(fewestAtOnce * GROUP_SHARE)));
  }
}
