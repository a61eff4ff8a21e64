import type { CostOf } from '../../core/settled.ts';
import { readUsage, type Usage } from '../../core/usage.ts';
import type { BatchState } from '../../ledger/events/fold.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import { type Amount, type CostBound, makeCostBound } from '../../money/cost-bound.ts';
import type { Books } from '../open/books.ts';
import type { PreparedJob } from '../open/prepared-job.ts';

/** What may have been paid for without an answer that reached us. */
export interface PossiblyBilled {
  readonly batchCalls: number;
  readonly liveCalls: number;
  /** Exact where the provider's own sum says it, else an upper bound. */
  readonly nanoUsd: number;
}

export interface PossiblyBilledOptions {
  readonly ledger: Ledger;
  readonly books: Books;
  readonly run: string;
  readonly prepared: PreparedJob;
  readonly clock: () => Date;
  readonly warn: (message: string) => void;
}

/**
 * Adds up what may have been billed without an answer: live calls without an end; batches that are lost or still open as extras, at their upper
 * bound; and what a batch's own usage holds beyond the lines of its files. What a batch's own usage lacks is told.
 */
export function findPossiblyBilled(options: PossiblyBilledOptions): PossiblyBilled {
  const { ledger, run, books } = options;
  const { findPrice, compiled } = options.prepared;
  const shared = { job: compiled.job, at: options.clock().toISOString(), findPrice, sets: [...ledger.fold.retrySets.values()] };
  const unknown = amountOfUnknownCalls(ledger, run);
  const batches = findUnansweredOfBatches({ ledger, books, run, model: compiled.job.model });
  const live = makeCostBound({ ...shared, lane: 'live' });
  const batch = makeCostBound({ ...shared, lane: 'batch' });
  for (const difference of batches.differences) options.warn(difference);
  return {
    batchCalls: batches.calls,
    liveCalls: unknown.rows,
    nanoUsd: (live?.of(unknown, unknown.bytes) ?? 0) + batches.nanoUsdOf(batch),
  };
}

/** Live calls of a run that may have been billed without an answer. */
export function amountOfUnknownCalls({ fold }: Ledger, run: string): Amount {
  const { calls, bodyBytes, answerCaps } = fold.unknownCalls.get(run) ?? { calls: 0, bodyBytes: 0, answerCaps: 0 };
  return { bytes: bodyBytes, rows: calls, answerCaps };
}

export interface UnansweredOptions {
  readonly ledger: Ledger;
  readonly books: Books;
  readonly run: string;
  readonly model: string;
}

/** What the batches of a run may have been billed for without lines that reached us. */
export interface UnansweredOfBatches {
  readonly calls: number;
  /** Where a batch's own usage and its lines disagree, in words. */
  readonly differences: readonly string[];
  /** Whole batches at their upper bound, which is left out where it is not known. */
  nanoUsdOf(bound: CostBound | null): number;
}

export function findUnansweredOfBatches({ ledger, books, run, model }: UnansweredOptions): UnansweredOfBatches {
  const lost: Amount[] = [];
  const differences: string[] = [];
  let calls = 0;
  let beyondNanoUsd = 0;
  for (const batch of ledger.fold.batches.values()) {
    if (batch.run !== run) continue;
    if (batch.status === 'lost' || (batch.isExtra && !batch.isCollected)) {
      const shard = batch.shard === null ? undefined : ledger.fold.shards.get(batch.shard);
      if (shard !== undefined) lost.push(shard);
      continue;
    }
    const whole = readUsage(batch.usage, { hasOutput: false });
    if (whole === null) continue;
    const difference = compareUsage(batch, whole, books.usageOfBatch(batch.id), books.unpricedOf(run).rowsOf(batch.id));
    if (difference === null) continue;
    differences.push(difference.message);
    if (difference.beyond === null) continue;
    calls += Math.max(1, batch.missing);
    beyondNanoUsd += priceBeyond(difference.beyond, model, books.costOf);
  }
  return {
    calls,
    differences,
    nanoUsdOf: (bound) => lost.reduce((sum, amount) => sum + (bound?.of(amount, amount.bytes) ?? 0), beyondNanoUsd),
  };
}

function priceBeyond(usage: Usage, model: string, costOf: CostOf): number {
  return costOf({ usage, isBilled: true, model, tier: null, createdSeconds: null, lane: 'batch' }) ?? 0;
}

/** @returns null where both say the same; `beyond` is what the lines lack, null where they lack nothing */
function compareUsage(
  { id, missing }: BatchState,
  whole: Usage,
  lines: Usage,
  unpriced: number,
): { readonly message: string; readonly beyond: Usage | null } | null {
  const inputTokens = whole.inputTokens - lines.inputTokens;
  const outputTokens = whole.outputTokens - lines.outputTokens;
  if (inputTokens === 0 && outputTokens === 0) return null;
  const say = (tokens: number, word: string) => `${Math.abs(tokens)} ${word} tokens ${tokens < 0 ? 'fewer' : 'more'}`;
  const message = `batch ${id}: the provider counts ${say(inputTokens, 'input')} and ${say(outputTokens, 'output')} than its files hold`;
  if (inputTokens <= 0 && outputTokens <= 0) return { message: `${message}; the lines are what is counted`, beyond: null };
  // They were answered, and are counted as attempts of unknown cost.
  if (missing === 0 && unpriced > 0) return { message: `${message}; ${unpriced} of its lines tell no cost`, beyond: null };
  const beyondInput = Math.max(0, inputTokens);
  const beyond = {
    inputTokens: beyondInput,
    cachedInputTokens: Math.min(beyondInput, Math.max(0, whole.cachedInputTokens - lines.cachedInputTokens)),
    cacheWriteTokens: 0,
    outputTokens: Math.max(0, outputTokens),
    reasoningTokens: 0,
  };
  return { message: `${message}; ${missing} calls without a line may have been billed`, beyond };
}
