import { DelayedError, WaitingError, Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import { createConcurrency } from '../limits/concurrency.ts';
import { createLearnedTokens } from '../limits/learned-tokens.ts';
import type { QueueLink } from '../redis/calls.ts';
import { isOfRedis } from '../redis/connection.ts';
import { makeJobKey, makeQueueName, makeStateKeys, makeWorkerName, REDIS_PREFIX, readJobId } from '../redis/keys.ts';
import { createRepeatGate } from '../redis/repeat-gate.ts';
import type { WorkerContext, WorkerOptions } from './context.ts';
import { createHeldReservations } from './held-reservations.ts';
import { AloneGate } from './isolate.ts';
import { WorkerPresence } from './presence.ts';
import { processJob } from './process-job.ts';
import { sleepUntilAny } from './wait.ts';

/** One model's queue, served by this process. */
export interface ServedQueue {
  /** Takes nothing new, lets calls under way end, and gives back what has not left. */
  drain(): Promise<void>;
}

const BEAT_MS = 500;
/** A job we must not touch is left to other workers for so long. */
const POSTPONE_MS = 2_000;
/** Stalls are no failures: what may be repeated is decided by our own marks. */
const MOST_STALLS = 1_000;

export interface ServeOptions extends WorkerOptions {
  readonly lockMs: number;
  readonly model: string;
  readonly redis: Redis;
  readonly openPatient: (gone: AbortSignal) => Redis;
  readonly onRedisFailure: (error: unknown) => void;
}

/** BullMQ's own end waits for ever for a connection that is being made anew, and renews locks meanwhile, which keeps the process alive. */
class EndableWorker extends Worker {
  stopRenewing(): Promise<void> {
    return this.lockManager.close();
  }
}

/** Starts one BullMQ worker and its signs of life. */
export function serveQueue(options: ServeOptions): ServedQueue {
  const queueName = makeQueueName(options);
  const link: QueueLink = { redis: options.redis, queueName, secret: options.secret };
  const presence = new WorkerPresence(makeWorkerName(options.workerId, options.concurrency), link);
  const concurrency = createConcurrency({ ceiling: options.concurrency, monotonicMs: options.monotonicMs });
  let underWay = 0;
  const learned = createLearnedTokens();
  const context: WorkerContext = {
    ...options,
    link,
    presence,
    learned,
    held: createHeldReservations(learned),
    alone: new AloneGate(),
    onAnswer: () => adapt(() => concurrency.onAnswer(underWay)),
    onCongestion: (leftAtMs) => adapt(() => concurrency.onCongestion(leftAtMs)),
  };
  function adapt(step: () => void): void {
    step();
    worker.concurrency = concurrency.limit;
  }
  const gone = new AbortController();
  const connection = options.openPatient(gone.signal);
  const worker = new EndableWorker(
    queueName,
    async (job, token, signal) => {
      const state = job.name;
      const jobId = job.id ?? '';
      const customId = readJobId(state, jobId);
      // Not added by us: nothing about it can be believed, not even whom to tell.
      if (customId === null) return;
      const handed = { state, jobId, customId, data: job.data, queuedAt: new Date(job.timestamp), signal: signal ?? options.ending };
      underWay += 1;
      try {
        const end = await processJob(context, handed);
        if (end === 'over') return;
        if (end === 'postpone') {
          await job.moveToDelayed(options.clock().getTime() + POSTPONE_MS, token);
          throw new DelayedError();
        }
        await job.moveToWait(token);
        throw new WaitingError();
      } catch (error) {
        // Anything else would count as failed, and be taken up by nobody: left as it is, the job goes back when its lock has lapsed.
        throw options.ending.aborted || isOfRedis(error as Error) ? new WaitingError() : error;
      } finally {
        underWay -= 1;
      }
    },
    {
      connection,
      prefix: REDIS_PREFIX,
      concurrency: concurrency.limit,
      lockDuration: options.lockMs,
      stalledInterval: options.lockMs,
      maxStalledCount: MOST_STALLS,
      // A pause of BullMQ after a lost connection; its default of 15 s would leave slots idle.
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

  /** A lapsed lock alone takes nothing away; once the runner has given the attempt up, its call is aborted. */
  async function cancelWhenTaken(jobId: string): Promise<void> {
    const state = (await link.redis.hget(makeJobKey(queueName, jobId), 'name').catch(() => null)) ?? '';
    if (state === '') return;
    const mark = await link.redis.hget(makeStateKeys(queueName, state).open, jobId).catch(() => '');
    if (mark === null || (mark !== '' && !mark.startsWith(`${presence.worker}|`)))
      worker.cancelJob(jobId, 'another worker has taken the row');
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
      // Also what BullMQ made of the connection for itself, which would keep the process alive.
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
