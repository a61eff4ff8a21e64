import { ApiError } from '../openai/api-error.ts';
import { createPatience } from './backoff.ts';
import type { BatchContext } from './context.ts';

/** Asks the provider to cancel; a batch that is already final cannot be cancelled, and that is fine. */
export async function cancelBatch(context: BatchContext, batchId: string): Promise<void> {
  const patience = createPatience(context, `the end of batch ${batchId}`);
  await context.ledger.append({ type: 'cancel-intent', batchId });
  for (;;) {
    try {
      const batch = await context.provider.cancelBatch(batchId, context.signal);
      return await context.ledger.append({ type: 'cancel-done', batchId, status: batch.status });
    } catch (error) {
      if (!(error instanceof ApiError) || error.kind === 'stop') throw error;
      if (error.status === 409 || error.kind === 'permanent')
        return await context.ledger.append({ type: 'cancel-done', batchId, status: lastStatus(context, batchId) });
      await patience.waitAfter(error);
    }
  }
}

function lastStatus({ ledger }: BatchContext, batchId: string): string {
  return ledger.fold.batches.get(batchId)?.status ?? 'cancelling';
}
