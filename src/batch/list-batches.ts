import { formatCount } from '../core/wording/format-count.ts';
import type { ApiError } from '../openai/api-error.ts';
import type { RemoteBatch } from '../openai/wire.ts';
import { type BatchContext, CLOCK_SKEW_MS, UNREACHABLE_MS } from './context.ts';

/** How many pages of a list are read at most, 100 batches each if the provider respects the page size. */
export const MAX_PAGES = 100;
/** How many batches are held if it does not. */
const MAX_BATCHES = 20_000;
/** How long one reading of the list may take. */
const MAX_LIST_MS = 600_000;

/** What one reading of the provider's list showed. */
export interface ListedBatches {
  readonly batches: readonly RemoteBatch[];
  /** Why the list was not read to its end, in words; null if it was, or far enough. */
  readonly doubt: string | null;
}

/**
 * Reads the list to its end, whatever its order: it has no filter and no reliable order (openai-contract section 3). Reading a list without
 * an end stops after a bounded number of pages; what was seen is enough only if it came newest first and reached back to `since`.
 */
export async function listBatches(context: BatchContext, since: string): Promise<ListedBatches> {
  const seen = new Map<string, RemoteBatch>();
  const startedAtMs = context.monotonicMs();
  let after: string | null = null;
  for (let pages = 0; pages < MAX_PAGES && seen.size < MAX_BATCHES && context.monotonicMs() - startedAtMs < MAX_LIST_MS; pages += 1) {
    const page = await context.provider.listBatches({ after, signal: context.signal });
    const fresh = page.filter(({ id }) => !seen.has(id));
    if (fresh.length === 0) return { batches: [...seen.values()], doubt: null };
    for (const batch of fresh) seen.set(batch.id, batch);
    after = (page.at(-1) as RemoteBatch).id;
  }
  const batches = [...seen.values()];
  const isEnough = reachesBack(batches, (Date.parse(since) - CLOCK_SKEW_MS) / 1000);
  const doubt = `the provider's list of batches did not end within ${formatCount(seen.size)} batches`;
  return { batches, doubt: isEnough ? null : doubt };
}

function reachesBack(batches: readonly RemoteBatch[], sinceSeconds: number): boolean {
  const isNewestFirst = batches.every(
    ({ createdSeconds }, index) => createdSeconds <= (batches[index - 1]?.createdSeconds ?? createdSeconds),
  );
  const last = batches.at(-1)?.createdSeconds ?? 0;
  return isNewestFirst && last > 0 && last < sinceSeconds;
}

/**
 * A list that lacks a batch of ours in progress may lack others too. New batches get the time of the searches to appear.
 * @returns what it lacks, in words; null if nothing
 */
export function findGap({ ledger, provider, settings, clock }: BatchContext, listed: readonly RemoteBatch[]): string | null {
  const ids = new Set(listed.map(({ id }) => id));
  const shownBeforeMs = clock().getTime() - (settings.looksMs.at(-1) ?? 0);
  for (const { id, isCollected, keyFingerprint, submittedAt } of ledger.fold.batches.values()) {
    if (isCollected || ids.has(id) || keyFingerprint !== provider.keyFingerprint) continue;
    if (Date.parse(submittedAt) < shownBeforeMs) return `the provider's list of batches lacks ${id}, which is in progress`;
  }
  return null;
}

/** Whether the answer to a GET was not a list: there are no batches at this address, or something is in front of it. */
export function isNoList({ status, code }: ApiError): boolean {
  return status === 404 || status === 405 || status === 501 || (status === null && code === 'unexpected_shape');
}

/** How long a list that proves nothing is read again before it is taken as final. */
export const LIST_PATIENCE_MS = UNREACHABLE_MS;
