import { UsageError } from '../core/errors.ts';
import type { ProcessIdentity } from '../ledger/disk/process-identity.ts';
import { ApiError } from '../openai/api-error.ts';
import { TERMINAL_STATUSES } from '../openai/wire.ts';
import type { Target } from '../run/open/target.ts';
import { findRunner, type Runner } from './find-runner.ts';
import { readStateEvents } from './last-run.ts';
import { locateState } from './locate-state.ts';

export interface CancelOptions {
  /** The job file, or its state directory. */
  readonly jobFile: string;
  readonly cwd: string;
  readonly stateRoot: string | null;
  readonly target: Target;
  /** Whose locks others may hold. */
  readonly processIdentity: ProcessIdentity;
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
  /** `asked`: it will be cancelled; `over`: it had already ended; `failed`: the provider could not be asked. */
  readonly result: 'asked' | 'over' | 'failed';
  /** The provider's message, or empty. */
  readonly message: string;
}

/**
 * Asks the provider to cancel every batch of the job that may still be in progress. Nothing here is changed: the run that made them, or the next
 * one, sees them end and collects what they finished.
 * @throws UsageError if the job was never run with this provider
 */
export async function cancelBatches(options: CancelOptions): Promise<Cancelled> {
  const { state, job } = await locateState({ ...options, origin: options.target.origin });
  const fold = await readStateEvents(state, options.signal);
  const open = [...fold.batches.values()].filter(({ isCollected, status }) => !isCollected && !TERMINAL_STATUSES.has(status));
  const runner = findRunner(state.directory, options.processIdentity);
  if (open.length > 0 && runner !== null && state.origin === 'simulator') {
    throw new UsageError(`the built-in simulator is part of process ${runner.pid}, which runs this job: end that process instead`);
  }
  const batches: CancelledBatch[] = [];
  if (open.length > 0) {
    const { provider, close } = await options.target.connect(state.directory);
    try {
      for (const { id, status } of open) batches.push(await cancelBatch(id, status));
    } finally {
      await close();
    }

    async function cancelBatch(id: string, lastStatus: string): Promise<CancelledBatch> {
      try {
        const { status } = await provider.cancelBatch(id, options.signal);
        return { id, status, result: 'asked', message: '' };
      } catch (error) {
        if (!(error instanceof ApiError) || error.kind === 'stop') throw error;
        // 409: it has ended, or is being cancelled, which is the desired result.
        return { id, status: lastStatus, result: error.status === 409 ? 'over' : 'failed', message: error.message };
      }
    }
  }
  return { schema: 'rowmill.cancel/1', job, batches, runner };
}
