import { findClosest } from '../../core/wording/suggest.ts';
import { MODELS_LISTED } from '../../money/tier-table.ts';
import { ApiError } from '../../openai/api-error.ts';
import type { Provider } from '../../openai/provider.ts';
import { type AskedModels, ModelRefusedError } from './model-refusal.ts';

export interface AccessOptions extends AskedModels {
  /** Whether the provider's list names every model it has; other servers may have no list, or an incomplete one. */
  readonly isListWhole: boolean;
  readonly signal: AbortSignal;
}

/**
 * Asks the provider, at no cost, whether it accepts the key and has the models. Anything else it returns is left to the first call
 * that matters.
 * @throws AppError exit 4 if it does not
 */
export async function requireAccess(
  provider: Pick<Provider, 'listModels'>,
  { models: asked, modelEnds, isListWhole, signal }: AccessOptions,
): Promise<void> {
  let models: readonly string[];
  try {
    models = (await provider.listModels(signal)).map(({ id }) => id);
  } catch (error) {
    // A key may be denied the list and still be able to make calls (restricted keys get a 403).
    if (error instanceof ApiError && (error.kind !== 'stop' || error.status === 403)) return;
    throw error;
  }
  const model = asked.find((name) => !models.includes(name));
  if (!isListWhole || models.length === 0 || model === undefined) return;
  const closest = findClosest(model, models);
  const refused = `the provider does not offer ${model} to this key; nothing was sent`;
  const error = new ModelRefusedError(`${refused}${closest === null ? `; ${MODELS_LISTED}` : `. Did you mean "${closest}"?`}`, closest);
  const modelEnd = modelEnds.find((end) => end.model === model);
  throw modelEnd === undefined ? error : new ModelRefusedError(`${refused}; ${modelEnd.message}`, modelEnd.successor?.model ?? null);
}
