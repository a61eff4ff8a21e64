import type { SeamPlan, SeamReport } from './seam/plan.ts';

/** One run of the command, from its start to its end, whatever that is. */
export interface Life {
  readonly ended: Promise<LifeEnd>;
  /** Resolves when it stands still; with false if it ended first. */
  readonly frozen: Promise<boolean>;
  wake(): void;
  /** Ends it from outside, whatever it is doing. */
  kill(): void;
}

export interface LifeEnd {
  /** Null if it was killed. */
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly report: SeamReport;
  /** It took too long, and was ended. */
  readonly isStuck: boolean;
}

export interface LifeOptions {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly plan: SeamPlan;
}

/** A life with the small table takes a second, and more than a minute on a busy machine: after this long it hangs. */
export const STUCK_MS = 600_000;

export const NO_REPORT: SeamReport = { operations: [], fired: [], unsynced: { files: [], names: [] } };
