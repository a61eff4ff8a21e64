import type { BatchLane } from '../../batch/batch-lane.ts';
import { AppError, EXIT, UsageError } from '../../core/errors.ts';
import type { Job } from '../../core/job.ts';
import type { LaneName } from '../../core/lane.ts';
import { countAnswerCaps, type Request } from '../../core/request.ts';
import type { LedgerFold } from '../../ledger/events/fold.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import type { LiveLane } from '../../live/lane.ts';
import { type Amount, type CostBound, makeCostBound } from '../../money/cost-bound.ts';
import { modelLimits } from '../../money/model-limits.ts';
import type { FindPrice } from '../../money/price.ts';
import { suggestModel } from '../../money/tier-table.ts';
import { formatDollars } from '../../output/format-numbers.ts';
import type { UnpricedCalls } from '../open/unpriced.ts';
import { amountOfUnknownCalls } from './possibly-billed.ts';

/** Keeps a run below its limits: what was spent plus what may still be billed, at its upper bound, never exceeds them. */
export interface Budget {
  /**
   * Whether this request has to wait: null when it fits now. What is on its way usually costs less than its bound, so a later call may say
   * otherwise.
   */
  findExcess(request: Request): Excess | null;
  /** The most this request can cost in the lane of the moment. */
  boundOf(request: Request): number;
  /** What was spent and what may still be billed. */
  committedNanoUsd(): number;
  /** @throws BudgetError when that is more than the budget: something may be billed that was reserved for something else */
  assertHolds(): void;
}

export interface Excess {
  /** What is used up, in words. */
  readonly why: string;
  /** Whether it is the limit for the whole run. */
  readonly isOfRun: boolean;
}

/** Nano-dollars. */
export interface BudgetLimits {
  /** For everything the run sends; null without a budget. */
  readonly run: number | null;
  /** For its live calls alone (`--max-live-usd`); null without a limit of their own. */
  readonly live: number | null;
}

export interface BudgetOptions {
  readonly job: Job;
  readonly limits: BudgetLimits;
  readonly findPrice: FindPrice;
  /** What `retry --set` put over the job's parameters. */
  readonly sets: readonly Readonly<Record<string, unknown>>[];
  /** Where requests go at first: its price has to be known. */
  readonly firstLane: LaneName;
  /** Where the next request goes. */
  readonly laneNow: () => LaneName;
  readonly onItsWay: () => OnItsWay;
  readonly spent: () => { readonly nanoUsd: number; readonly liveNanoUsd: number };
  /** Billed calls whose cost is not known: what was reserved for them stays reserved. */
  readonly unpriced: () => UnpricedCalls;
  /** The shards and batches of the ledger. */
  readonly fold: Pick<LedgerFold, 'shards' | 'batches'>;
  /** What batches may have been billed for without an answer, at this bound. */
  readonly unansweredOfBatches: (bound: CostBound | null) => number;
  /** Changes whenever that may have changed. */
  readonly version: () => number;
  /** The day whose prices count. */
  readonly at: string;
}

/** The budget is used up, and with it this passage of the run. */
export class BudgetError extends AppError {
  /** A budget with which every row left could be sent; null where the limit is another one. */
  readonly finishNanoUsd: number | null;
  constructor({ why }: Excess, finishNanoUsd: number | null) {
    super(why, { code: 'budget', exitCode: EXIT.stopped });
    this.name = 'BudgetError';
    this.finishNanoUsd = finishNanoUsd;
  }
}

type BoundsOptions = Pick<BudgetOptions, 'job' | 'limits' | 'findPrice' | 'sets' | 'firstLane' | 'at'>;

/** @throws UsageError when the model's price or longest answer is unknown: a budget does not guess */
export function makeCostBounds(options: BoundsOptions): Readonly<Record<LaneName, CostBound | null>> {
  const { job, limits, firstLane } = options;
  const bounds = { batch: makeCostBound({ ...options, lane: 'batch' }), live: makeCostBound({ ...options, lane: 'live' }) };
  const isLimited = limits.run !== null || limits.live !== null;
  if (isLimited && (bounds[firstLane] === null || (limits.live !== null && bounds.live === null))) {
    throw new UsageError(
      `budget: no price or no longest answer is known for ${job.model}, so a budget cannot be kept; tell them in prices.yaml and params.max_output_tokens, or remove the budget${suggestModel(job.model)}`,
    );
  }
  return bounds;
}

/** @throws UsageError as makeCostBounds does */
export function createRunBudget(options: BudgetOptions): Budget {
  const { job, limits, firstLane, laneNow, spent } = options;
  const bounds = makeCostBounds(options);
  // Only the lane that is not sent to can be without a price.
  const boundIn = (lane: LaneName) => (bounds[lane] ?? bounds[firstLane]) as CostBound;
  /** What a call of unknown size may have cost: the whole context in, the longest answer out. */
  const largest = { bytes: modelLimits(job.model).contextTokens ?? 1_000_000, rows: 1, answerCaps: 2 ** (job.retry.attempts - 1) };
  let longestBytes = 0;
  let unanswered = { version: -1, nanoUsd: 0 };

  /** Looked up again only when something has ended: a million rows ask. */
  function readUnanswered(): number {
    const version = options.version();
    if (version !== unanswered.version) unanswered = { version, nanoUsd: options.unansweredOfBatches(bounds.batch) };
    return unanswered.nanoUsd;
  }

  function commit() {
    const onItsWay = options.onItsWay();
    const { nanoUsd, liveNanoUsd } = spent();
    const unpricedLive = options.unpriced().boundLive(boundIn('live'), largest);
    const live = boundIn('live').of(onItsWay.live, longestBytes);
    const batch = boundIn('batch').of(onItsWay.batch, longestBytes);
    const unknown = unpricedLive + options.unpriced().boundBatches(boundIn('batch'), largest, options.fold) + readUnanswered();
    return { all: nanoUsd + unknown + live + batch, live: liveNanoUsd + unpricedLive + live };
  }

  function boundOf({ body, customId }: Request): number {
    const bytes = Buffer.byteLength(body);
    // What an earlier process sent is not known one by one.
    if (longestBytes === 0) longestBytes = Math.max(options.onItsWay().batch.bytes, options.onItsWay().live.bytes);
    longestBytes = Math.max(longestBytes, bytes);
    return boundIn(laneNow()).of({ bytes, rows: 1, answerCaps: countAnswerCaps(customId) }, bytes);
  }

  return {
    boundOf,
    committedNanoUsd: () => commit().all,
    assertHolds() {
      const { all } = commit();
      if (limits.run === null || all <= limits.run) return;
      const why = `the budget of ${formatDollars(limits.run)} does not hold what may have been billed already and the same once more: ${formatDollars(all)}; the rows left stay pending`;
      throw new BudgetError({ why, isOfRun: true }, all);
    },
    findExcess(request) {
      const own = boundOf(request);
      const committed = commit();
      if (limits.run !== null && committed.all + own > limits.run)
        return {
          why: `the budget of ${formatDollars(limits.run)} is used up: ${formatDollars(committed.all)} are spent or may still be billed, and the next request can cost ${formatDollars(own)}; the rows left stay pending`,
          isOfRun: true,
        };
      if (laneNow() === 'live' && limits.live !== null && committed.live + own > limits.live)
        return {
          why: `the ${formatDollars(limits.live)} of --max-live-usd are used up; the rows left stay pending: give more, or leave --deadline out to send them in batches`,
          isOfRun: false,
        };
      return null;
    },
  };
}

/** Requests without a known cost yet, by the lane that prices them: being gathered, on their way, or lost from sight after they may have been billed. */
interface OnItsWay {
  readonly batch: Amount;
  readonly live: Amount;
}

export function countOnItsWay(ledger: Ledger, lanes: { readonly batch: BatchLane; readonly live: LiveLane | null }, run: string): OnItsWay {
  let { bytes, rows, answerCaps } = lanes.batch.filling;
  for (const { shard } of lanes.batch.underWay) {
    const state = shard === null ? undefined : ledger.fold.shards.get(shard);
    bytes += state?.bytes ?? 0;
    rows += state?.rows ?? 0;
    answerCaps += state?.answerCaps ?? 0;
  }
  const unknown = amountOfUnknownCalls(ledger, run);
  const held = lanes.live?.filling ?? NOTHING;
  return { batch: { bytes, rows, answerCaps }, live: addAmounts(unknown, held) };
}

const NOTHING: Amount = { bytes: 0, rows: 0, answerCaps: 0 };

function addAmounts(a: Amount, b: Amount): Amount {
  return { bytes: a.bytes + b.bytes, rows: a.rows + b.rows, answerCaps: a.answerCaps + b.answerCaps };
}
