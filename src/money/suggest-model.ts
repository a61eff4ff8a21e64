import { suggest } from '../core/wording/suggest.ts';
import { TIERED_MODELS } from './tier-table.ts';

/** `. Did you mean "gpt-4o-mini"?`, to end a message about a model of unknown price with, or nothing: also for a model that is known by its name. */
export function suggestModel(model: string): string {
  const isKnown = TIERED_MODELS.some((known) => model === known || model.startsWith(`${known}-20`) || model.startsWith(`${known}:`));
  return isKnown ? '' : suggest(model, TIERED_MODELS);
}
