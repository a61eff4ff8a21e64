import type { LaneCosts } from './cost.ts';

/** What a model's end means for a job. Field names are a contract (`modelEnd` of `plan --json` and `doctor --json`). */
export interface PlannedEnd {
  /** The job's model. */
  readonly model: string;
  /** `YYYY-MM-DD` (UTC). */
  readonly endsOn: string;
  /** Days from today; 0 on the day itself, negative after it. */
  readonly daysLeft: number;
  /** Null if none is known. */
  readonly successor: Successor | null;
  /** The source of the date. */
  readonly source: string;
  /** All of it in one sentence, without a final period. */
  readonly message: string;
}

export interface Successor {
  readonly model: string;
  /** What the planned requests cost there, with the same number of tokens. */
  readonly cost: LaneCosts;
  /** The job's parameters it would not accept, and what to do: one sentence each, without a final period. */
  readonly refuses: readonly string[];
}
