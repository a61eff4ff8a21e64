import { statSync } from 'node:fs';
import { onDisk } from '../core/disk/disk-error.ts';
import type { ShardState } from '../ledger/events/fold.ts';
import { ApiError } from '../openai/api-error.ts';
import { isBeingProcessed, type RemoteFile } from '../openai/wire.ts';
import { createPatience } from './backoff.ts';
import { type BatchContext, CLOCK_SKEW_MS } from './context.ts';
import { MAX_PAGES } from './list-batches.ts';
import { findNoBatches, isNoRoute } from './no-batches.ts';

/**
 * Uploads a shard's file to the provider. An upload costs nothing, so after a lost response the files are searched and, if nothing is found, it is uploaded again.
 * @param isResumed whether an earlier process wrote the file
 * @returns `processing` if the file is there and not processed yet; `too-large` if the provider takes no file of this size: the shard has to be cut smaller; `damaged` if the file of an earlier process is no longer there as it was written
 * @throws DiskError; ApiError for anything that no further try can change; AppError exit 4 if the address takes no files
 */
export async function uploadShard(
  context: BatchContext,
  shard: ShardState,
  isResumed = false,
): Promise<'uploaded' | 'processing' | 'too-large' | 'damaged'> {
  const { ledger, provider } = context;
  const filename = `rowmill.${ledger.stateId}.${shard.id}.${shard.sha256.slice(0, 12)}.jsonl`;
  const patience = createPatience(context, `the upload of batch file ${shard.id}`);
  const path = ledger.shardPath(shard.id);
  let mayHaveArrivedSince = shard.status === 'uploading' ? shard.uploadIntentAt : null;
  for (;;) {
    try {
      if (mayHaveArrivedSince !== null) {
        const found = await findUploadedFile(context, { filename, bytes: shard.bytes, since: mayHaveArrivedSince });
        if (found !== null) {
          await ledger.append({ type: 'upload-done', shard: shard.id, fileId: found.id });
          return nameEnd(found);
        }
        mayHaveArrivedSince = null;
      }
      context.stopping.throwIfAborted();
      // One written just now would be damaged again: its upload says what is wrong.
      if (isResumed && !isWhole(path, shard.bytes)) return 'damaged';
      await ledger.append({ type: 'upload-intent', shard: shard.id, filename });
      const sentAt = context.clock().toISOString();
      try {
        const file = await provider.uploadFile({ path, filename, signal: context.signal });
        await ledger.append({ type: 'upload-done', shard: shard.id, fileId: file.id });
        return nameEnd(file);
      } catch (error) {
        if (error instanceof ApiError && (error.kind === 'unknown' || error.kind === 'again')) mayHaveArrivedSince = sentAt;
        throw error;
      }
    } catch (error) {
      if (!(error instanceof ApiError) || error.kind === 'stop') throw error;
      if (isTooLarge(error)) return 'too-large';
      const hasNoBatches = isNoRoute(error) || error.status === 501 ? findNoBatches(context, 'POST /files', error.message) : null;
      if (hasNoBatches !== null) throw hasNoBatches;
      if (error.kind === 'permanent') throw error;
      await patience.waitAfter(error);
    }
  }
}

/** A restored backup may lack a file, or have it in part. */
function isWhole(path: string, bytes: number): boolean {
  return onDisk(path, () => statSync(path, { throwIfNoEntry: false }))?.size === bytes;
}

function nameEnd({ status }: RemoteFile): 'uploaded' | 'processing' {
  return isBeingProcessed(status) ? 'processing' : 'uploaded';
}

/** The three forms of "too large" (openai-contract section 2, seen 2026-11-21). */
export function isTooLarge(failure: { readonly status?: number | null; readonly message: string }): boolean {
  return failure.status === 413 || /file is too large|209715200/i.test(failure.message);
}

/**
 * The oldest file of ours with this name and size that is not older than the intent; further copies are litter and deleted. Only a
 * hundred pages are read: a second upload costs nothing.
 */
async function findUploadedFile(
  context: BatchContext,
  wanted: { filename: string; bytes: number; since: string },
): Promise<RemoteFile | null> {
  const sinceSeconds = (Date.parse(wanted.since) - CLOCK_SKEW_MS) / 1000;
  const matches: RemoteFile[] = [];
  let after: string | null = null;
  for (let pages = 0; pages < MAX_PAGES; pages += 1) {
    const page = await context.provider.listFiles({ after, signal: context.signal });
    matches.push(
      ...page.filter((file) => file.filename === wanted.filename && file.bytes === wanted.bytes && file.createdSeconds >= sinceSeconds),
    );
    const last: RemoteFile | undefined = page.at(-1);
    if (last === undefined || last.id === after || page.every((file) => file.createdSeconds < sinceSeconds)) break;
    after = last.id;
  }
  const [oldest, ...extras] = matches.toSorted((a, b) => a.createdSeconds - b.createdSeconds || (a.id < b.id ? -1 : 1));
  for (const extra of extras) await context.provider.deleteFile(extra.id, context.signal);
  return oldest ?? null;
}

/** Runs jobs one after the other, in the order in which they were given. A failing one does not delay the next. */
export function createMutex(): <T>(work: () => Promise<T>) => Promise<T> {
  let before: Promise<unknown> = Promise.resolve();
  return (work) => {
    const done = before.then(work);
    before = done.catch(() => undefined);
    return done;
  };
}
