import type { Cause } from './outcome.ts';
import type { SkipCause } from './row.ts';

/** What `run --json` and `report --json` print; the terminal and HTML views show the same. Field names are a contract. */
export interface Summary {
  readonly schema: 'rowmill.summary/1';
  readonly job: string;
  readonly run: string;
  readonly simulated: boolean;
  readonly model: string;
  /** In words, derived from the same value as the exit code. */
  readonly verdict: string;
  readonly exitCode: number;
  readonly rows: RowCounts;
  /** Failed and skipped rows by cause. */
  readonly causes: Readonly<Partial<Record<Cause | SkipCause, number>>>;
  /** Rows whose answer was read after removing a code fence or text around its JSON; absent if there are none. */
  readonly unwrapped?: number;
  /** Ok rows whose provider did not say that the answer is finished; absent if there are none. */
  readonly unmarked?: number;
  /** Warnings about the table, without any of its text: lines left out, keys that are not columns. Absent if there are none. */
  readonly warnings?: readonly string[];
  /** Tries that use an attempt; `unknown` is the part without an answer. */
  readonly attempts: { readonly total: number; readonly batch: number; readonly live: number; readonly unknown: number };
  readonly tokens: {
    readonly input: number;
    readonly cachedInput: number;
    /** Input written to the prompt cache; absent if there was none. */
    readonly cacheWrite?: number;
    readonly output: number;
    readonly reasoning: number;
  };
  readonly cost: CostSummary;
  /** Billed attempts of the run whose answers do not count, by reason; their rows were retried, or failed. Absent if there are none. */
  readonly withoutAnswer?: WithoutAnswer;
  /** After a completed pilot, the rows it left out; after a stop, those left to send. Absent if there are none. */
  readonly notAsked?: NotAsked;
  /** Over the ledger's lifetime, all runs. `unpricedAttempts`: billed ones of unknown cost, not included in any sum; absent if there are none. */
  readonly ledger: { readonly attempts: number; readonly nanoUsd: number; readonly unpricedAttempts?: number };
  readonly batches: readonly { readonly id: string; readonly status: string; readonly requests: number }[];
  /** Only for a run with a deadline. */
  readonly deadline?: DeadlineSummary;
  /** Calls that may have been billed without an answer, listed individually; absent if there are none. */
  readonly possiblyBilled?: readonly DoubtfulCalls[];
  /** Lines in the provider's files that were counted but are not answers, by kind; empty if there were none. */
  readonly anomalies: Readonly<Record<string, number>>;
  /** What such lines cost, in nano-dollars, if they report a call; null if part of it is unknown. Absent if there are none. */
  readonly anomalyCosts?: AnomalyCosts;
  /** Paths relative to the working directory; null if not written. */
  readonly outputs: { readonly table: string | null; readonly failures: string | null; readonly report: string | null };
  /** The command to run next, if there is something to do. */
  readonly next: string | null;
}

/** `nanoUsd`: their cost, as far as known. */
export type WithoutAnswer = Readonly<Partial<Record<Cause, { readonly attempts: number; readonly nanoUsd: number }>>>;

/** The rows that the next run would send: of the whole table after a pilot, else of this run. */
export interface NotAsked {
  readonly rows: number;
  /** What they take: rows that ask the same share a request. Absent in early versions. */
  readonly requests?: number;
  /** Rows of the whole table; after a stop, rows of the run. */
  readonly of: number;
  /** After a pilot, the rows that it left out and that are not to be sent: with the pilot's rows and `rows` they are all. Absent in early versions. */
  readonly others?: OtherRows;
  /** Whether answers from before a `--fresh` do not count for them; absent if there was none. */
  readonly sinceFresh?: true;
  /** As measured by the run; null if the price is unknown. */
  readonly expectedNanoUsd: number | null;
  /** The command that sends them; null if nobody types commands. */
  readonly command: string | null;
}

/** By what the ledger has for them; `answered`: by an earlier run, or with an identical row. */
export interface OtherRows {
  readonly answered: number;
  readonly failed: number;
  readonly skipped: number;
  readonly inFlight: number;
}

/** Calls that may have been billed and whose answers we do not have. */
export interface DoubtfulCalls {
  /**
   * `lost_calls`: live calls without an end. `missing_lines`: in none of their batch's files. `vanished_batch`: the batch, or its file, is gone.
   * `extra_batch`: a batch no shard waits for, still in progress. `create_not_found`: no search found the batch of a create. `usage_beyond_lines`: the
   * batch reports more usage than its lines.
   */
  readonly why: 'lost_calls' | 'missing_lines' | 'vanished_batch' | 'extra_batch' | 'create_not_found' | 'usage_beyond_lines';
  /** The batch, or the shard of a create that was not found; null for live calls. */
  readonly id: string | null;
  readonly calls: number;
  /** The most they can have cost, exact for `usage_beyond_lines`; null if unknown. */
  readonly nanoUsd: number | null;
  /** Wire ids of the first 20 at most; events.jsonl has all. */
  readonly keys: readonly string[];
}

export interface AnomalyCosts {
  /** Further lines for a request that another line answers: part of the run's cost. */
  readonly conflict?: number | null;
  /** Lines that answer nothing of ours and yet report usage: in no sum. */
  readonly foreign?: number | null;
}

/** When the run had to be done, and how that went. Instants are ISO strings. */
export interface DeadlineSummary {
  readonly at: string;
  /** When batches had to be replaced by live calls; null if they were done in time. */
  readonly switchedAt: string | null;
  /** The cost of the run's live calls. */
  readonly liveNanoUsd: number;
  /** Their limit; null if the last invocation gave no deadline. */
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
  /** `nanoUsd` as exact dollars with nine decimals; `unknown` if no part of what was spent has a known price. */
  readonly usd: string;
  /** The sum of the table's `_cost_usd`. */
  readonly rowsNanoUsd: number;
  /** Calls whose row has left the input, extra batches, and the known part of rows whose whole cost is unknown. */
  readonly orphanedNanoUsd: number;
  readonly failedRowsNanoUsd: number;
  readonly batchSavedNanoUsd: number;
  readonly reuseSavedNanoUsd: number;
  /** What the prompt cache saved, reads minus writes; negative if writes cost more. Absent if it was not used. */
  readonly cacheSavedNanoUsd?: number;
  /** Upper bound of the cost of calls without an answer. */
  readonly possiblyBilledNanoUsd: number;
  /** Billed attempts whose price or usage is unknown, not included in any sum. */
  readonly unpricedAttempts: number;
  readonly estimateNanoUsd: number | null;
  readonly pricesAsOf: string;
  /** Whose prices these are, if not those of the address; absent otherwise, and if nothing was spent. */
  readonly priceNote?: string;
}

/** What was spent, as exact dollars; `unknown` if no part of it has a known price: an unknown amount is never 0. */
export function formatSpentUsd(nanoUsd: number, unpricedAttempts: number): string {
  return nanoUsd === 0 && unpricedAttempts > 0 ? 'unknown' : formatUsd(nanoUsd);
}

/** Nano-dollars as exact dollars with nine decimals. */
export function formatUsd(nanoUsd: number): string {
  const sign = nanoUsd < 0 ? '-' : '';
  const absolute = Math.abs(nanoUsd);
  const whole = Math.floor(absolute / 1e9);
  return `${sign}${whole}.${String(absolute % 1e9).padStart(9, '0')}`;
}
