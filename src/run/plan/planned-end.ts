import type { LaneCosts } from './cost.ts';

/** What a model's end means to a job. Field names are a contract (`modelEnd` of `plan --json` and `doctor --json`). */
export interface PlannedEnd {
  /** The job's model. */
  readonly model: string;
  /** `YYYY-MM-DD` (UTC). */
  readonly endsOn: string;
  /** Days from today; 0 on the day itself, negative after it. */
  readonly daysLeft: number;
  /** Null where none is known. */
  readonly successor: Successor | null;
  /** Who said when it ends. */
  readonly source: string;
  /** All of it in one sentence, without a final period. */
  readonly message: string;
}

export interface Successor {
  readonly model: string;
  /** What the planned requests cost there, with as many tokens. */
  readonly cost: LaneCosts;
  /** What of the job's parameters it would not take, and what to do: one sentence each, without a final period. */
  readonly refuses: readonly string[];
}
