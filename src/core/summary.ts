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
  /** What the table made doubtful, in words without any text of it: lines left out, keys that are no columns. Absent when there is nothing. */
  readonly warnings?: readonly string[];
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
  /** Billed attempts of the run that gave no answer that counts, by why; their rows were asked again, or failed. Absent without any. */
  readonly withoutAnswer?: WithoutAnswer;
  /** After a pilot that came to its end: what it was not to ask. Absent where nothing is left. */
  readonly notAsked?: NotAsked;
  /** Over the ledger's whole life, all runs. `unpricedAttempts`: billed ones without a known cost, which are in no sum; absent when there are none. */
  readonly ledger: { readonly attempts: number; readonly nanoUsd: number; readonly unpricedAttempts?: number };
  readonly batches: readonly { readonly id: string; readonly status: string; readonly requests: number }[];
  /** Only of a run with a deadline. */
  readonly deadline?: DeadlineSummary;
  /** What may have been billed without an answer, one by one; absent when there is nothing. */
  readonly possiblyBilled?: readonly DoubtfulCalls[];
  /** Lines in the provider's files that were counted but are no answers, by kind; empty when there were none. */
  readonly anomalies: Readonly<Record<string, number>>;
  /** What such lines cost, in nano-dollars, where they tell of a call; null where a part of it is not known. Absent when there are none. */
  readonly anomalyCosts?: AnomalyCosts;
  /** Paths relative to the working directory; null where not written. */
  readonly outputs: { readonly table: string | null; readonly failures: string | null; readonly report: string | null };
  /** What to type next, when there is something to do. */
  readonly next: string | null;
}

/** `nanoUsd`: the part of the run's cost that is known of them. */
export type WithoutAnswer = Readonly<Partial<Record<Cause, { readonly attempts: number; readonly nanoUsd: number }>>>;

/** The rows that a run of the whole table would send. */
export interface NotAsked {
  readonly rows: number;
  /** Rows of the whole table. */
  readonly of: number;
  /** By what was measured; null where the price is unknown. */
  readonly expectedNanoUsd: number | null;
  /** What asks them; null where nobody types commands. */
  readonly command: string | null;
}

/** Calls that may have been billed and whose answers are not in our files. */
export interface DoubtfulCalls {
  /**
   * `lost_calls`: live calls without an end. `missing_lines`: in none of their batch's files. `vanished_batch`: the batch, or its file, is gone.
   * `extra_batch`: a batch nobody waits for, not over yet. `create_not_found`: no look found the batch of a create. `usage_beyond_lines`: the batch
   * says it used more than its lines.
   */
  readonly why: 'lost_calls' | 'missing_lines' | 'vanished_batch' | 'extra_batch' | 'create_not_found' | 'usage_beyond_lines';
  /** The batch, or the shard of a create that no look found; null for live calls. */
  readonly id: string | null;
  readonly calls: number;
  /** The most they can have cost, exact for `usage_beyond_lines`; null where that is not known. */
  readonly nanoUsd: number | null;
  /** Wire ids of the first of them, 20 at most; events.jsonl names all. */
  readonly keys: readonly string[];
}

export interface AnomalyCosts {
  /** Further lines for a request that another line answers: a part of the run's cost. */
  readonly conflict?: number | null;
  /** Lines that answer nothing of ours, and yet tell of tokens used: in no sum. */
  readonly foreign?: number | null;
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
  /** `nanoUsd` as exact dollars with nine decimals; `unknown` where no part of what was spent has a known price. */
  readonly usd: string;
  /** The sum of the table's `_cost_usd`. */
  readonly rowsNanoUsd: number;
  /** Calls whose row has left the input, extra batches, and what is known of rows whose whole cost is not. */
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

/** What was spent, as exact dollars; `unknown` where no part of it has a known price: never 0 for what is not known. */
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
