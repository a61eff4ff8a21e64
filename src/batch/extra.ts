import type { RemoteBatch } from '../openai/wire.ts';
import { cancelBatch } from './cancel-batch.ts';
import { collectBatch } from './collect.ts';
import type { BatchContext } from './context.ts';
import { pollBatch } from './poll.ts';

/** Cancels a batch of ours that nobody waits for and takes in what it finished all the same: that part is billed, and is counted as orphaned. */
export async function collectExtra(context: BatchContext, batchId: string, onPoll: (batch: RemoteBatch) => void): Promise<void> {
  const { ledger, provider } = context;
  context.warn(
    `batch ${batchId} repeats one of ours (its create response was lost): it is cancelled, what it finished is counted as orphaned`,
  );
  await cancelBatch(context, batchId);
  const keyFingerprint = ledger.fold.batches.get(batchId)?.keyFingerprint ?? provider.keyFingerprint;
  const batch = await pollBatch(context, { batchId, keyFingerprint, onPoll });
  if (batch === null) return ledger.finishBatch({ batchId, status: 'lost', rejected: [], usage: null }).then(() => undefined);
  await collectBatch(context, batch);
  await ledger.finishBatch({ batchId, status: batch.status, rejected: [], usage: batch.usage });
}
