import { formatThings } from '../core/wording/format-count.ts';
import type { ShardState } from '../ledger/events/fold.ts';
import { awaitFile } from './await-file.ts';
import { learnFromAnswers, learnFromFailure } from './cache-carrier.ts';
import { collectBatch } from './collect.ts';
import type { BatchContext } from './context.ts';
import { createBatch, shardNow } from './create.ts';
import { createRejectionHandler, isOver } from './handle-rejection.ts';
import { pollBatch } from './poll.ts';
import { type Rejection, readGeneral, readRejection } from './rejection.ts';
import type { ShardLifecycleOptions } from './shard-lifecycle-options.ts';
import { uploadShard } from './upload.ts';

/** How a shard ends: with an answer to every row, or with rows given back, to be packed again. */
export type ShardEnd = 'collected' | 'given-back';

/**
 * The course of one shard: upload, wait for room, create, poll, collect. It starts at the shard's state in the ledger, so continuing
 * after a crash is the same call.
 * @throws ApiError or AppError if the run has to stop; the reason of `stopping` if it should
 */
export async function runShardLifecycle(context: BatchContext, options: ShardLifecycleOptions): Promise<ShardEnd> {
  const { recalled } = options;
  /** For waits while there is no batch: they end when the shard is recalled. */
  const sending = { ...context, stopping: AbortSignal.any([context.stopping, recalled]) };
  const handleRejection = createRejectionHandler(sending, options);
  let mustUpload = isStatus(context, options.shard, 'written', 'uploading');
  // It is unknown how long an earlier process waited for the file.
  let mustAwaitFile = isStatus(context, options.shard, 'uploaded');
  for (;;) {
    if (recalled.aborted && isStatus(context, options.shard, 'written', 'uploading', 'uploaded')) return retire(context, options);
    try {
      if (mustAwaitFile) await awaitFile(sending, shardNow(context, options.shard));
      mustAwaitFile = false;
      const rejection = (mustUpload ? await upload(sending, options) : null) ?? (await submit(context, sending, options));
      if (typeof rejection === 'string') return rejection;
      const next = await handleRejection(rejection);
      if (next === 'retired') return 'given-back';
      mustUpload = next === 'upload';
    } catch (error) {
      // Woken by the recall; the head of the loop decides what to do.
      if (context.stopping.aborted || error !== recalled.reason) throw error;
    }
  }
}

function isStatus(context: BatchContext, shard: ShardState, ...statuses: readonly ShardState['status'][]): boolean {
  return statuses.includes(shardNow(context, shard).status);
}

async function retire(
  context: BatchContext,
  { shard }: ShardLifecycleOptions,
  why = 'recalled before it became a batch',
): Promise<'given-back'> {
  await context.ledger.append({ type: 'shard-retired', shard: shard.id, why });
  return 'given-back';
}

async function upload(context: BatchContext, options: ShardLifecycleOptions): Promise<'given-back' | Rejection | null> {
  options.onPhase('uploading');
  const { shard, isResumed } = options;
  const end = await options.inUploadTurn(() => uploadShard(context, shardNow(context, shard), isResumed));
  if (end === 'damaged') {
    context.warn(`batch file ${shard.id} was lost or cut before it was sent: its rows are packed again`);
    return retire(context, options, 'its file was lost or cut');
  }
  if (end === 'too-large') return { type: 'too-large', message: 'the provider takes no file of this size' };
  if (end === 'processing') await awaitFile(context, shardNow(context, options.shard));
  return null;
}

/** From an uploaded file to answers on disk. @returns how that ended, or why the provider would not take the shard */
async function submit(context: BatchContext, sending: BatchContext, options: ShardLifecycleOptions): Promise<ShardEnd | Rejection> {
  const { admission, onPhase, recalled, requestAdmission } = options;
  let shard = shardNow(context, options.shard);
  // A create with an open outcome is searched for, recalled or not.
  const leave = await enter(options, shard, shard.status === 'submitted' || recalled.aborted ? null : sending.stopping);
  try {
    if (shard.status !== 'submitted') {
      // Learned while it waited: sending it would only be refused.
      if (shard.rows > 1 && (isOver(shard.tokens, admission) || isOver(shard.rows, requestAdmission)))
        return { type: 'queue-full', limitTokens: null, limitRequests: null };
      onPhase('creating');
      const created = await createBatch(context, shard, recalled);
      if (created.status === 'recalled') return retire(context, options);
      if (created.status === 'refused') return readRefusal(created.refusal);
      shard = shardNow(context, shard);
    }
    return await awaitAnswers(context, options, shard);
  } finally {
    leave();
  }
}

/** Waits for room in the queue, or counts the shard without waiting if there is no `stopping`. @returns a function that releases the room */
async function enter(
  { admission, requestAdmission, onPhase }: ShardLifecycleOptions,
  { tokens, rows }: ShardState,
  stopping: AbortSignal | null,
): Promise<() => void> {
  const leave = () => {
    admission.leave(tokens);
    requestAdmission.leave(rows);
  };
  if (stopping === null) {
    admission.enterNow(tokens);
    requestAdmission.enterNow(rows);
    return leave;
  }
  await enterQueue(admission, tokens);
  try {
    await enterQueue(requestAdmission, rows);
  } catch (error) {
    admission.leave(tokens);
    throw error;
  }
  return leave;

  /** Who is let in at once does not wait. */
  function enterQueue(queue: ShardLifecycleOptions['admission'], size: number): Promise<void> {
    const entered = queue.enter(size, stopping as AbortSignal);
    if (queue.waiting > 0) onPhase('waiting');
    return entered;
  }
}

async function awaitAnswers(context: BatchContext, options: ShardLifecycleOptions, shard: ShardState): Promise<ShardEnd | Rejection> {
  const batchId = shard.batchId as string;
  options.onPhase('polling');
  const batch = await pollBatch(context, {
    batchId,
    keyFingerprint: shard.keyFingerprint ?? '',
    onPoll: options.onPoll,
    recalled: options.recalled,
  });
  if (batch === null) {
    context.warn(
      `batch ${batchId} is gone at the provider: its ${formatThings(shard.rows, 'request')} may have been billed; they are sent again once, and every later run looks for the batch`,
    );
    return finish(context, { batchId, status: 'lost', rejected: [], usage: null });
  }
  if (batch.status === 'failed') {
    if (await learnFromFailure(context, shard, batch.errors)) {
      await context.ledger.finishBatch({ batchId, status: 'failed', rejected: [], usage: batch.usage });
      return { type: 'undelivered' };
    }
    const rejection = readRejection(batch, await context.ledger.readShardIds(shard.id));
    await context.ledger.finishBatch({
      batchId,
      status: 'failed',
      rejected: rejection.type === 'rows' ? rejection.rejected : [],
      usage: batch.usage,
    });
    return rejection;
  }
  options.cutSize.sawCollected(shard.rows);
  options.breaker.sawPass();
  options.onPhase('collecting');
  const end = await collectBatch(context, batch);
  await learnFromAnswers(context, shard, batchId);
  return finish(context, { batchId, ...end, rejected: [], usage: batch.usage });
}

async function finish(context: BatchContext, batch: Parameters<BatchContext['ledger']['finishBatch']>[0]): Promise<ShardEnd> {
  const { missing } = await context.ledger.finishBatch(batch);
  return missing === 0 ? 'collected' : 'given-back';
}

/** A 4xx at create: the same reasons as for a failed batch, and any other is about the job. */
function readRefusal(refusal: { readonly code: string; readonly message: string }): Rejection {
  return readGeneral(refusal.code, refusal.message, null) ?? { type: 'job-refused', code: refusal.code, message: refusal.message };
}
