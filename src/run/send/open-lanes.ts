import type { BatchLane } from '../../batch/batch-lane.ts';
import type { BatchContext } from '../../batch/context.ts';
import { createBatchLane } from '../../batch/lane.ts';
import type { PriceTerms } from '../../core/event.ts';
import type { Job } from '../../core/job.ts';
import type { Lane, LaneName } from '../../core/lane.ts';
import type { Request } from '../../core/request.ts';
import type { LiveLane } from '../../live/lane.ts';
import { createLocalLane, type LocalLaneOptions } from '../../live/local/local-lane.ts';
import type { RedisLink } from '../../live/redis/connection.ts';
import { listPriceTerms } from '../../money/cost-bound.ts';
import type { ModelTokens } from '../../money/tokens/model-tokens.ts';
import { type Budget, type BudgetLimits, createRunBudget } from '../budget/budget.ts';
import { countLiveOnItsWay, makeBudgetSpans } from '../budget/spans.ts';
import type { Books } from '../open/books.ts';
import type { Effects } from '../open/effects.ts';
import { keepSimulator } from '../open/follow-address.ts';
import type { StepOf } from '../open/next-step.ts';
import type { PreparedJob } from '../open/prepared-job.ts';
import type { Plan } from '../plan/plan-result.ts';
import { type Deadline, type DeadlineOptions, openDeadline } from './deadline.ts';
import { createDeadlineLane } from './deadline-lane.ts';
import { makeDelivery, type RunDelivery } from './delivery.ts';
import { joinLanes } from './join-lanes.ts';
import { listSent } from './possibly-billed.ts';
import { createRemainingWorkCount, estimateRemainingNanoUsd, type RemainingWork } from './remaining-work.ts';

/** The lanes of a run: batches left by an earlier invocation are collected whichever lane is used. */
export interface Lanes {
  readonly lane: Lane;
  readonly batch: BatchLane;
  /** Null if requests go to the batch lane to the end. */
  readonly live: LiveLane | null;
  /** Where the next request goes: it changes at a deadline. */
  readonly name: LaneName;
  /** Null without one. */
  readonly deadline: Deadline | null;
  /** Null if the run has no budget. */
  readonly budget: Budget | null;
  /** The run they work for. */
  readonly run: string;
  close(): Promise<void>;
}

export interface LanesOptions {
  /** Where requests go at first. */
  readonly name: LaneName;
  readonly job: Job;
  readonly url: string;
  /** Starts the run, or continues it: only when everything is available that may be refused. @returns its id */
  readonly startRun: () => Promise<string>;
  readonly context: BatchContext;
  readonly effects: Effects;
  readonly books: Books;
  readonly plan: Plan;
  readonly stepOf: StepOf;
  readonly limits: BudgetLimits;
  readonly prepared: Pick<PreparedJob, 'findPrice' | 'tokens'>;
  /** A day whose prices count; null for the day of each answer. */
  readonly priceAsOf: string | null;
  readonly deadline: DeadlineOptions | null;
  readonly redis: RedisLink | null;
  readonly redisNotice?: string | null;
  /** How long the run waits for batches; 0 only submits. */
  readonly waitMs: number | null;
}

/**
 * @throws UsageError if a budget cannot be kept
 * @throws AppError exit 2 if the live lane needs a Redis that cannot be used
 */
export async function openLanes(options: LanesOptions): Promise<Lanes> {
  const { context, name, deadline, limits } = options;
  const hasBudget = Object.values(limits).some((limit) => limit !== null);
  const { job } = options;
  const delivery = makeDelivery({ ...options, ledger: context.ledger, tokens: options.prepared.tokens, warn: context.warn });
  let budget: Budget | null = null;
  const isAffordable = (request: Request) => budget === null || budget.findExcess(request) === null;
  // What retries set is known once the run has begun, which is before anything is announced.
  let terms: PriceTerms | null = null;
  const readTerms = () => {
    terms ??= listPriceTerms(job, [...context.ledger.fold.retrySets.values()]);
    return terms;
  };
  const live = name === 'batch' && deadline === null ? null : await openLiveLane(options, { delivery, isAffordable, readTerms });
  try {
    const laneContext = { ...context, beforeRepeat: () => budget?.assertHolds() };
    const batch = createBatchLane(laneContext, {
      model: job.model,
      url: options.url,
      enqueuedTokens: job.limits.enqueuedTokens,
      countsBytes: hasBudget,
      cache: delivery.batch,
      waitsForEvidence: options.waitMs !== 0,
      readTerms,
    });
    const run = await options.startRun();
    if (hasBudget) budget = openBudget(options, { run, laneNow: () => lanes.name, lanes: { batch, live } });
    const lanes = await joinOpened(options, { run, batch, live, budget });
    return lanes;
  } catch (error) {
    await live?.close();
    throw error;
  }
}

interface OpenedLanes extends Pick<Lanes, 'batch' | 'live' | 'budget'> {
  readonly run: string;
}

async function joinOpened(options: LanesOptions, { run, ...opened }: OpenedLanes): Promise<Lanes> {
  const { context, job, books } = options;
  const { batch, live } = opened;
  if (live === null) return { ...opened, run, lane: batch, name: 'batch', deadline: null, close: async () => {} };
  if (options.deadline === null)
    return { ...opened, run, lane: joinLanes(live, batch), name: 'live', deadline: null, close: () => live.close() };
  const readRemainingWork = createRemainingWorkCount({ ...options, ledger: context.ledger, underWay: () => batch.underWay });
  const costOf = (remaining: RemainingWork, lane: LaneName) =>
    estimateRemainingNanoUsd(remaining, lane, { model: job.model, costOf: books.costOf });
  const deadline = await openDeadline({ run, job, wanted: options.deadline, context, readRemainingWork, costOf });
  const lane = createDeadlineLane({ batch, live, deadline, clock: context.clock, sleep: context.sleep });
  return {
    ...opened,
    run,
    lane,
    deadline,
    get name() {
      return lane.name;
    },
    close() {
      lane.close();
      return live.close();
    },
  };
}

interface BudgetParts {
  readonly run: string;
  readonly laneNow: () => LaneName;
  readonly lanes: Pick<Lanes, 'batch' | 'live'>;
}

function openBudget(options: LanesOptions, { run, laneNow, lanes }: BudgetParts): Budget {
  const { context, job, books, limits } = options;
  const { ledger } = context;
  return createRunBudget({
    job,
    limits,
    firstLane: options.name,
    laneNow,
    findPrice: options.prepared.findPrice,
    sets: [...ledger.fold.retrySets.values()],
    spans: makeBudgetSpans({ limits, run, job, ledger, books, lanes, clock: context.clock }),
    live: {
      spentNanoUsd: () => books.ofRun(run).liveNanoUsd,
      unpriced: () => books.unpricedOf(run),
      onItsWay: () => countLiveOnItsWay(lanes.live, listSent(ledger.fold.unknownCalls.get(run))),
    },
    fold: ledger.fold,
    version: () => ledger.fold.seq,
    at: options.priceAsOf ?? context.clock().toISOString(),
    priceAsOf: options.priceAsOf,
  });
}

/** BullMQ is loaded only if it is used. */
async function openLiveLane(
  options: LanesOptions,
  { delivery, ...ofRun }: Pick<LocalLaneOptions, 'isAffordable' | 'readTerms'> & { readonly delivery: RunDelivery },
): Promise<LiveLane> {
  const { context, effects, job, redis, stepOf } = options;
  const { ledger, warn } = context;
  const parts: LocalLaneOptions = {
    ...effects,
    ledger,
    provider: context.provider,
    limits: job.limits,
    isDueAgain: (id) => stepOf(id) === 'again',
    ...ofRun,
    delivery: delivery.live,
    onUndelivered: delivery.onUndelivered,
    onSimulated: () => keepSimulator(context.provider, ledger),
    warn,
    stopping: context.stopping,
    signal: context.signal,
  };
  if (redis === null) {
    if (typeof options.redisNotice === 'string') warn(options.redisNotice);
    return createLocalLane(parts);
  }
  const { openRedisLane } = await import('../../live/runner/redis-lane.ts');
  return openRedisLane({
    ...parts,
    startTimer: effects.startTimer,
    redisUrl: redis.url,
    secret: redis.secret,
    state: ledger.stateId,
    model: job.model,
  });
}

/**
 * The prompt tokens charged for a request in the current lane: a call is worth an exact count, a row of a batch is not.
 * @param hasWorkers workers make the calls, and estimate themselves: nothing is counted here
 */
export function chooseCount(tokens: ModelTokens, lanes: Pick<Lanes, 'name'>, hasWorkers: boolean): (request: Request) => number {
  return (request) => {
    if (lanes.name === 'batch') return tokens.of(request).charge(request.body);
    return hasWorkers ? 0 : tokens.of(request).count(request.body);
  };
}
