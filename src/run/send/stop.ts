import { AppError, EXIT } from '../../core/errors.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import { ApiError } from '../../openai/api-error.ts';
import { findLikelyBaseUrl, WRONG_ADDRESS } from '../../openai/classify.ts';
import type { CommandChange, Stop } from '../../output/verdict.ts';
import { BudgetError } from '../budget/budget.ts';
import type { RunOptions } from '../options.ts';
import { ModelRefusedError } from './model-refusal.ts';

/**
 * Why a run ended early with its books in order, so that it can be continued; null for errors that are no such end and are rethrown. A
 * redirect of the base URL is an end too: exit 2 as long as nothing was spent.
 * @param baseUrl that of the run; null for the default
 */
export function readStop(error: unknown, hasSpent: boolean, baseUrl: string | null = null): Stop | null {
  if (!(error instanceof AppError)) return null;
  const { exitCode } = error;
  switch (exitCode) {
    case EXIT.refused:
    case EXIT.stopped:
    case EXIT.notFinished:
    case EXIT.interrupted:
    case EXIT.terminated:
      return { exitCode, why: error.message, change: readChange(error, baseUrl) };
    case EXIT.usage:
      return error instanceof ApiError ? { exitCode: hasSpent ? EXIT.bug : EXIT.usage, why: error.message } : null;
    default:
      return null;
  }
}

function readChange(error: AppError, baseUrl: string | null): CommandChange {
  if (error instanceof BudgetError || error instanceof ModelRefusedError) return error.change;
  const likely = baseUrl === null || !NO_API_CODES.has(error.code) ? null : findLikelyBaseUrl(baseUrl);
  if (likely !== null) return { baseUrl: likely };
  // Batches cost what flex calls do.
  return error.code === 'no_batches' ? { mode: 'live', hasDeadline: false } : error.code === 'flex_refused' ? { mode: 'batch' } : {};
}

/** The address has no such route. */
const NO_API_CODES: ReadonlySet<string> = new Set([WRONG_ADDRESS, 'no_batches']);

/** The reasons for which a run stops taking work, in one signal. */
export interface StopSignal {
  readonly stopping: AbortSignal;
  /** Ends everything that waits: something else has stopped the run. */
  end(reason: unknown): void;
  dispose(): void;
}

/** Joins the user's signal, the time of `--wait`, and whatever stops the run from inside. */
export function createStopSignal({
  waitMs,
  stopping,
  effects,
  ledger,
}: Pick<RunOptions, 'waitMs' | 'stopping' | 'effects'> & { readonly ledger: Pick<Ledger, 'fold'> }): StopSignal {
  const ended = new AbortController();
  const disposed = new AbortController();
  if (waitMs !== null && waitMs > 0) {
    effects.sleep(waitMs, disposed.signal).then(
      () => ended.abort(new AppError(describeEnd(ledger), { code: 'wait_over', exitCode: EXIT.notFinished })),
      () => {},
    );
  }
  return { stopping: AbortSignal.any([stopping, ended.signal]), end: (reason) => ended.abort(reason), dispose: () => disposed.abort() };
}

/** What is in progress when a run stops waiting: batches continue; without any, nothing does. */
function describeEnd({ fold }: Pick<Ledger, 'fold'>): string {
  const batches = [...fold.batches.values()].filter(({ isCollected }) => !isCollected).length;
  const over = 'the time of --wait is over';
  if (batches === 0) return `${over}; no batch of it is at the provider`;
  return `${over}; ${batches === 1 ? 'its batch goes' : `its ${batches} batches go`} on at the provider`;
}
