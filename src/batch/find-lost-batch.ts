import type { ShardState } from '../ledger/events/fold.ts';
import type { RemoteBatch } from '../openai/wire.ts';
import { type BatchContext, CLOCK_SKEW_MS } from './context.ts';

/** Every batch created since an instant (less the clock skew), page by page. The list has no filter and no order that can be relied on. */
export async function listBatchesSince(context: BatchContext, since: string): Promise<readonly RemoteBatch[]> {
  const sinceSeconds = (Date.parse(since) - CLOCK_SKEW_MS) / 1000;
  const seen = new Map<string, RemoteBatch>();
  let after: string | null = null;
  for (;;) {
    const page = await context.provider.listBatches({ after, signal: context.signal });
    const fresh = page.filter((batch) => !seen.has(batch.id));
    for (const batch of fresh) seen.set(batch.id, batch);
    if (fresh.length === 0 || page.every((batch) => batch.createdSeconds < sinceSeconds)) break;
    after = (page.at(-1) as RemoteBatch).id;
  }
  return [...seen.values()];
}

/** The batches one create may have left behind: by our metadata, or by the input file where a gateway dropped the metadata. */
export function findBatchesOfCreate(
  context: BatchContext,
  shard: ShardState,
  attempt: number,
  batches: readonly RemoteBatch[],
): readonly RemoteBatch[] {
  const isUnbound = (batch: RemoteBatch) => !context.ledger.fold.batches.has(batch.id);
  // A copy of a state directory looks for what was created before it became a state of its own.
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
