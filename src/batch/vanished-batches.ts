import type { BatchState } from '../ledger/events/fold.ts';
import { ApiError } from '../openai/api-error.ts';
import { TERMINAL_STATUSES } from '../openai/wire.ts';
import type { BatchContext } from './context.ts';

/** The files of a batch are kept for 30 days by default: after that nothing can reappear (openai-contract section 2). */
const MAX_AGE_MS = 30 * 86_400_000;

/** Whether what was sent to the provider then may still be there. */
export function mayComeBack(sentAt: string, clock: () => Date): boolean {
  return Date.parse(sentAt) > clock().getTime() - MAX_AGE_MS;
}

/** How many lost batches are looked for in one round. */
const MAX_ASKED = 50;

/**
 * Polls once more for every batch that was given up, the newest first, and reports those that have reappeared. What cannot be decided now is left to
 * the next round, or the next run.
 * @returns those that have reappeared: no longer collected
 */
export async function findReturned(context: BatchContext): Promise<readonly BatchState[]> {
  const { ledger, provider } = context;
  const lost = [...ledger.fold.batches.values()].filter(
    ({ status, isCollected, submittedAt }) => status === 'lost' && isCollected && mayComeBack(submittedAt, context.clock),
  );
  const returned: BatchState[] = [];
  for (const { id, keyFingerprint } of lost.toReversed().slice(0, MAX_ASKED)) {
    if (context.stopping.aborted) break;
    if (keyFingerprint !== null && keyFingerprint !== provider.keyFingerprint) continue;
    try {
      const { status, outputFileId, counts } = await provider.retrieveBatch(id, context.signal);
      const hasOutput = outputFileId === null ? counts.completed === 0 : await hasFile(context, outputFileId);
      // Lost because of its file, which is still missing.
      if (TERMINAL_STATUSES.has(status) && !hasOutput) continue;
      await ledger.append({ type: 'batch-returned', batchId: id });
      context.warn(`batch ${id}, which had vanished, is back (${status}): its answers are collected`);
      returned.push(ledger.fold.batches.get(id) as BatchState);
    } catch (error) {
      if (!(error instanceof ApiError) || error.kind === 'stop') throw error;
    }
  }
  return returned;
}

/** @throws ApiError if that cannot be decided */
async function hasFile({ provider, signal }: BatchContext, fileId: string): Promise<boolean> {
  try {
    await provider.retrieveFile(fileId, signal);
    return true;
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return false;
    throw error;
  }
}
