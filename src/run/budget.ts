import type { BatchLane } from '../batch/lane.ts';
import { UsageError } from '../core/errors.ts';
import type { Job } from '../core/job.ts';
import type { Request } from '../core/request.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Books } from './books.ts';
import { makeCostBound } from './price-bounds.ts';

/** Keeps a run below its budget: what was spent plus what is on its way, at its upper bound, never exceeds it. */
export interface Budget {
  /** Whether this request still fits now. What is on its way usually costs less than its bound, so a later call may say yes. */
  fits(request: Request): boolean;
  readonly limitNanoUsd: number;
}

export interface BudgetOptions {
  readonly job: Job;
  readonly lane: BatchLane;
  readonly ledger: Ledger;
  readonly books: Books;
  readonly run: string;
  readonly limitNanoUsd: number;
  /** The day whose prices count. */
  readonly at: Date;
}

/** @throws UsageError when the model's price or longest answer is unknown: a budget does not guess */
export function createRunBudget(options: BudgetOptions): Budget {
  const { books, job, lane, ledger, limitNanoUsd, run } = options;
  const bound = makeCostBound(job, 'batch', options.at.toISOString());
  if (bound === null) {
    throw new UsageError(
      `budget: no price or no longest answer is known for ${job.model}, so a budget cannot be kept; set params.max_output_tokens, or remove the budget`,
    );
  }
  const boundOf = (bytes: number, rows: number) => Math.ceil(bytes * bound.perInputByteNanoUsd + rows * bound.perAnswerNanoUsd);

  function onItsWayNanoUsd(): number {
    let nanoUsd = boundOf(lane.filling.bytes, lane.filling.rows);
    for (const { shard } of lane.trips) {
      const state = shard === null ? undefined : ledger.fold.shards.get(shard);
      if (state !== undefined) nanoUsd += boundOf(state.bytes, state.rows);
    }
    return nanoUsd;
  }

  return {
    limitNanoUsd,
    fits: (request) => books.ofRun(run).nanoUsd + onItsWayNanoUsd() + boundOf(Buffer.byteLength(request.body), 1) <= limitNanoUsd,
  };
}
