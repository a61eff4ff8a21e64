import { AppError, EXIT } from '../../core/errors.ts';
import type { Stop } from '../../output/verdict.ts';
import { BudgetError } from './budget.ts';

/** Why a run ended early with its books in order, so that it can be continued; null for errors that are no such end and are thrown on. */
export function readStop(error: unknown): Stop | null {
  if (!(error instanceof AppError)) return null;
  const { exitCode } = error;
  switch (exitCode) {
    case EXIT.refused:
    case EXIT.stopped:
    case EXIT.notFinished:
    case EXIT.interrupted:
    case EXIT.terminated:
      return { exitCode, why: error.message, ...(error instanceof BudgetError ? { finishNanoUsd: error.finishNanoUsd } : {}) };
    default:
      return null;
  }
}
