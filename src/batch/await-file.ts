import type { ShardState } from '../ledger/events/fold.ts';
import { ApiError } from '../openai/api-error.ts';
import { isBeingProcessed } from '../openai/wire.ts';
import { createBackoff } from './backoff.ts';
import type { BatchContext } from './context.ts';

const FIRST_PAUSE_MS = 1_000;
/** After this time the create decides. */
const FILE_WAIT_MS = 600_000;
/** The same while the file is `uploaded`, which is the final status at some gateways. */
const UPLOADED_WAIT_MS = 60_000;

/**
 * Waits until the provider has processed a shard's file: Azure refuses a batch with an unprocessed one (openai-contract section 16, seen 2026-11-22).
 * What cannot be learned about the file is left to the create.
 * @throws ApiError that stops the run; the reason of `stopping`
 */
export async function awaitFile(context: BatchContext, shard: ShardState): Promise<void> {
  context.waits.end(`file ${shard.id}`);
  const backoff = createBackoff({ firstMs: FIRST_PAUSE_MS, maxMs: context.settings.pollMaxMs, random: context.random });
  const startedAtMs = context.monotonicMs();
  for (;;) {
    const status = await readFileStatus(context, shard.fileId as string);
    if (!isBeingProcessed(status)) return;
    const waitedMs = context.monotonicMs() - startedAtMs;
    if (waitedMs >= (status === 'uploaded' ? UPLOADED_WAIT_MS : FILE_WAIT_MS)) {
      context.warn(`batch file ${shard.id} is still ${status} at the provider; the batch is created all the same`);
      return;
    }
    const milliseconds = backoff.nextMs();
    const why = status === 'unknown' ? 'cannot be asked about' : `is still ${status} at the provider`;
    context.waits.begin({
      name: `file ${shard.id}`,
      milliseconds,
      describe: ({ since }) => `waiting since ${since}: batch file ${shard.id} ${why}; its batch is created when it is processed`,
    });
    await context.sleep(milliseconds, context.stopping);
  }
}

/** `unknown` if the call failed in a way that may pass; null if the provider reports no status. */
async function readFileStatus({ provider, signal }: BatchContext, fileId: string): Promise<string | null> {
  try {
    return (await provider.retrieveFile(fileId, signal)).status;
  } catch (error) {
    if (!(error instanceof ApiError) || error.kind === 'stop') throw error;
    return error.kind === 'permanent' ? null : 'unknown';
  }
}
