import { AppError, EXIT } from '../core/errors.ts';
import { formatWait } from '../core/waiting/wait-teller.ts';
import { ApiError } from '../openai/api-error.ts';
import { describeContact } from '../openai/describe-contact.ts';
import { KNOWN_STATUSES, type RemoteBatch, TERMINAL_STATUSES } from '../openai/wire.ts';
import { createBackoff } from './backoff.ts';
import { cancelBatch } from './cancel-batch.ts';
import type { BatchContext } from './context.ts';
import { LIST_PATIENCE_MS, listBatches } from './list-batches.ts';

/** A batch that its own key cannot see is looked for in the list after this many polls in a row. */
const MAX_NOT_FOUND = 6;
/** File ids may appear after the status is completed: this long after it, in multiples of the longest poll. */
const LATE_FILE_POLLS = 10;

export interface PollOptions {
  readonly batchId: string;
  /** The fingerprint of the key that created the batch. */
  readonly keyFingerprint: string;
  /** Called with every poll result, for progress. */
  readonly onPoll: (batch: RemoteBatch) => void;
  /** Fires when the batch is to be cancelled instead of waited for. */
  readonly recalled?: AbortSignal;
}

/**
 * Waits until a batch is final and its file ids are present; a recalled one is cancelled first.
 * @returns the final batch, or null if the provider no longer knows it: neither by its id nor in its list
 * @throws the reason of `stopping` if no more waiting is wanted; AppError exit 4 if another key created it, exit 7 if it is not found and no
 * list was received for ten minutes
 */
export async function pollBatch(context: BatchContext, options: PollOptions): Promise<RemoteBatch | null> {
  const { ledger, provider } = context;
  const backoff = createBackoff({ firstMs: 500, maxMs: context.settings.pollMaxMs, random: context.random });
  const { batchId } = options;
  context.waits.end(`poll ${batchId}`);
  let notFound = 0;
  let notFoundSinceMs = 0;
  let finalSinceMs: number | null = null;
  let isCancelled = false;
  let lastStatus = ledger.fold.batches.get(options.batchId)?.status ?? '';
  let why: string | null = null;
  let failure: ApiError | null = null;
  const { host } = new URL(provider.baseUrl);
  const tellWait = (milliseconds: number) =>
    context.waits.begin({
      name: `poll ${batchId}`,
      milliseconds,
      describe: ({ since }) => `waiting for batch ${batchId} since ${since}: ${why}; still trying`,
      describeNow: ({ passedMs }) =>
        failure === null
          ? `batch ${batchId}: ${why}, asked for again, ${formatWait(passedMs)}`
          : `${describeContact(host, failure, passedMs)} (batch ${batchId})`,
    });
  for (;;) {
    why = null;
    failure = null;
    try {
      const batch =
        notFound < MAX_NOT_FOUND
          ? await provider.retrieveBatch(options.batchId, context.signal)
          : await retrieveOrFind(context, options.batchId, notFoundSinceMs);
      if (batch === null) return null;
      notFound = 0;
      if (!TERMINAL_STATUSES.has(batch.status)) context.waits.end(`poll ${batchId}`);
      if (batch.status !== lastStatus) {
        if (!KNOWN_STATUSES.has(batch.status)) context.warn(`batch ${batch.id}: unknown status "${batch.status}", waiting on`);
        await ledger.append({ type: 'batch-status', batchId: batch.id, status: batch.status });
        lastStatus = batch.status;
        backoff.reset();
      }
      options.onPoll(batch);
      if (TERMINAL_STATUSES.has(batch.status)) {
        const nowMs = context.monotonicMs();
        finalSinceMs ??= nowMs;
        if (!isAwaitingFiles(batch) || nowMs - finalSinceMs > LATE_FILE_POLLS * context.settings.pollMaxMs) return batch;
        why = `it is ${batch.status} and names no files yet`;
      } else if (options.recalled?.aborted === true && !isCancelled) {
        isCancelled = true;
        await cancelBatch(context, batch.id);
        backoff.reset();
        continue;
      }
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (error.status === 404) {
        if (options.keyFingerprint !== provider.keyFingerprint) throw otherKey(options.batchId);
        if (notFound === 0) notFoundSinceMs = context.monotonicMs();
        notFound += 1;
      } else if (error.kind === 'stop') throw error;
      why = error.message;
      failure = error;
      if (error.retryAfterMs !== null) {
        tellWait(error.retryAfterMs);
        await context.sleep(error.retryAfterMs, context.stopping);
      }
    }
    const milliseconds = backoff.nextMs();
    if (why !== null) tellWait(milliseconds);
    await pause(context, milliseconds, options.recalled);
  }
}

/**
 * Polls once more for a batch that was not found, and then looks for it in the list.
 * @returns the batch; null if it is neither found nor listed
 * @throws ApiError if that cannot be decided, AppError exit 7 if it could not be for ten minutes
 */
async function retrieveOrFind(context: BatchContext, batchId: string, sinceMs: number): Promise<RemoteBatch | null> {
  const { clock, monotonicMs, provider, signal } = context;
  try {
    return await provider.retrieveBatch(batchId, signal);
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 404) throw error;
    const since = context.ledger.fold.batches.get(batchId)?.submittedAt ?? clock().toISOString();
    const { batches, doubt } = await listBatches(context, since).catch((cause: unknown) => {
      if (!(cause instanceof ApiError) || cause.kind === 'stop') throw cause;
      return { batches: [], doubt: `the list of batches was answered with ${cause.message}` };
    });
    const listed = batches.find(({ id }) => id === batchId);
    if (listed !== undefined || doubt === null) return listed ?? null;
    if (monotonicMs() - sinceMs < LIST_PATIENCE_MS) throw error;
    throw new AppError(
      `batch ${batchId} is not found (${error.message}), and ${doubt}; its rows are not sent again; run the same command later`,
      {
        code: 'batch_not_found',
        exitCode: EXIT.notFinished,
        cause: error,
      },
    );
  }
}

/** Sleeps, and wakes when the batch is recalled. */
async function pause(context: BatchContext, milliseconds: number, recalled: AbortSignal | undefined): Promise<void> {
  if (recalled === undefined || recalled.aborted) return context.sleep(milliseconds, context.stopping);
  try {
    await context.sleep(milliseconds, AbortSignal.any([context.stopping, recalled]));
  } catch (error) {
    if (context.stopping.aborted || !recalled.aborted) throw error;
  }
}

/** Final, with counted rows, but without the file id: the ids lag (openai-contract section 17, 2), one of them perhaps longer. */
export function isAwaitingFiles(batch: RemoteBatch): boolean {
  const { completed, failed } = batch.counts;
  if (batch.status === 'failed') return false;
  return completed > 0 ? batch.outputFileId === null : failed > 0 && batch.errorFileId === null;
}

function otherKey(batchId: string): AppError {
  return new AppError(
    `batch ${batchId} was created with another API key and cannot be seen with this one; its answers are not lost: run the same command with the key that created it`,
    { code: 'other_key', exitCode: EXIT.refused },
  );
}
