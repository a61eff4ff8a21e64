import { formatCount, formatThings } from '../../core/wording/format-count.ts';
import type { BatchState, LedgerFold, ShardState } from '../../ledger/events/fold.ts';

/** One thing a job waits for. */
export interface Wait {
  readonly what: 'batch' | 'shard' | 'rows' | 'runner';
  /** Batch or shard id; null for rows and the runner. */
  readonly id: string | null;
  readonly why: string;
}

/** What an open run waits for, and why; nothing if no run is open. Whether somebody works on it is determined elsewhere. */
export function listWaits(fold: LedgerFold, rows: { readonly due: number }): readonly Wait[] {
  const waits: Wait[] = [];
  for (const batch of fold.batches.values()) if (!batch.isCollected) waits.push({ what: 'batch', id: batch.id, why: explainBatch(batch) });
  for (const shard of fold.shards.values()) {
    const why = explainShard(shard, fold);
    if (why !== null) waits.push({ what: 'shard', id: shard.id, why });
  }
  const queued = fold.queuedCalls.size;
  const due = rows.due - queued;
  if (queued > 0)
    waits.push({
      what: 'rows',
      id: null,
      why: `${formatThings(queued, 'call')} handed to workers, who may make them even while no run is in progress; a run collects the answers`,
    });
  if (fold.currentRun !== null && due > 0)
    waits.push({
      what: 'rows',
      id: null,
      why: `${formatCount(due)} ${fold.currentRun.lane === 'live' ? 'not asked yet' : 'not packed into a batch file yet'}`,
    });
  return waits;
}

function explainBatch({ status, isExtra }: BatchState): string {
  if (isExtra) return `${status}: an extra batch that is being cancelled; what it finished is counted as money`;
  switch (status) {
    case 'completed':
    case 'expired':
    case 'cancelled':
      return `${status}: its files are still to be collected`;
    case 'failed':
      return 'failed: refused in validation, the rest of its rows is to be sent again';
    case 'cancelling':
      return 'being cancelled at the provider; a run collects what it has finished';
    default:
      return `${status} at the provider`;
  }
}

function explainShard(shard: ShardState, fold: LedgerFold): string | null {
  switch (shard.status) {
    case 'written':
    case 'uploading':
      return 'its file is still to be uploaded';
    case 'uploaded': {
      const limit = fold.learnedLimits.get(shard.model);
      if (shard.refusedCode === null) return 'uploaded, its batch is still to be created';
      return `refused (${shard.refusedCode}), to be sent again${limit === undefined ? '' : `; enqueued-token limit ${formatCount(limit)}`}`;
    }
    case 'creating':
    case 'create-unknown':
      return 'the answer to its creation was lost: the provider’s list is searched for its batch before anything is sent again';
    case 'submitted':
    case 'collected':
    case 'retired':
      return null;
    default:
      return shard.status satisfies never;
  }
}
