import type { BatchState } from '../ledger/events/fold.ts';
import type { FinishBatchOptions } from '../ledger/ledger.ts';
import type { RemoteBatch } from '../openai/wire.ts';
import { cancelBatch } from './cancel-batch.ts';
import type { BatchContext } from './context.ts';
import { download } from './download/download.ts';
import { learnFromLines } from './learn-from-lines.ts';
import { pollBatch } from './poll.ts';

/** How a batch ended, for `finishBatch`. */
export type CollectedEnd = Pick<FinishBatchOptions, 'status' | 'isMissingUnexecuted' | 'fileIds'>;

/**
 * Fetches both files of a final batch, whatever its status, and records them.
 * @returns the end to record: `lost` if rows were executed whose file cannot be fetched, so that they may have been billed
 */
export async function collectBatch(context: BatchContext, batch: RemoteBatch): Promise<CollectedEnd> {
  let isLost = batch.counts.completed > 0 && batch.outputFileId === null && batch.errorFileId === null;
  let isCut = false;
  let lines = 0;
  const fileIds: string[] = [];
  const shard = context.ledger.fold.batches.get(batch.id)?.shard ?? null;
  const rows = context.ledger.fold.shards.get(shard ?? '')?.rows ?? batch.counts.total;
  for (const kind of ['output', 'error'] as const) {
    const fileId = kind === 'output' ? batch.outputFileId : batch.errorFileId;
    if (fileId === null) continue;
    const got = await download(context, { fileId, name: `${batch.id}.${kind}`, asked: { shard, rows } });
    if (got === null) {
      context.warn(`batch ${batch.id}: its ${kind} file is gone at the provider`);
      isLost ||= kind === 'output';
      continue;
    }
    if (got.cut === null) fileIds.push(fileId);
    else {
      isCut = true;
      context.warn(`batch ${batch.id}: its ${kind} file is not used completely: ${got.cut}; rows without an answer may have been billed`);
    }
    await learnFromLines(context, got.path);
    const file = await context.ledger.recordResponse({
      batchId: batch.id,
      kind,
      temporaryPath: got.path,
      createdSeconds: batch.createdSeconds,
    });
    lines += file.lines;
  }
  const counted = batch.counts.completed + batch.counts.failed;
  if (counted > 0 && lines > 0 && counted !== lines) {
    context.warn(`batch ${batch.id}: the provider counts ${counted} rows, its files hold ${lines}; the files decide`);
  }
  const isEndedEarly = batch.status === 'cancelled' || batch.status === 'expired';
  return {
    status: isLost ? 'lost' : batch.status,
    isMissingUnexecuted: !isCut && isEndedEarly && batch.counts.total > 0 && counted === lines,
    fileIds,
  };
}

/**
 * Collects the results of a batch that was given up and reappeared. If no row waits for it any more, it is cancelled first.
 * @returns whether rows were given back unanswered
 */
export async function collectReturned(
  context: BatchContext,
  { id, keyFingerprint }: BatchState,
  options: { readonly isAwaited: boolean; readonly recalled: AbortSignal; readonly onPoll: (batch: RemoteBatch) => void },
): Promise<boolean> {
  const recalled = options.isAwaited ? options.recalled : AbortSignal.abort();
  const batch = await pollBatch(context, { batchId: id, keyFingerprint: keyFingerprint ?? '', onPoll: options.onPoll, recalled });
  const end = batch === null ? { status: 'lost' } : batch.status === 'failed' ? { status: 'failed' } : await collectBatch(context, batch);
  const { missing } = await context.ledger.finishBatch({ batchId: id, ...end, rejected: [], usage: batch?.usage ?? null });
  return missing > 0;
}

/** Cancels a batch of ours that no shard waits for, and still collects what it finished: that part is billed, and counted as orphaned. */
export async function collectExtra(context: BatchContext, batchId: string, onPoll: (batch: RemoteBatch) => void): Promise<void> {
  const { ledger, provider } = context;
  context.warn(
    `batch ${batchId} repeats one of ours (its create response was lost): it is cancelled, what it finished is counted as orphaned`,
  );
  await cancelBatch(context, batchId);
  const keyFingerprint = ledger.fold.batches.get(batchId)?.keyFingerprint ?? provider.keyFingerprint;
  const batch = await pollBatch(context, { batchId, keyFingerprint, onPoll });
  if (batch === null) return ledger.finishBatch({ batchId, status: 'lost', rejected: [], usage: null }).then(() => undefined);
  const end = await collectBatch(context, batch);
  await ledger.finishBatch({ batchId, ...end, rejected: [], usage: batch.usage });
}
