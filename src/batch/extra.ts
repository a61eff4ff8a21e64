import { ApiError } from '../openai/api-error.ts';
import type { RemoteBatch } from '../openai/wire.ts';
import { createPatience } from './backoff.ts';
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

/** Asks the provider to cancel; a batch that is final already cannot be cancelled, and that is fine. */
export async function cancelBatch(context: BatchContext, batchId: string): Promise<void> {
  const patience = createPatience(context);
  await context.ledger.append({ type: 'cancel-intent', batchId });
  for (;;) {
    try {
      const batch = await context.provider.cancelBatch(batchId, context.signal);
      return await context.ledger.append({ type: 'cancel-done', batchId, status: batch.status });
    } catch (error) {
      if (!(error instanceof ApiError) || error.kind === 'stop') throw error;
      if (error.status === 409 || error.kind === 'permanent')
        return await context.ledger.append({ type: 'cancel-done', batchId, status: error.code });
      await patience.waitAfter(error);
    }
  }
}
