import { AppError, EXIT } from '../core/errors.ts';
import type { WaitTimes } from '../core/waiting/wait-teller.ts';
import { formatThings } from '../core/wording/format-count.ts';
import type { ShardState } from '../ledger/events/fold.ts';
import { ApiError } from '../openai/api-error.ts';
import { createPatience } from './backoff.ts';
import type { BatchContext } from './context.ts';
import { chooseBatch, lookForCreate } from './find-lost-batch.ts';
import { findNoBatches, isNoRoute } from './no-batches.ts';
import { isEnqueuedLimit } from './rejection.ts';

/** After this many creates with lost responses that left no trace, the shard stays pending. */
const MAX_UNKNOWN_CREATES = 3;
const LOOK_MS = 100;

/** How an attempt to create a batch ended. */
export type Created =
  | { readonly status: 'created'; readonly batchId: string }
  | { readonly status: 'refused'; readonly refusal: ApiError }
  /** There is no batch of the shard, and none is wanted any more. */
  | { readonly status: 'recalled' };

/**
 * Turns an uploaded shard into exactly one batch: the intent is on disk before the call, and a call with unknown outcome is
 * searched for, never repeated blindly (the API has no idempotency key; openai-contract section 8). Once `recalled` fires, nothing new is created.
 * @throws ApiError that stops the run; AppError exit 7 if three creates were lost without a trace, 5 if the response names a batch that
 * belongs to another shard, 4 if the address has no batches; whatever `beforeRepeat` throws
 */
export async function createBatch(context: BatchContext, shard: ShardState, recalled: AbortSignal): Promise<Created> {
  const patience = createPatience(context, `the creation of the batch of file ${shard.id}`);
  if (shard.status === 'creating' || shard.status === 'create-unknown') {
    const found = await resolveCreate(context, shard, shard.createAttempt);
    if (found !== null) return { status: 'created', batchId: found };
    context.beforeRepeat?.();
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
      context.beforeRepeat?.();
      continue;
    }
    if (result.failure.kind === 'stop') throw result.failure;
    if (result.failure.kind === 'permanent' || isEnqueuedLimit(result.failure)) return { status: 'refused', refusal: result.failure };
    await patience.waitAfter(result.failure);
  }
  throw new AppError(
    `three creates of the batch of file ${shard.id} were lost without a trace at ${context.provider.baseUrl}; no batch of it was found there, and its rows stay pending; run the same command later`,
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
    if (ledger.fold.batches.has(batch.id)) throw boundTwice(context, shard.id, batch.id);
    await ledger.append({ type: 'create-done', shard: shard.id, attempt, batchId: batch.id, how: 'response' });
    return { status: 'created', batchId: batch.id };
  } catch (error) {
    if (error instanceof BoundTwiceError) await ledger.append({ type: 'create-unknown', shard: shard.id, attempt, why: error.code });
    if (!(error instanceof ApiError)) throw error;
    const refused = async () => {
      await ledger.append({ type: 'create-refused', shard: shard.id, attempt, code: error.code, message: error.message });
    };
    const hasNoBatches = isNoRoute(error) && !/file/i.test(error.message) ? findNoBatches(context, 'POST /batches', error.message) : null;
    if (hasNoBatches !== null) {
      await refused();
      throw hasNoBatches;
    }
    // 408, 409 and every 5xx may come from something that passed the request on: checking costs one list call.
    if (error.kind === 'unknown' || error.kind === 'again') {
      await ledger.append({ type: 'create-unknown', shard: shard.id, attempt, why: error.code });
      return { status: 'unknown' };
    }
    await refused();
    return { status: 'refused', failure: error };
  }
}

/** An id belongs to one batch: the second create's response cannot be true, and the batch it may have made is searched for by the next run. */
class BoundTwiceError extends AppError {
  constructor(message: string) {
    super(message, { code: 'bound_twice', exitCode: EXIT.stopped });
    this.name = 'BoundTwiceError';
  }
}

function boundTwice({ ledger, provider }: BatchContext, shard: string, batchId: string): BoundTwiceError {
  const owner = ledger.fold.batches.get(batchId)?.shard ?? null;
  const whose = owner === null ? 'known already' : `the batch of file ${owner}`;
  return new BoundTwiceError(
    `the creation of the batch of file ${shard} was answered with ${batchId}, which is ${whose}; nothing more is created: look at the batches at ${provider.baseUrl}, then run the same command`,
  );
}

/** Searches for the batch of a create with unknown outcome. @returns its id, or null after the last search found nothing */
async function resolveCreate(context: BatchContext, shard: ShardState, attempt: number): Promise<string | null> {
  const { ledger } = context;
  const asked = shardNow(context, shard);
  const failedAtMs = context.monotonicMs();
  const schedule = context.settings.looksMs;
  const isOld = context.clock().getTime() - Date.parse(asked.createIntentAt as string) > (schedule.at(-1) ?? 0);
  const looksMs = isOld ? [0] : schedule;
  context.waits.end(`looks ${shard.id}`);
  for (const [index, lookMs] of looksMs.entries()) {
    const milliseconds = Math.max(0, failedAtMs + lookMs - context.monotonicMs());
    const describe = ({ since }: WaitTimes) =>
      `waiting since ${since}: the creation of the batch of file ${shard.id} was not answered; it is looked for in the provider's list ${looksMs.length} times before anything is sent again`;
    // The search itself takes time too.
    context.waits.begin({ name: `looks ${shard.id}`, milliseconds: milliseconds + LOOK_MS, describe });
    await context.sleep(milliseconds, context.stopping);
    const isLast = index === looksMs.length - 1;
    const chosen = chooseBatch(await lookForCreate(context, asked, { attempt, isLast }));
    if (chosen === null) continue;
    await ledger.append({ type: 'create-done', shard: shard.id, attempt, batchId: chosen.kept.id, how: 'adopted' });
    for (const extra of chosen.extras) await ledger.append({ type: 'batch-extra', batchId: extra.id, shard: shard.id, attempt });
    return chosen.kept.id;
  }
  await ledger.append({ type: 'create-absent', shard: shard.id, attempt, looks: looksMs.length });
  context.warn(
    `no look found a batch of file ${shard.id}, whose creation was not answered; should it exist all the same, its ${formatThings(shard.rows, 'request')} are billed twice: they are counted as possibly billed, and looked for by every later run`,
  );
  return null;
}

/** The shard in its current state in the ledger. */
export function shardNow(context: BatchContext, shard: ShardState): ShardState {
  return context.ledger.fold.shards.get(shard.id) ?? shard;
}
