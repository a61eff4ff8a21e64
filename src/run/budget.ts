import { UsageError } from '../core/errors.ts';
import type { Job } from '../core/job.ts';
import type { Request } from '../core/request.ts';
import { formatUsd } from '../core/summary.ts';
import type { LaneName } from './lanes.ts';
import type { OnItsWay } from './on-its-way.ts';
import { makeCostBound } from './price-bounds.ts';

/** Keeps a run below its limits: what was spent plus what is on its way, at its upper bound, never exceeds them. */
export interface Budget {
  /**
   * Whether this request has to wait: null when it fits now, else what is used up, in words. What is on its way usually costs less than its
   * bound, so a later call may say otherwise.
   */
  findExcess(request: Request): string | null;
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
  /** Where requests go at first: its price has to be known. */
  readonly firstLane: LaneName;
  /** Where the next request goes. */
  readonly laneNow: () => LaneName;
  readonly onItsWay: () => OnItsWay;
  readonly spent: () => { readonly nanoUsd: number; readonly liveNanoUsd: number };
  /** The day whose prices count. */
  readonly at: Date;
}

/** @throws UsageError when the model's price or longest answer is unknown: a budget does not guess */
export function createRunBudget(options: BudgetOptions): Budget {
  const { job, limits, firstLane, laneNow, spent } = options;
  const at = options.at.toISOString();
  const bounds = { batch: makeCostBound(job, 'batch', at), live: makeCostBound(job, 'live', at) };
  if (bounds[firstLane] === null || (limits.live !== null && bounds.live === null)) {
    throw new UsageError(
      `budget: no price or no longest answer is known for ${job.model}, so a budget cannot be kept; set params.max_output_tokens, or remove the budget`,
    );
  }

  function boundOf(lane: LaneName, { bytes, rows }: { readonly bytes: number; readonly rows: number }): number {
    // Only the lane that is not sent to can be without a price.
    const bound = bounds[lane] ?? bounds[firstLane];
    return bound === null ? 0 : Math.ceil(bytes * bound.perInputByteNanoUsd + rows * bound.perAnswerNanoUsd);
  }

  return {
    findExcess(request) {
      const lane = laneNow();
      const { batch, live } = options.onItsWay();
      const own = boundOf(lane, { bytes: Buffer.byteLength(request.body), rows: 1 });
      const reservedLive = boundOf('live', live);
      const { nanoUsd, liveNanoUsd } = spent();
      if (limits.run !== null && nanoUsd + boundOf('batch', batch) + reservedLive + own > limits.run)
        return `the budget of $${formatUsd(limits.run)} is used up; the rows left stay pending`;
      if (lane === 'live' && limits.live !== null && liveNanoUsd + reservedLive + own > limits.live)
        return `the $${formatUsd(limits.live)} of --max-live-usd are used up; the rows left stay pending: give more, or leave --deadline out to send them in batches`;
      return null;
    },
  };
}
