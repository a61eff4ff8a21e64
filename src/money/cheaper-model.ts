/**
 * The next smaller model of each family, or its successor at a lower price (price lists of 2026-11-29): models with an announced end are never
 * proposed; their own successors are shown with their end. All of these reason, so reasoning is billed in the same way.
 */
const CHEAPER: ReadonlyMap<string, string> = new Map([
  ['gpt-5.2', 'gpt-5.4-mini'],
  ['gpt-5.2-pro', 'gpt-5.2'],
  ['gpt-5.4-pro', 'gpt-5.4'],
  ['gpt-5.4', 'gpt-5.4-mini'],
  ['gpt-5.4-mini', 'gpt-6-luna'],
  ['gpt-5.5-pro', 'gpt-5.5'],
  ['gpt-5.5', 'gpt-5.4-mini'],
  ['gpt-5.6-sol', 'gpt-5.6-terra'],
  ['gpt-5.6-terra', 'gpt-5.6-luna'],
  ['gpt-5.6-luna', 'gpt-6-luna'],
  ['gpt-6-astra', 'gpt-6-sol'],
  ['gpt-6-sol', 'gpt-6-luna'],
  ['gpt-6.1-sol', 'gpt-6.1-terra'],
  ['gpt-6.1-terra', 'gpt-6-luna'],
  ['gpt-6.2-astra', 'gpt-6.2-sol'],
  ['gpt-6.2-sol', 'gpt-6.1-terra'],
]);

/** Every model that may be proposed. */
export const CHEAPER_MODELS: ReadonlySet<string> = new Set(CHEAPER.values());

/** A cheaper model worth a try; null if none is known. */
export function findCheaperModel(model: string): string | null {
  const name = model.toLowerCase();
  return CHEAPER.get(name) ?? CHEAPER.get(name.replace(/-\d{4}-\d{2}-\d{2}$/, '')) ?? null;
}
