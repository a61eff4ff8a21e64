import type { NotAsked, RowCounts } from '../../core/summary.ts';
import type { LedgerFold } from '../../ledger/events/fold.ts';
import { ENOUGH_ANSWERS } from '../open/answer-history.ts';

/** A run that stopped, and what it has paid for. */
export interface StoppedRun {
  readonly rows: RowCounts;
  /** Cost of its rows; null if a part of it is unknown. */
  readonly rowsNanoUsd: number | null;
  /** Its expected cost when it started; null if unknown. */
  readonly estimateNanoUsd: number | null;
  readonly fold: Pick<LedgerFold, 'batches' | 'shards'>;
  /** The command that continues it. */
  readonly command: string;
}

/**
 * What a stopped run still has to send, by the mean cost of the rows it finished, or by its estimate if these are too few; the table is not
 * read again. Null if everything left is already in batches.
 */
export function estimateRest({ rows: counts, rowsNanoUsd, estimateNanoUsd, fold, command }: StoppedRun): NotAsked | null {
  let inBatches = 0;
  for (const { isCollected, shard } of fold.batches.values())
    if (!isCollected && shard !== null) inBatches += fold.shards.get(shard)?.rows ?? 0;
  const rows = counts.pending - inBatches;
  if (rows <= 0) return null;
  const finished = counts.new + counts.failed;
  const meanNanoUsd =
    finished >= ENOUGH_ANSWERS && rowsNanoUsd !== null
      ? rowsNanoUsd / finished
      : estimateNanoUsd === null
        ? null
        : estimateNanoUsd / (finished + counts.pending);
  return { rows, of: counts.in, expectedNanoUsd: meanNanoUsd === null ? null : Math.round(meanNanoUsd * rows), command };
}
