import type { ShardState } from '../ledger/events/fold.ts';
import { ApiError } from '../openai/api-error.ts';
import type { RemoteBatch } from '../openai/wire.ts';
import { createPatience } from './backoff.ts';
import type { BatchContext } from './context.ts';
import { findGap, isNoList, LIST_PATIENCE_MS, listBatches } from './list-batches.ts';

/**
 * Searches once for the batches a create may have made. A search counts only if the list answered: a 404, 405 or 501 from something in front of
 * the provider proves nothing. A list that lacks a known batch is read again for a while, by the last search.
 * @throws AppError exit 7 if no list was received for ten minutes
 */
export async function lookForCreate(
  context: BatchContext,
  shard: ShardState,
  { attempt, isLast }: { readonly attempt: number; readonly isLast: boolean },
): Promise<readonly RemoteBatch[]> {
  const patience = createPatience(context, `the search for the batch of file ${shard.id}`);
  const since = shard.createIntentAt as string;
  const untilMs = context.monotonicMs() + LIST_PATIENCE_MS;
  let isTold = false;
  const tell = (why: string) => {
    if (!isTold)
      context.warn(
        `${why}: this does not show whether file ${shard.id} has its batch; rowmill keeps looking for it and does not create it again`,
      );
    isTold = true;
  };
  for (;;) {
    try {
      const { batches, doubt } = await listBatches(context, since);
      const found = findBatchesOfCreate(context, shard, attempt, batches);
      const gap = findGap(context, batches);
      // A list without an end will not get one later.
      if (doubt !== null) context.warn(`${doubt}: a batch of file ${shard.id} beyond them is not seen`);
      if (found.length > 0 || doubt !== null || gap === null || !isLast || context.monotonicMs() >= untilMs) return found;
      tell(gap);
      await context.sleep(context.settings.pollMaxMs, context.stopping);
    } catch (error) {
      if (!(error instanceof ApiError) || error.kind === 'stop') throw error;
      if (isNoList(error)) tell(`the list of batches was answered with ${error.message}`);
      await patience.waitAfter(error);
    }
  }
}

/** The batches one create may have made: by our metadata, or by the input file if a gateway dropped the metadata. */
function findBatchesOfCreate(
  context: BatchContext,
  shard: ShardState,
  attempt: number,
  batches: readonly RemoteBatch[],
): readonly RemoteBatch[] {
  const isUnbound = (batch: RemoteBatch) => !context.ledger.fold.batches.has(batch.id);
  // A copy of a state directory searches for what was created before it became a separate state.
  const stateId = context.ledger.fold.shards.get(shard.id)?.createState ?? context.ledger.stateId;
  const byMetadata = batches.filter(
    (batch) => isUnbound(batch) && isOurs(batch, stateId, shard.id) && batch.metadata.attempt === String(attempt),
  );
  if (byMetadata.length > 0) return byMetadata;
  return batches.filter(
    (batch) => isUnbound(batch) && batch.metadata.state === undefined && batch.inputFileId !== null && batch.inputFileId === shard.fileId,
  );
}

function isOurs(batch: RemoteBatch, stateId: string, shard: string): boolean {
  return batch.metadata.state === stateId && batch.metadata.shard === shard;
}

const FURTHEST_FIRST = ['completed', 'finalizing', 'in_progress', 'validating'];

/** Of several batches for one create, the one to keep: furthest along, then oldest. */
export function chooseBatch(
  matches: readonly RemoteBatch[],
): { readonly kept: RemoteBatch; readonly extras: readonly RemoteBatch[] } | null {
  const rank = (batch: RemoteBatch) => (FURTHEST_FIRST.indexOf(batch.status) + FURTHEST_FIRST.length + 1) % (FURTHEST_FIRST.length + 1);
  const [kept, ...extras] = matches.toSorted((a, b) => rank(a) - rank(b) || a.createdSeconds - b.createdSeconds || (a.id < b.id ? -1 : 1));
  return kept === undefined ? null : { kept, extras };
}
