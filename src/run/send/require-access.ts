import { AppError, EXIT } from '../../core/errors.ts';
import { suggest } from '../../core/wording/suggest.ts';
import { DEFAULT_ORIGIN } from '../../ledger/origin.ts';
import { ApiError } from '../../openai/api-error.ts';
import type { Provider } from '../../openai/provider.ts';
import { type AskedModels, explainModelRefusal } from './model-refusal.ts';

export interface AccessOptions extends AskedModels {
  readonly origin: string;
  readonly signal: AbortSignal;
}

/**
 * Asks the provider, which costs nothing, whether it takes the key and has the models: before answers there are make way for others. Whatever
 * else it says is left to the first call that matters; other servers may have no list, or one that is not whole.
 * @throws AppError exit 4 when it does not
 */
export async function requireAccess(
  provider: Pick<Provider, 'listModels'>,
  { models: asked, modelEnds, origin, signal }: AccessOptions,
): Promise<void> {
  let models: readonly string[];
  try {
    models = (await provider.listModels(signal)).map(({ id }) => id);
  } catch (error) {
    // A key may be kept from the list and take calls all the same (restricted keys answer 403 to it).
    if (error instanceof ApiError && (error.kind !== 'stop' || error.status === 403)) return;
    throw error;
  }
  const model = asked.find((name) => !models.includes(name));
  if (origin !== DEFAULT_ORIGIN || models.length === 0 || model === undefined) return;
  const refused = `the provider does not offer ${model} to this key; nothing was sent, and the answers there are still count${suggest(model, models)}`;
  const error = new AppError(refused, { code: 'model_not_found', exitCode: EXIT.refused });
  // The list has named another already.
  throw modelEnds.some((end) => end.model === model) ? explainModelRefusal(error, { models: [model], modelEnds }) : error;
}
