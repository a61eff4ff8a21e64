import { isModelCode } from '../../core/answer/refusal-codes.ts';
import { AppError } from '../../core/errors.ts';
import type { PlannedEnd } from '../plan/planned-end.ts';

/** Adds to the refusal of a job's model when that model ended, and what takes its place. Everything else stays as it is. */
export function explainModelRefusal(error: unknown, modelEnd: PlannedEnd | null): unknown {
  if (modelEnd === null || !(error instanceof AppError) || !isModelCode(error.code)) return error;
  const { message, code, exitCode } = error;
  return new AppError(`${message}; ${modelEnd.message}`, { code, exitCode, cause: error });
}
