import type { Cause } from './outcome.ts';
import type { SkipCause } from './row.ts';

/** What `run --json` and `report --json` print; the terminal and HTML views show the same. Field names are a contract. */
export interface Summary {
  readonly schema: 'rowmill.summary/1';
  readonly job: string;
  readonly run: string;
  readonly simulated: boolean;
  readonly model: string;
  /** In words, from the same value as the exit code. */
  readonly verdict: string;
  readonly exitCode: number;
  readonly rows: RowCounts;
  /** Failed and skipped rows by cause. */
  readonly causes: Readonly<Partial<Record<Cause | SkipCause, number>>>;
  /** Rows whose answer was read after removing a code fence or text around its JSON; absent when there are none. */
  readonly unwrapped?: number;
  /** Ok rows whose answer came without a word of the provider that it is finished; absent when there are none. */
  readonly unmarked?: number;
  /** Tries that use an attempt; `unknown` is the part of them without an answer. */
  readonly attempts: { readonly total: number; readonly batch: number; readonly live: number; readonly unknown: number };
  readonly tokens: {
    readonly input: number;
    readonly cachedInput: number;
    /** Input written to the prompt cache; absent where there was none. */
    readonly cacheWrite?: number;
    readonly output: number;
    readonly reasoning: number;
  };
  readonly cost: CostSummary;
  /** Over the ledger's whole life, all runs. */
  readonly ledger: { readonly attempts: number; readonly nanoUsd: number };
  readonly batches: readonly { readonly id: string; readonly status: string; readonly requests: number }[];
  /** Only of a run with a deadline. */
  readonly deadline?: DeadlineSummary;
  /** Lines in the provider's files that were counted but are no answers, by kind; empty when there were none. */
  readonly anomalies: Readonly<Record<string, number>>;
  /** Paths relative to the working directory; null where not written. */
  readonly outputs: { readonly table: string | null; readonly failures: string | null; readonly report: string | null };
  /** What to type next, when there is something to do. */
  readonly next: string | null;
}

/** By when the run was to be done, and what it took. Instants are ISO strings. */
export interface DeadlineSummary {
  readonly at: string;
  /** When batches had to make way for live calls; null when they made it. */
  readonly switchedAt: string | null;
  /** What live calls of the run have cost. */
  readonly liveNanoUsd: number;
  /** The most they were allowed to; null when the last invocation gave no deadline. */
  readonly maxLiveNanoUsd: number | null;
}

/** `in = ok + failed + skipped + pending` and `ok = new + reused + duplicate`. */
export interface RowCounts {
  readonly in: number;
  readonly ok: number;
  readonly failed: number;
  readonly skipped: number;
  readonly pending: number;
  readonly new: number;
  readonly reused: number;
  readonly duplicate: number;
}

/** Integer nano-dollars throughout; `nanoUsd = rowsNanoUsd + orphanedNanoUsd`. */
export interface CostSummary {
  readonly nanoUsd: number;
  /** `nanoUsd` as exact dollars with nine decimals. */
  readonly usd: string;
  /** The sum of the table's `_cost_usd`. */
  readonly rowsNanoUsd: number;
  /** Calls whose row has left the input, and extra batches. */
  readonly orphanedNanoUsd: number;
  readonly failedRowsNanoUsd: number;
  readonly batchSavedNanoUsd: number;
  readonly reuseSavedNanoUsd: number;
  /** What the prompt cache saved, reads less writes; negative where writes cost more. Absent where it was not used. */
  readonly cacheSavedNanoUsd?: number;
  /** Upper bound on what calls without an answer may have cost. */
  readonly possiblyBilledNanoUsd: number;
  /** Billed attempts whose price or usage is unknown; they are in no sum. */
  readonly unpricedAttempts: number;
  readonly estimateNanoUsd: number | null;
  readonly pricesAsOf: string;
  /** Whose prices these are where they are not those of the address; absent where they are, and without any money. */
  readonly priceNote?: string;
}

/** Nano-dollars as exact dollars with nine decimals. */
export function formatUsd(nanoUsd: number): string {
  const sign = nanoUsd < 0 ? '-' : '';
  const absolute = Math.abs(nanoUsd);
  const whole = Math.floor(absolute / 1e9);
  return `${sign}${whole}.${String(absolute % 1e9).padStart(9, '0')}`;
}
