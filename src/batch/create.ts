import { AppError, EXIT } from '../core/errors.ts';
import type { ShardState } from '../ledger/events/fold.ts';
import { ApiError } from '../openai/api-error.ts';
import { createPatience } from './backoff.ts';
import type { BatchContext } from './context.ts';
import { chooseBatch, findBatchesOfCreate, listBatchesSince } from './find-lost-batch.ts';

/** After this many creates whose response was lost and which left no trace, the shard stays pending. */
const MAX_UNKNOWN_CREATES = 3;

/** How an attempt to create a batch ended. */
export type Created =
  | { readonly status: 'created'; readonly batchId: string }
  | { readonly status: 'refused'; readonly refusal: ApiError }
  /** There is no batch of the shard, and none is wanted any more. */
  | { readonly status: 'recalled' };

/**
 * Turns an uploaded shard into one batch and no more: the intent is on disk before the call, and a call whose outcome is not known is
 * looked for, never repeated blindly (the API has no idempotency key; openai-contract section 8). Once `recalled` fires, nothing new is created.
 * @throws ApiError that stops the run, or AppError exit 7 when three creates were lost without a trace
 */
export async function createBatch(context: BatchContext, shard: ShardState, recalled: AbortSignal): Promise<Created> {
  const patience = createPatience(context);
  if (shard.status === 'creating' || shard.status === 'create-unknown') {
    const found = await resolveCreate(context, shard, shard.createAttempt);
    if (found !== null) return { status: 'created', batchId: found };
  }
  for (let unknownCreates = 0; unknownCreates < MAX_UNKNOWN_CREATES; ) {
    context.stopping.throwIfAborted();
    if (recalled.aborted) return { status: 'recalled' };
    const result = await tryCreate(context, shard);
    if (result.status === 'created') return result;
    if (result.status === 'unknown') {
      unknownCreates += 1;
      const found = await resolveCreate(context, shard, shardNow(context, shard).createAttempt);
      if (found !== null) return { status: 'created', batchId: found };
      continue;
    }
    if (result.failure.kind === 'stop') throw result.failure;
    if (result.failure.kind === 'permanent' || isEnqueuedLimit(result.failure)) return { status: 'refused', refusal: result.failure };
    await patience.waitAfter(result.failure);
  }
  throw new AppError(
    `three creates of shard ${shard.id} were lost without a trace at ${context.provider.baseUrl}; nothing of it was found there, its rows stay pending; run the same command later`,
    { code: 'create_unknown', exitCode: EXIT.notFinished },
  );
}

type Tried =
  | { readonly status: 'created'; readonly batchId: string }
  | { readonly status: 'refused'; readonly failure: ApiError }
  | { readonly status: 'unknown' };

async function tryCreate(context: BatchContext, shard: ShardState): Promise<Tried> {
  const { ledger, provider } = context;
  const attempt = shardNow(context, shard).createAttempt + 1;
  const fileId = shardNow(context, shard).fileId as string;
  await ledger.append({ type: 'create-intent', shard: shard.id, attempt, fileId, keyFingerprint: provider.keyFingerprint });
  try {
    const metadata = { rowmill: context.jobName, state: ledger.stateId, shard: shard.id, attempt: String(attempt), sha256: shard.sha256 };
    const batch = await provider.createBatch({ inputFileId: fileId, endpoint: shard.url, metadata, signal: context.signal });
    if (batch.inputFileId !== null && batch.inputFileId !== fileId) {
      throw new ApiError('the answer names another input file', { kind: 'unknown', code: 'foreign_batch', exitCode: EXIT.notFinished });
    }
    await ledger.append({ type: 'create-done', shard: shard.id, attempt, batchId: batch.id, how: 'response' });
    return { status: 'created', batchId: batch.id };
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    // 408, 409 and every 5xx may come from something that passed the request on: asking costs one list call.
    if (error.kind === 'unknown' || error.kind === 'again') {
      await ledger.append({ type: 'create-unknown', shard: shard.id, attempt, why: error.code });
      return { status: 'unknown' };
    }
    await ledger.append({ type: 'create-refused', shard: shard.id, attempt, code: error.code, message: error.message });
    return { status: 'refused', failure: error };
  }
}

/** Looks for the batch of a create whose outcome is not known. @returns its id, or null after the last search found nothing */
async function resolveCreate(context: BatchContext, shard: ShardState, attempt: number): Promise<string | null> {
  const { ledger } = context;
  const intentAt = shardNow(context, shard).createIntentAt as string;
  const failedAtMs = context.clock().getTime();
  const schedule = context.settings.looksMs;
  const isOld = failedAtMs - Date.parse(intentAt) > (schedule.at(-1) ?? 0);
  const looksMs = isOld ? [0] : schedule;
  const patience = createPatience(context);
  for (const lookMs of looksMs) {
    await context.sleep(Math.max(0, failedAtMs + lookMs - context.clock().getTime()), context.stopping);
    const chosen = chooseBatch(findBatchesOfCreate(context, shard, attempt, await findLostBatch(context, intentAt, patience)));
    if (chosen === null) continue;
    await ledger.append({ type: 'create-done', shard: shard.id, attempt, batchId: chosen.kept.id, how: 'adopted' });
    for (const extra of chosen.extras) await ledger.append({ type: 'batch-extra', batchId: extra.id, shard: shard.id });
    return chosen.kept.id;
  }
  await ledger.append({ type: 'create-absent', shard: shard.id, attempt, looks: looksMs.length });
  return null;
}

/** One search counts only when the list answered. */
async function findLostBatch(context: BatchContext, since: string, patience: ReturnType<typeof createPatience>) {
  for (;;) {
    try {
      return await listBatchesSince(context, since);
    } catch (error) {
      if (!(error instanceof ApiError) || error.kind === 'stop') throw error;
      await patience.waitAfter(error);
    }
  }
}

/** Whether the provider's queue is full, whatever status it says so with. */
export function isEnqueuedLimit(failure: { readonly code: string }): boolean {
  return failure.code === 'token_limit_exceeded';
}

/** "Limit: 2,000,000 enqueued tokens" in the provider's message (openai-contract section 4, seen 2026-11-21). */
export function readEnqueuedLimit(message: string): number | null {
  const limit = /Limit: ([\d,]+) enqueued tokens/.exec(message);
  return limit === null ? null : Number((limit[1] as string).replaceAll(',', ''));
}

/** The shard as the ledger knows it by now. */
export function shardNow(context: BatchContext, shard: ShardState): ShardState {
  return context.ledger.fold.shards.get(shard.id) ?? shard;
}
