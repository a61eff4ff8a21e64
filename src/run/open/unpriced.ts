import { countAnswerCaps } from '../../core/request.ts';
import type { SettledRecord } from '../../core/settled.ts';
import type { LedgerFold } from '../../ledger/events/fold.ts';
import type { Amount, CostBound } from '../../money/cost-bound.ts';

/** Billed attempts whose price or usage is unknown: their cost is bounded by what was reserved for them when they were sent. */
export interface UnpricedCalls {
  add(record: Pick<SettledRecord, 'customId' | 'lane'>, from: { readonly batchId: string; readonly bodyBytes: number | null }): void;
  /** Rows of a batch among them. */
  rowsOf(batchId: string): number;
  /** The most the live ones can have cost; `largest` is used for one of unknown size. */
  boundLive(bound: CostBound, largest: Amount): number;
  /** The most those of batches can have cost. */
  boundBatches(bound: CostBound, largest: Amount, fold: Pick<LedgerFold, 'shards' | 'batches'>): number;
}

type Mutable<T> = { -readonly [Field in keyof T]: T[Field] };

export function createUnpricedCalls(): UnpricedCalls {
  const live: Mutable<Amount> = { bytes: 0, rows: 0, answerCaps: 0 };
  const rowsByBatch = new Map<string, { rows: number; answerCaps: number }>();
  let longestBytes = 0;
  let unsized = 0;
  return {
    add({ customId, lane }, { batchId, bodyBytes }) {
      const answerCaps = countAnswerCaps(customId);
      if (lane === 'live' && bodyBytes === null) unsized += 1;
      else if (lane === 'live') {
        const bytes = bodyBytes as number;
        live.bytes += bytes;
        live.rows += 1;
        live.answerCaps += answerCaps;
        longestBytes = Math.max(longestBytes, bytes);
      } else {
        const known = rowsByBatch.get(batchId) ?? { rows: 0, answerCaps: 0 };
        rowsByBatch.set(batchId, { rows: known.rows + 1, answerCaps: known.answerCaps + answerCaps });
      }
    },
    rowsOf: (batchId) => rowsByBatch.get(batchId)?.rows ?? 0,
    boundLive: (bound, largest) => bound.of(live, longestBytes) + unsized * bound.of(largest, largest.bytes),
    boundBatches(bound, largest, { shards, batches }) {
      let nanoUsd = 0;
      for (const [batchId, amount] of rowsByBatch) {
        const shard = shards.get(batches.get(batchId)?.shard ?? '');
        // It is unknown which rows, so each counts as the longest, but all together as no more than the file.
        const { longestBytes: longest, bytes } = shard ?? { longestBytes: largest.bytes, bytes: Number.POSITIVE_INFINITY };
        nanoUsd += bound.of({ ...amount, bytes: Math.min(amount.rows * longest, bytes) }, longest);
      }
      return nanoUsd;
    },
  };
}
