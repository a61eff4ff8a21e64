import { UsageError } from '../core/errors.ts';
import type { Job } from '../core/job.ts';
import type { Request } from '../core/request.ts';
import type { LaneName } from './lanes.ts';
import { makeCostBound } from './price-bounds.ts';

/** Keeps a run below its budget: what was spent plus what is on its way, at its upper bound, never exceeds it. */
export interface Budget {
  /** Whether this request still fits now. What is on its way usually costs less than its bound, so a later call may say yes. */
  fits(request: Request): boolean;
  readonly limitNanoUsd: number;
}

export interface BudgetOptions {
  readonly job: Job;
  /** Whose prices bound what is sent. */
  readonly laneName: LaneName;
  /** Requests without a known cost yet: on their way, or lost from sight after they may have been billed. */
  readonly onItsWay: () => { readonly bytes: number; readonly rows: number };
  readonly spentNanoUsd: () => number;
  readonly limitNanoUsd: number;
  /** The day whose prices count. */
  readonly at: Date;
}

/** @throws UsageError when the model's price or longest answer is unknown: a budget does not guess */
export function createRunBudget(options: BudgetOptions): Budget {
  const { job, limitNanoUsd, spentNanoUsd } = options;
  const bound = makeCostBound(job, options.laneName, options.at.toISOString());
  if (bound === null) {
    throw new UsageError(
      `budget: no price or no longest answer is known for ${job.model}, so a budget cannot be kept; set params.max_output_tokens, or remove the budget`,
    );
  }
  const boundOf = (bytes: number, rows: number) => Math.ceil(bytes * bound.perInputByteNanoUsd + rows * bound.perAnswerNanoUsd);
  return {
    limitNanoUsd,
    fits(request) {
      const { bytes, rows } = options.onItsWay();
      return spentNanoUsd() + boundOf(bytes + Buffer.byteLength(request.body), rows + 1) <= limitNanoUsd;
    },
  };
}
