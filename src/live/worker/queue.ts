import { setMaxListeners } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { DelayedError, WaitingError, Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import { createConcurrency } from '../limits/concurrency.ts';
import { createLearnedTokens } from '../limits/learned-tokens.ts';
import type { QueueLink } from '../redis/calls.ts';
import { isOfRedis } from '../redis/connection.ts';
import { makeQueueName, makeStateKeys, makeWorkerName, REDIS_PREFIX } from '../redis/keys.ts';
import { createRepeatGate } from '../redis/repeat-gate.ts';
import { CallSlots } from './call-slots.ts';
import type { HandedCall, WorkerContext, WorkerOptions } from './context.ts';
import { createHeldReservations } from './held-reservations.ts';
import { AloneGate } from './isolate.ts';
import { WorkerPresence } from './presence.ts';
import { processJob } from './process-job.ts';
import { listCalls } from './read-job.ts';
import { sleepUntilAny } from './wait.ts';

/** One model's queue, served by this process. */
export interface ServedQueue {
  /** Takes nothing new, lets calls in flight end, and gives back what has not left. */
  drain(): Promise<void>;
}

const BEAT_MS = 500;
/** How long a job we must not touch is left to other workers. */
const POSTPONE_MS = 2_000;
/** Stalls are not failures: our own marks decide what may be repeated. */
const MOST_STALLS = 1_000;

export interface ServeOptions extends WorkerOptions {
  readonly lockMs: number;
  readonly model: string;
  readonly redis: Redis;
  readonly openPatient: (gone: AbortSignal) => Redis;
  readonly onRedisFailure: (error: unknown) => void;
}

class OwnWorker extends Worker {
  /** BullMQ's own shutdown waits forever for a connection that is being opened again, and renews locks meanwhile, which keeps the process alive. */
  stopRenewing(): Promise<void> {
    return this.lockManager.close();
  }

  /** BullMQ takes further jobs when one ends, and does not check when `concurrency` was raised: it is woken as by its own `resume` (6.7.0). */
  look(): void {
    const { mainLoopQueue } = this as unknown as { readonly mainLoopQueue: { add(promise: Promise<void>): void } | null };
    mainLoopQueue?.add(Promise.resolve());
  }
}

/** Starts one BullMQ worker and its heartbeats. */
export function serveQueue(options: ServeOptions): ServedQueue {
  const queueName = makeQueueName(options);
  const link: QueueLink = { redis: options.redis, queueName, secret: options.secret };
  const presence = new WorkerPresence(makeWorkerName(options.workerId, options.concurrency), link);
  const concurrency = createConcurrency({ ceiling: options.concurrency, monotonicMs: options.monotonicMs });
  const inHand = new Map<string, readonly HandedCall[]>();
  const slots = new CallSlots(concurrency.limit, takeOn);
  const learned = createLearnedTokens();
  const context: WorkerContext = {
    ...options,
    link,
    presence,
    learned,
    held: createHeldReservations(learned),
    alone: new AloneGate(),
    slots,
    onAnswer: () => adapt(() => concurrency.onAnswer(slots.atWork)),
    onCongestion: (leftAtMs) => adapt(() => concurrency.onCongestion(leftAtMs)),
  };
  function adapt(step: () => void): void {
    const before = concurrency.limit;
    step();
    if (concurrency.limit !== before) slots.limit = concurrency.limit;
  }
  /** One job more than are in hand while a call would find a slot: how many calls it carries is known only then. */
  function takeOn(): void {
    const before = worker.concurrency;
    worker.concurrency = Math.max(1, inHand.size + (slots.hasRoom ? 1 : 0));
    if (worker.concurrency > before) setImmediate(() => worker.look());
  }
  const gone = new AbortController();
  const connection = options.openPatient(gone.signal);
  const worker = new OwnWorker(
    queueName,
    async (job, token, cancelled) => {
      const jobId = job.id ?? '';
      const queuedAt = new Date(job.timestamp);
      const signal = cancelled ?? options.ending;
      const calls = listCalls(job.name, jobId, job.data).map((call): HandedCall => ({ ...call, queuedAt, signal }));
      // Each of them listens.
      setMaxListeners(0, signal);
      inHand.set(jobId, calls);
      try {
        const working = processJob(context, calls);
        takeOn();
        const end = await working;
        if (end === 'over') return;
        if (end === 'postpone') {
          await job.moveToDelayed(options.clock().getTime() + POSTPONE_MS, token);
          throw new DelayedError();
        }
        await job.moveToWait(token);
        throw new WaitingError();
      } catch (error) {
        // Anything else would count as failed, and be taken by nobody: left as it is, the job goes back when its lock has expired.
        throw options.ending.aborted || isOfRedis(error as Error) ? new WaitingError() : error;
      } finally {
        inHand.delete(jobId);
        takeOn();
      }
    },
    {
      connection,
      prefix: REDIS_PREFIX,
      concurrency: 1,
      lockDuration: options.lockMs,
      stalledInterval: options.lockMs,
      maxStalledCount: MOST_STALLS,
      // BullMQ's pause after a lost connection; its default of 15 s would leave slots idle.
      runRetryDelay: BEAT_MS,
      // How late an idle worker may notice a job whose back-off is over.
      drainDelay: 0.25,
      removeOnComplete: { count: 0 },
      skipVersionCheck: true,
    },
  );
  const isDue = createRepeatGate(options.monotonicMs);
  worker.on('error', (error) => {
    if (isOfRedis(error)) options.onRedisFailure(error);
    else if (isDue('queue-error')) options.log('warn', 'queue-error', { message: error.message });
  });
  worker.on('lockRenewalFailed', (jobIds: readonly string[]) => {
    for (const jobId of jobIds) void cancelWhenTaken(jobId);
  });

  /** An expired lock alone takes nothing away; once the runner has given up an attempt, and this worker with it, the calls are aborted. */
  async function cancelWhenTaken(jobId: string): Promise<void> {
    for (const call of inHand.get(jobId) ?? []) {
      const own = presence.markOf(call);
      if (own === undefined) continue;
      const mark = await link.redis.hget(makeStateKeys(queueName, call.state).open, call.callId).catch(() => own);
      // An end that was delivered meanwhile has removed the mark.
      await nextTurn();
      if (mark !== own && presence.markOf(call) === own) return void worker.cancelJob(jobId, 'another worker has taken the row');
    }
  }

  options.ending.addEventListener('abort', () => worker.cancelAllJobs('the worker must end'), { once: true });
  async function keepBeating(): Promise<void> {
    while (!gone.signal.aborted) {
      await presence.beat().catch(options.onRedisFailure);
      await sleepUntilAny(options.sleep, BEAT_MS, [gone.signal]);
    }
  }
  const beating = keepBeating();

  return {
    drain: async () => {
      const closed = worker.close();
      await Promise.race([closed, untilAborted(options.ending)]);
      gone.abort();
      await beating;
      await presence.leave().catch(() => {});
      // Including what BullMQ duplicated from the connection, which would keep the process alive.
      void worker.disconnect().catch(() => {});
      await worker.stopRenewing();
      connection.disconnect();
    },
  };
}

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
