/** What of a budget is spent or may still be billed. Integer nano-dollars. */
export interface Commitment {
  /** Which budget, as the subject of a sentence: `the budget of $5.00`. */
  readonly name: string;
  /** Whether it is the budget of the run, which `--max-usd` can raise. */
  readonly isOfRun: boolean;
  readonly limitNanoUsd: number;
  readonly committedNanoUsd: number;
}

/** How far a budget reaches: what it means for what is to be sent. Integer nano-dollars. Field names are a contract (`budget` of `plan --json`). */
export interface BudgetReach extends Commitment {
  /** What should be left of it once the batches now with the provider are collected. */
  readonly leftNanoUsd: number;
  /** How many requests are to be sent. */
  readonly requests: number;
  /** What they reserve, each the most it can cost. */
  readonly reservedNanoUsd: number;
  /** What the first of them reserves. */
  readonly nextNanoUsd: number;
  /** How many of them it lets out at a time, about; 0 if not even the first. */
  readonly requestsAtATime: number;
  /** In about how many batches it lets them out, as far as it lasts, if they are sent in batches. */
  readonly batches: number;
  /** A budget that lets them all out at once. */
  readonly enoughNanoUsd: number;
}
