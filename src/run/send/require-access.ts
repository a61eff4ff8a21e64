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
 * Asks the provider, at no cost, whether it accepts the key and has the models, before existing answers are set aside. Anything
 * else it returns is left to the first call that matters; other servers may have no list, or an incomplete one.
 * @throws AppError exit 4 if it does not
 */
export async function requireAccess(
  provider: Pick<Provider, 'listModels'>,
  { models: asked, modelEnds, origin, signal }: AccessOptions,
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
  if (origin !== DEFAULT_ORIGIN || models.length === 0 || model === undefined) return;
  const refused = `the provider does not offer ${model} to this key; nothing was sent, and the answers there are still count${suggest(model, models)}`;
  const error = new AppError(refused, { code: 'model_not_found', exitCode: EXIT.refused });
  // The list has already shown another one.
  throw modelEnds.some((end) => end.model === model) ? explainModelRefusal(error, { models: [model], modelEnds }) : error;
}
