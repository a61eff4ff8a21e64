import type { RowSelection, SkipCause } from '../../core/row.ts';
import type { BudgetFacts } from '../budget/facts.ts';
import type { CheaperModel } from './advice.ts';
import type { PlannedCache } from './cache.ts';
import type { LaneCosts } from './cost.ts';
import type { PlannedEnd } from './planned-end.ts';
import type { PlannedShard } from './shards.ts';
import type { TimeUnderLimits } from './time.ts';

/** What a run would do, found by reading the table once; nothing was sent, nothing was spent. Field names are a contract (`plan --json`). */
export interface Plan {
  readonly schema: 'rowmill.plan/1';
  readonly job: string;
  readonly model: string;
  /** The known model with the most similar name; only if the job's own is unknown. */
  readonly closestModel?: string;
  /** The unfinished run it is about; absent if a new one would start. */
  readonly continues?: ContinuedRun;
  readonly rows: PlanRows;
  /** Those of `rows.again` that were answered before a `--fresh` or `clean --answers`; absent if there are none. */
  readonly answeredBefore?: number;
  /** Skipped rows by cause. */
  readonly skipped: Readonly<Partial<Record<SkipCause, number>>>;
  /** What differs from the last run, in words. */
  readonly changes: readonly string[];
  readonly tokens: PlanTokens;
  readonly cost: LaneCosts;
  /** Whose prices these are, if not those of the address; absent otherwise. */
  readonly priceNote?: string;
  /** What is written to the prompt cache, and why; null if writing costs nothing. */
  readonly promptCache: PlannedCache | null;
  /** Budgets over several runs, with what is used of them; absent if the job has none. */
  readonly budgets?: readonly BudgetFacts[];
  /** A cheaper model's price for the same; null if none is known. */
  readonly cheaper: CheaperModel | null;
  /** When the address switches the model off, and its successor; null if nothing is known. */
  readonly modelEnd: PlannedEnd | null;
  readonly shards: readonly PlannedShard[];
  /** The minimum duration: under the job's own limits, and under those of each usage tier. Empty if nothing is to be sent. */
  readonly time: readonly TimeUnderLimits[];
  /** What the user should know before paying. Errors are listed here only if there is no plan (exit 2). */
  readonly problems: readonly PlanProblem[];
  /** Body of the first request that would be sent, image data as its hash; null if there is none. */
  readonly firstRequest: unknown;
  /** The first requests that would be sent, as many as requested; absent if none were. */
  readonly requests?: readonly PlannedRequest[];
}

/** An unfinished run as its last invocation left it: the next one continues it, whatever its flags. */
export interface ContinuedRun {
  readonly run: string;
  /** Whether it sends every row again: answers from before its `--fresh` do not count. */
  readonly isFresh: boolean;
  /** Whether failed rows were reopened in it. */
  readonly isRetry: boolean;
  /** Which rows it was about. */
  readonly selection: RowSelection;
  /** What it has spent so far. */
  readonly cost: { readonly nanoUsd: number; readonly unpricedAttempts: number };
  /** Why answers of its own no longer count; absent if they all do. */
  readonly outdated?: OutdatedAnswers;
}

/** Answers to requests that no row makes any more. */
export interface OutdatedAnswers {
  /** What has changed in the job since its last invocation, in words; empty if nothing is known to have. */
  readonly changed: readonly string[];
  /** Null if only a part of the table is read: the other rows may ask for them. */
  readonly answers: number | null;
  /** All answers of the run. */
  readonly of: number;
}

/** A request that would be sent, and the first row with it. */
export interface PlannedRequest {
  readonly file: string;
  readonly line: number;
  readonly id: string;
  /** Its body, image data as its hash. */
  readonly request: unknown;
}

/** Of the requests that would be sent. */
export interface PlanTokens {
  readonly input: number;
  readonly outputExpected: number;
  readonly outputWorst: number;
  /** Of one answer. */
  readonly outputP50: number;
  readonly outputP95: number;
  /** Earlier answers these were measured on; 0: guessed from the output's schema, or 200 for free text. */
  readonly outputMeasured: number;
  /** Requests counted exactly. */
  readonly exactSample: number;
  /** Answered requests whose billed input, compared with our count, corrected `input`; 0: none. */
  readonly inputMeasured: number;
}

export interface PlanProblem {
  readonly severity: 'error' | 'warning';
  /** Null, as are line and column, if it is not about a file. */
  readonly file: string | null;
  /** From 1, like the column. */
  readonly line: number | null;
  readonly column: number | null;
  readonly message: string;
}

export interface PlanRows {
  readonly in: number;
  readonly new: number;
  /** Row ids of the last run whose content, or the job's prompt, has changed. */
  readonly changed: number;
  /** Answered by the run that is continued: `new` in its summary. */
  readonly answered: number;
  /** Answered before that run began, or before the one that would start. */
  readonly reused: number;
  readonly duplicate: number;
  readonly skipped: number;
  /** At the provider now. */
  readonly inFlight: number;
  /** Retried by this run, or sent again because of a `--fresh`, now or earlier. */
  readonly again: number;
  /** Failed earlier and left alone. */
  readonly failed: number;
}
