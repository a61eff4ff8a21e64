import { isModelCode } from '../../core/answer/refusal-codes.ts';
import { AppError } from '../../core/errors.ts';
import { suggestModel } from '../../money/tier-table.ts';
import type { PlannedEnd } from '../plan/planned-end.ts';

/** The models used by a run. */
export interface AskedModels {
  readonly models: readonly string[];
  /** Ends of those for which one is known. */
  readonly modelEnds: readonly PlannedEnd[];
}

const byLength = (a: string, b: string) => a.length - b.length;

/** Adds to the refusal of a job's model when that model ended and its successor, or which name may have been meant. Other errors stay as they are. */
export function explainModelRefusal(error: unknown, { models, modelEnds }: AskedModels): unknown {
  if (!(error instanceof AppError) || !isModelCode(error.code)) return error;
  const model =
    models.length === 1
      ? models[0]
      : models
          .filter((name) => error.message.includes(name))
          .toSorted(byLength)
          .at(-1);
  if (model === undefined) return error;
  const modelEnd = modelEnds.find((end) => end.model === model);
  const more = modelEnd === undefined ? suggestModel(model) : `; ${modelEnd.message}`;
  if (more === '') return error;
  const { message, code, exitCode } = error;
  return new AppError(`${message.replace(/\.$/, '')}${more}`, { code, exitCode, cause: error });
}
