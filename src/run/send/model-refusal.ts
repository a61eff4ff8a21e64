import { isModelCode } from '../../core/answer/refusal-codes.ts';
import { AppError } from '../../core/errors.ts';
import { suggestModel } from '../../money/tier-table.ts';
import type { PlannedEnd } from '../plan/planned-end.ts';

/** Adds to the refusal of a job's model when that model ended and what takes its place, or which one may have been meant. Everything else stays as it is. */
export function explainModelRefusal(
  error: unknown,
  { model, modelEnd }: { readonly model: string; readonly modelEnd: PlannedEnd | null },
): unknown {
  if (!(error instanceof AppError) || !isModelCode(error.code)) return error;
  const more = modelEnd === null ? suggestModel(model) : `; ${modelEnd.message}`;
  if (more === '') return error;
  const { message, code, exitCode } = error;
  return new AppError(`${message.replace(/\.$/, '')}${more}`, { code, exitCode, cause: error });
}
