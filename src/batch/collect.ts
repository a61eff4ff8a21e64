import { createWriteStream } from 'node:fs';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { asDiskError, DiskError } from '../core/disk-error.ts';
import type { BatchState } from '../ledger/events/fold.ts';
import type { FinishBatchOptions } from '../ledger/ledger.ts';
import { ApiError } from '../openai/api-error.ts';
import type { RemoteBatch } from '../openai/wire.ts';
import { createPatience } from './backoff.ts';
import { cancelBatch } from './cancel-batch.ts';
import type { BatchContext } from './context.ts';
import { learnFromLines } from './learn-from-lines.ts';
import { pollBatch } from './poll.ts';

/** A download that brings no byte for this long is started again. */
const STALL_MS = 60_000;
/** A file that differs from the size the provider names is fetched this often before it is taken as it is. */
const MAX_SIZE_TRIES = 4;
const MAX_NOT_FOUND = 4;

/** How a batch ended, for `finishBatch`. */
export type CollectedEnd = Pick<FinishBatchOptions, 'status' | 'isMissingUnexecuted'>;

/**
 * Fetches both files of a final batch, whatever its status, and records them.
 * @returns what is to be said of its end: `lost` when rows were executed whose file cannot be had, so that they may have been billed
 */
export async function collectBatch(context: BatchContext, batch: RemoteBatch): Promise<CollectedEnd> {
  let isLost = batch.counts.completed > 0 && batch.outputFileId === null && batch.errorFileId === null;
  let lines = 0;
  for (const kind of ['output', 'error'] as const) {
    const fileId = kind === 'output' ? batch.outputFileId : batch.errorFileId;
    if (fileId === null) continue;
    const temporaryPath = await download(context, fileId, `${batch.id}.${kind}`);
    if (temporaryPath === null) {
      context.warn(`batch ${batch.id}: its ${kind} file is gone at the provider`);
      isLost ||= kind === 'output';
      continue;
    }
    await learnFromLines(context, temporaryPath);
    const file = await context.ledger.recordResponse({ batchId: batch.id, kind, temporaryPath, createdSeconds: batch.createdSeconds });
    lines += file.lines;
  }
  const counted = batch.counts.completed + batch.counts.failed;
  if (counted > 0 && lines > 0 && counted !== lines) {
    context.warn(`batch ${batch.id}: the provider counts ${counted} rows, its files hold ${lines}; the files decide`);
  }
  const isEndedEarly = batch.status === 'cancelled' || batch.status === 'expired';
  return { status: isLost ? 'lost' : batch.status, isMissingUnexecuted: isEndedEarly && batch.counts.total > 0 && counted === lines };
}

/** Streams a file to disk until it is whole. @returns the path, or null when the provider has no such file (any more) */
async function download(context: BatchContext, fileId: string, name: string): Promise<string | null> {
  const path = context.ledger.createTemporaryResponsePath(name);
  const patience = createPatience(context);
  let notFound = 0;
  for (let sizeTries = 1; ; ) {
    try {
      const { bytes } = await context.provider.retrieveFile(fileId, context.signal);
      const received = await writeContent(context, fileId, path);
      if (received === bytes || bytes < 0 || sizeTries >= MAX_SIZE_TRIES) return path;
      sizeTries += 1;
      await patience.waitAfter(new ApiError(`${received} of ${bytes} bytes arrived`, { kind: 'wait', code: 'short_download' }));
    } catch (error) {
      if (!(error instanceof ApiError) || error.kind === 'stop') throw error;
      if (error.status === 404) notFound += 1;
      if (notFound >= MAX_NOT_FOUND || (error.kind === 'permanent' && error.status !== 404)) return null;
      await patience.waitAfter(error);
    }
  }
}

/** @returns the bytes written. @throws ApiError of kind `again` when the body broke off or stalled */
async function writeContent(context: BatchContext, fileId: string, path: string): Promise<number> {
  const stall = new AbortController();
  const signal = AbortSignal.any([context.signal, stall.signal]);
  const body = await context.provider.openContent(fileId, signal);
  let bytes = 0;
  const startPatience = () => context.startTimer(STALL_MS, () => stall.abort());
  let stopPatience = startPatience();
  async function* guarded(source: AsyncIterable<Uint8Array>) {
    for await (const chunk of source) {
      stopPatience();
      stopPatience = startPatience();
      bytes += chunk.byteLength;
      yield chunk;
    }
  }
  try {
    await pipeline(Readable.fromWeb(body as Parameters<typeof Readable.fromWeb>[0]), guarded, createWriteStream(path, { mode: 0o600 }), {
      signal,
    });
    return bytes;
  } catch (error) {
    context.signal.throwIfAborted();
    // A full or broken disk is ours, not the provider's: it must not be tried for ever.
    const known = asDiskError(error, join(dirname(path), fileId));
    if (known instanceof DiskError) throw known;
    throw new ApiError('the download broke off', { kind: 'again', code: 'broken_download' });
  } finally {
    stopPatience();
  }
}

/**
 * Takes in what a batch holds that was given up and came back. Where nothing of it is waited for any more it is cancelled first.
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

/** Cancels a batch of ours that nobody waits for and takes in what it finished all the same: that part is billed, and is counted as orphaned. */
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
