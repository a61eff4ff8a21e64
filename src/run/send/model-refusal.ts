import { isModelCode } from '../../core/answer/refusal-codes.ts';
import { AppError, EXIT } from '../../core/errors.ts';
import { findClosestModel, suggestModel } from '../../money/tier-table.ts';
import type { CommandChange } from '../../output/verdict.ts';
import type { PlannedEnd } from '../plan/planned-end.ts';

/** The models used by a run. */
export interface AskedModels {
  readonly models: readonly string[];
  /** Ends of those for which one is known. */
  readonly modelEnds: readonly PlannedEnd[];
}

/** The provider does not offer a model. */
export class ModelRefusedError extends AppError {
  readonly change: CommandChange;
  /** @param meant the model that was probably meant; null if none is known */
  constructor(message: string, meant: string | null, { code = 'model_not_found', cause }: { code?: string; cause?: unknown } = {}) {
    super(message, { code, exitCode: EXIT.refused, cause });
    this.name = 'ModelRefusedError';
    this.change = meant === null ? {} : { model: meant };
  }
}

const byLength = (a: string, b: string) => a.length - b.length;

/** Adds to the refusal of a job's model when that model ended and its successor, or which name may have been meant. Other errors stay as they are. */
export function explainModelRefusal(error: unknown, { models, modelEnds }: AskedModels): unknown {
  if (!(error instanceof AppError) || !isModelCode(error.code) || error instanceof ModelRefusedError) return error;
  const model =
    models.length === 1
      ? models[0]
      : models
          .filter((name) => error.message.includes(name))
          .toSorted(byLength)
          .at(-1);
  if (model === undefined) return error;
  const modelEnd = modelEnds.find((end) => end.model === model);
  const meant = modelEnd === undefined ? findClosestModel(model) : (modelEnd.successor?.model ?? null);
  const more = modelEnd !== undefined ? `; ${modelEnd.message}` : suggestModel(model);
  if (more === '') return error;
  const { message, code } = error;
  return new ModelRefusedError(`${message.replace(/\.$/, '')}${more}`, meant, { code, cause: error });
}
