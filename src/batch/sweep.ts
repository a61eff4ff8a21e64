import { ApiError } from '../openai/api-error.ts';
import { createPatience } from './backoff.ts';
import type { BatchContext } from './context.ts';
import { listBatchesSince } from './find-lost-batch.ts';

/**
 * Compares the provider's list with the ledger: a batch that carries our state's id, or one of our input files, and that no create accounts
 * for, becomes an extra. Creates whose outcome is not known yet are left to their own looks.
 */
export async function sweepBatches(context: BatchContext, since: string): Promise<void> {
  const { ledger } = context;
  const batches = await listPatiently(context, since);
  const undecided = new Set([...ledger.fold.shards.values()].filter(isUndecided).map((shard) => shard.id));
  const shardByFile = new Map([...ledger.fold.shards.values()].map((shard) => [shard.fileId, shard.id]));
  const otherStates = new Set<string>();
  for (const batch of batches) {
    if (ledger.fold.batches.has(batch.id)) continue;
    const { rowmill, state, shard } = batch.metadata;
    const shardId = state === ledger.stateId ? (shard ?? null) : state === undefined ? (shardByFile.get(batch.inputFileId) ?? null) : null;
    if (state === ledger.stateId || shardId !== null) {
      if (shardId === null || !undecided.has(shardId)) await ledger.append({ type: 'batch-extra', batchId: batch.id, shard: shardId });
    } else if (rowmill === context.jobName && state !== undefined) otherStates.add(state);
  }
  for (const state of otherStates)
    context.warn(`the provider holds batches of job ${context.jobName} from another state directory (${state}); they are left alone`);
}

function isUndecided(shard: { readonly status: string }): boolean {
  return shard.status === 'creating' || shard.status === 'create-unknown';
}

async function listPatiently(context: BatchContext, since: string) {
  const patience = createPatience(context);
  for (;;) {
    try {
      return await listBatchesSince(context, since);
    } catch (error) {
      if (!(error instanceof ApiError) || error.kind === 'stop') throw error;
      if (error.kind === 'permanent') return [];
      await patience.waitAfter(error);
    }
  }
}
