import type { BatchState, LedgerFold, ShardState } from './fold.ts';
import { NOTHING_MISSING } from './fold-doubts.ts';

export function inForce(fold: Pick<LedgerFold, 'epochRuns' | 'attemptEpoch' | 'generation'>): {
  run: string;
  attemptEpoch: number;
  generation: number;
} {
  return { run: fold.epochRuns[fold.attemptEpoch] ?? '', attemptEpoch: fold.attemptEpoch, generation: fold.generation };
}

export function makeBatch(
  fold: LedgerFold,
  id: string,
  shard: ShardState | undefined,
  how: { isExtra: boolean; adopted: boolean; at: string },
): BatchState {
  const { run, attemptEpoch, generation } = shard ?? inForce(fold);
  return {
    id,
    shard: shard?.id ?? null,
    status: 'validating',
    isExtra: how.isExtra,
    isCollected: false,
    hasReturned: false,
    usage: null,
    ...NOTHING_MISSING,
    submittedAt: how.at,
    announcedAt: shard?.createIntentAt ?? how.at,
    adopted: how.adopted,
    keyFingerprint: shard?.keyFingerprint ?? null,
    run,
    attemptEpoch,
    generation,
  };
}
