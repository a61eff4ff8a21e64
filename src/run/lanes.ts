import type { BatchContext } from '../batch/context.ts';
import { type BatchLane, createBatchLane } from '../batch/lane.ts';
import type { Job } from '../core/job.ts';
import type { Lane } from '../core/lane.ts';
import type { Request } from '../core/request.ts';
import type { LiveLane } from '../live/lane.ts';
import { createLocalLane, type LocalLaneOptions } from '../live/local-lane.ts';
import type { Books } from './books.ts';
import { type Budget, createRunBudget } from './budget.ts';
import { type Deadline, openDeadline } from './deadline.ts';
import { createDeadlineLane } from './deadline-lane.ts';
import type { Effects } from './effects.ts';
import { joinLanes } from './join-lanes.ts';
import type { StepOf } from './next-step.ts';
import { countOnItsWay } from './on-its-way.ts';
import type { DeadlineOptions, RedisLink } from './options.ts';
import { findUnansweredOfBatches } from './possibly-billed.ts';
import type { PreparedJob } from './prepare.ts';
import type { Preview } from './preview.ts';
import { createRestCount, estimateRestNanoUsd, type Rest } from './rest.ts';

/** From this many requests on, `mode: auto` takes the batch lane: below it the day's wait is worth more than the discount. */
const AUTO_BATCH_REQUESTS = 500;

export type LaneName = 'batch' | 'live';

/** The lane a run sends new requests to. */
export function chooseLane(mode: Job['mode'], { rows }: Pick<Preview, 'rows'>): LaneName {
  if (mode !== 'auto') return mode;
  return rows.new + rows.changed + rows.again >= AUTO_BATCH_REQUESTS ? 'batch' : 'live';
}

/** The lanes of a run: batches an earlier invocation left with the provider are collected whichever lane is sent to. */
export interface Lanes {
  readonly lane: Lane;
  readonly batch: BatchLane;
  /** Null when requests go to the batch lane to the end. */
  readonly live: LiveLane | null;
  /** Where the next request goes: it changes at a deadline. */
  readonly name: LaneName;
  /** Null without one. */
  readonly deadline: Deadline | null;
  /** Null when the run may cost whatever it costs. */
  readonly budget: Budget | null;
  close(): Promise<void>;
}

export interface LanesOptions {
  /** Where requests go at first. */
  readonly name: LaneName;
  readonly job: Job;
  readonly url: string;
  readonly run: string;
  readonly context: BatchContext;
  readonly effects: Effects;
  readonly books: Books;
  readonly preview: Preview;
  readonly stepOf: StepOf;
  readonly budgetNanoUsd: number | null;
  readonly prepared: Pick<PreparedJob, 'findPrice'>;
  /** A day whose prices count; null for the day of each answer. */
  readonly priceAsOf: string | null;
  readonly deadline: DeadlineOptions | null;
  readonly redis: RedisLink | null;
}

/**
 * @throws UsageError when a budget cannot be kept
 * @throws AppError exit 2 when the live lane is to use a Redis that cannot be used
 */
export async function openLanes(options: LanesOptions): Promise<Lanes> {
  const { context, job, books, run } = options;
  const { ledger } = context;
  const limits = { run: options.budgetNanoUsd, live: options.deadline?.maxLiveNanoUsd ?? null };
  const hasBudget = limits.run !== null || limits.live !== null;
  const { enqueuedTokens } = job.limits;
  const batch = createBatchLane(context, { model: job.model, url: options.url, enqueuedTokens, countsBytes: hasBudget });
  const budget = !hasBudget
    ? null
    : createRunBudget({
        job,
        limits,
        firstLane: options.name,
        laneNow: () => lanes.name,
        findPrice: options.prepared.findPrice,
        sets: [...ledger.fold.retrySets.values()],
        onItsWay: () => countOnItsWay(ledger, lanes, run),
        spent: () => books.ofRun(run),
        unansweredOfBatches: (bound) => findUnansweredOfBatches({ ledger, books, run, model: job.model }).nanoUsdOf(bound),
        at: options.priceAsOf ?? context.clock().toISOString(),
      });
  const opened = { batch, budget };
  let lanes: Lanes;
  if (options.name === 'batch' && options.deadline === null) {
    lanes = { ...opened, lane: batch, live: null, name: 'batch', deadline: null, close: async () => {} };
    return lanes;
  }
  const live = await openLiveLane(options, (request) => budget === null || budget.findExcess(request) === null);
  if (options.deadline === null) {
    lanes = { ...opened, lane: joinLanes(live, batch), live, name: 'live', deadline: null, close: () => live.close() };
    return lanes;
  }
  const readRest = createRestCount({ ...options, ledger: context.ledger, trips: () => batch.trips });
  const costOf = (rest: Rest, lane: LaneName) => estimateRestNanoUsd(rest, lane, { model: job.model, costOf: books.costOf });
  const deadline = await openDeadline({ run, job, wanted: options.deadline, context, readRest, costOf });
  const lane = createDeadlineLane({ batch, live, deadline, clock: context.clock, sleep: context.sleep });
  lanes = {
    ...opened,
    lane,
    live,
    deadline,
    get name() {
      return lane.name;
    },
    close() {
      lane.close();
      return live.close();
    },
  };
  return lanes;
}

/** BullMQ is loaded only where it is used. */
async function openLiveLane(options: LanesOptions, isAffordable: (request: Request) => boolean): Promise<LiveLane> {
  const { context, effects, job, redis, stepOf } = options;
  const { ledger, warn } = context;
  const parts: LocalLaneOptions = {
    ...effects,
    ledger,
    provider: context.provider,
    limits: job.limits,
    isDueAgain: (id) => stepOf(id) === 'again',
    isAffordable,
    stopping: context.stopping,
    signal: context.signal,
  };
  if (redis === null) return createLocalLane(parts);
  const { openRedisLane } = await import('../live/bullmq-lane.ts');
  return openRedisLane({
    ...parts,
    startTimer: effects.startTimer,
    redisUrl: redis.url,
    secret: redis.secret,
    state: ledger.stateId,
    model: job.model,
    warn,
  });
}
