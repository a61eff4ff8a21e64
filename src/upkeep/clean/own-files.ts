import type { BatchState, LedgerFold } from '../../ledger/events/fold.ts';
import { ApiError } from '../../openai/api-error.ts';
import type { Provider } from '../../openai/provider.ts';
import type { StateFacts } from './state-facts.ts';

/**
 * Files of ours at the provider that are no longer needed, by the ids in the ledger and by nothing else: no name, purpose or listing of the
 * provider makes a file ours. An input file is kept until every batch that may have been created from it has ended.
 */
export function listOwnFiles({ inputs, answers, removed }: StateFacts, fold: LedgerFold): readonly string[] {
  const batches = [...fold.batches.values()];
  const isOver = (batch: BatchState) => batch.isCollected && batch.status !== 'lost';
  const openShards = new Set(batches.flatMap((batch) => (batch.shard === null || isOver(batch) ? [] : [batch.shard])));
  for (const { shard } of fold.absentCreates.values()) openShards.add(shard);
  const isSpent = (shard: string) => {
    const status = fold.shards.get(shard)?.status;
    return (status === 'collected' || status === 'retired') && !openShards.has(shard);
  };
  const ofInputs = [...inputs].flatMap(([shard, fileIds]) => (isSpent(shard) ? fileIds : []));
  const ofAnswers = batches.filter(isOver).flatMap(({ id }) => answers.get(id) ?? []);
  return [...new Set([...ofInputs, ...ofAnswers])].filter((fileId) => !removed.has(fileId));
}

/** The result of removing files at the provider. */
export interface RemovedFiles {
  readonly removed: readonly string[];
  /** Ids the provider does not know: expired, or removed by hand. */
  readonly gone: readonly string[];
  readonly failed: readonly { readonly id: string; readonly message: string }[];
}

/** Removes them one after the other. If a response is lost, the file is left to the next time. */
export async function removeOwnFiles(
  fileIds: readonly string[],
  provider: Pick<Provider, 'deleteFile'>,
  signal: AbortSignal,
): Promise<RemovedFiles> {
  const removed: string[] = [];
  const gone: string[] = [];
  const failed: { id: string; message: string }[] = [];
  for (const id of fileIds) {
    try {
      await provider.deleteFile(id, signal);
      removed.push(id);
    } catch (error) {
      if (!(error instanceof ApiError) || error.kind === 'stop') throw error;
      if (error.status === 404 || error.status === 410) gone.push(id);
      else failed.push({ id, message: error.message });
    }
  }
  return { removed, gone, failed };
}
