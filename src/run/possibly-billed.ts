import { readUsage, type Usage } from '../core/usage.ts';
import type { BatchState } from '../ledger/fold.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Books } from './books.ts';
import type { PreparedJob } from './prepare.ts';
import { type CostBound, makeCostBound } from './price-bounds.ts';

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
 * bound; and what a batch's own usage holds beyond the lines of its files.
 */
export function findPossiblyBilled(options: PossiblyBilledOptions): PossiblyBilled {
  const { ledger, run, books } = options;
  const { findPrice, compiled } = options.prepared;
  const { job } = compiled;
  const at = options.clock().toISOString();
  const unknown = ledger.fold.unknownCalls.get(run) ?? { calls: 0, bodyBytes: 0 };
  const liveBound = makeCostBound(job, 'live', at, findPrice);
  let calls = 0;
  let nanoUsd =
    liveBound === null ? 0 : Math.ceil(unknown.bodyBytes * liveBound.perInputByteNanoUsd + unknown.calls * liveBound.perAnswerNanoUsd);
  for (const batch of ledger.fold.batches.values()) {
    if (batch.run !== run) continue;
    if (batch.status === 'lost' || (batch.isExtra && !batch.isCollected))
      nanoUsd += boundBatch(ledger, batch, makeCostBound(job, 'batch', at, findPrice));
    else {
      const beyond = subtract(readUsage(batch.usage), books.usageOfBatch(batch.id));
      if (beyond === null) continue;
      const cost = books.costOf({ usage: beyond, isBilled: true, model: job.model, tier: null, createdSeconds: null, lane: 'batch' });
      options.warn(
        `batch ${batch.id}: the provider counts ${beyond.inputTokens} input and ${beyond.outputTokens} output tokens more than its files hold; ` +
          `${batch.missing} calls without a line may have been billed`,
      );
      calls += Math.max(1, batch.missing);
      nanoUsd += cost ?? 0;
    }
  }
  return { batchCalls: calls, liveCalls: unknown.calls, nanoUsd };
}

function boundBatch(ledger: Ledger, batch: BatchState, bound: CostBound | null): number {
  const shard = batch.shard === null ? undefined : ledger.fold.shards.get(batch.shard);
  return bound === null || shard === undefined
    ? 0
    : Math.ceil(shard.bytes * bound.perInputByteNanoUsd + shard.rows * bound.perAnswerNanoUsd);
}

/** What is in the first beyond the second; null when there is nothing more, or nothing to compare with. */
function subtract(whole: Usage | null, part: Usage): Usage | null {
  if (whole === null) return null;
  const inputTokens = Math.max(0, whole.inputTokens - part.inputTokens);
  const outputTokens = Math.max(0, whole.outputTokens - part.outputTokens);
  if (inputTokens === 0 && outputTokens === 0) return null;
  const cachedInputTokens = Math.min(inputTokens, Math.max(0, whole.cachedInputTokens - part.cachedInputTokens));
  return { inputTokens, cachedInputTokens, cacheWriteTokens: 0, outputTokens, reasoningTokens: 0 };
}
