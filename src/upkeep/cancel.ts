import { UsageError } from '../core/errors.ts';
import { findRunner, type Runner } from '../inspect/find-runner.ts';
import { readStateEvents } from '../inspect/last-run.ts';
import { locateState } from '../inspect/locate-state.ts';
import { LockHeldError } from '../ledger/errors.ts';
import type { LedgerOptions } from '../ledger/ledger.ts';
import { openUpkeep, type Upkeep } from '../ledger/upkeep/open-upkeep.ts';
import { ApiError } from '../openai/api-error.ts';
import type { Provider } from '../openai/provider.ts';
import { TERMINAL_STATUSES } from '../openai/wire.ts';
import type { Target } from '../run/open/target.ts';

export interface CancelOptions {
  /** The job file, or its state directory. */
  readonly jobFile: string;
  readonly cwd: string;
  readonly stateRoot: string | null;
  readonly target: Target;
  readonly effects: Pick<LedgerOptions, 'clock' | 'randomId' | 'processIdentity'>;
  readonly signal: AbortSignal;
}

/** The result for each batch that was not collected yet (`cancel --json`). */
export interface Cancelled {
  readonly schema: 'rowmill.cancel/1';
  readonly job: string;
  readonly batches: readonly CancelledBatch[];
  /** The process that is running the job, and would send again what is cancelled; null if there is none. */
  readonly runner: Runner | null;
}

export interface CancelledBatch {
  readonly id: string;
  /** After the call; as last seen if the provider did not say. */
  readonly status: string;
  /** `asked`: it will be cancelled; `over`: it had already ended, or is being cancelled, as `status` says; `failed`: the provider could not be asked. */
  readonly result: 'asked' | 'over' | 'failed';
  /** The provider's message, or empty. */
  readonly message: string;
}

/**
 * Asks the provider to cancel every batch of the job that may still be in progress, and records what it says, unless a run is at work, which asks
 * for itself. That run, or the next one, sees them end and collects what they finished.
 * @throws UsageError if the job was never run with this provider
 */
export async function cancelBatches(options: CancelOptions): Promise<Cancelled> {
  const { effects, signal, target } = options;
  const { state, job } = await locateState({ ...options, origin: target.origin });
  const fold = await readStateEvents(state, signal);
  const open = [...fold.batches.values()].filter(({ isCollected, status }) => !isCollected && !TERMINAL_STATUSES.has(status));
  const runner = findRunner(state.directory, effects.processIdentity);
  const batches: CancelledBatch[] = [];
  if (open.length === 0) return { schema: 'rowmill.cancel/1', job, batches, runner };
  if (runner !== null && state.origin === 'simulator') {
    throw new UsageError(`the built-in simulator is part of process ${runner.pid}, which runs this job: end that process instead`);
  }
  const log = runner === null ? await openUnlessHeld({ ...effects, directory: state.directory, job, signal }) : null;
  try {
    const { provider, close } = await target.connect(state.directory);
    try {
      for (const { id, status } of open) {
        await log?.append({ type: 'cancel-intent', batchId: id });
        const batch = await cancelBatch(provider, { id, status, signal });
        batches.push(batch);
        if (batch.result !== 'failed') await log?.append({ type: 'cancel-done', batchId: id, status: batch.status });
      }
    } finally {
      await close();
    }
  } finally {
    await log?.close();
  }
  return { schema: 'rowmill.cancel/1', job, batches, runner };
}

/** Null if a run has begun meanwhile. */
async function openUnlessHeld(options: Parameters<typeof openUpkeep>[0]): Promise<Upkeep | null> {
  try {
    return await openUpkeep(options, () => {});
  } catch (error) {
    if (error instanceof LockHeldError) return null;
    throw error;
  }
}

interface KnownBatch {
  readonly id: string;
  /** As last seen. */
  readonly status: string;
  readonly signal: AbortSignal;
}

async function cancelBatch(provider: Provider, { id, status, signal }: KnownBatch): Promise<CancelledBatch> {
  try {
    return { id, status: (await provider.cancelBatch(id, signal)).status, result: 'asked', message: '' };
  } catch (error) {
    if (!(error instanceof ApiError) || error.kind === 'stop') throw error;
    if (error.status !== 409) return { id, status, result: 'failed', message: error.message };
    // It has ended, or is being cancelled, which is the desired result.
    return { id, status: await askStatus(provider, { id, status, signal }), result: 'over', message: error.message };
  }
}

async function askStatus(provider: Provider, { id, status, signal }: KnownBatch): Promise<string> {
  try {
    return (await provider.retrieveBatch(id, signal)).status;
  } catch (error) {
    if (!(error instanceof ApiError) || error.kind === 'stop') throw error;
    return status;
  }
}
