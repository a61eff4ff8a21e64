/**
 * The next smaller model of each family, or its successor at a lower price (price lists of 2026-11-21). Reasoning models stand beside reasoning
 * models alone: what they think is billed, so that others are no comparison.
 */
const CHEAPER: ReadonlyMap<string, string> = new Map([
  ['gpt-4', 'gpt-4.1'],
  ['gpt-4-32k', 'gpt-4.1'],
  ['gpt-4-turbo', 'gpt-4.1'],
  ['gpt-4-turbo-preview', 'gpt-4.1'],
  ['gpt-4.5-preview', 'gpt-4.1'],
  ['gpt-3.5-turbo', 'gpt-4o-mini'],
  ['chatgpt-4o-latest', 'gpt-4o'],
  ['gpt-4o', 'gpt-4o-mini'],
  ['gpt-4o-mini', 'gpt-4.1-nano'],
  ['gpt-4.1', 'gpt-4.1-mini'],
  ['gpt-4.1-mini', 'gpt-4.1-nano'],
  ['o1', 'o4-mini'],
  ['o1-pro', 'o3'],
  ['o3-pro', 'o3'],
  ['o3', 'o4-mini'],
  ['gpt-5-pro', 'gpt-5'],
  ['gpt-5', 'gpt-5-mini'],
  ['gpt-5.1', 'gpt-5-mini'],
  ['gpt-5.2', 'gpt-5-mini'],
  ['gpt-5-mini', 'gpt-5-nano'],
  ['gpt-5.4-pro', 'gpt-5.4'],
  ['gpt-5.4', 'gpt-5.4-mini'],
  ['gpt-5.4-mini', 'gpt-5.4-nano'],
  ['gpt-5.5-pro', 'gpt-5.5'],
  ['gpt-5.5', 'gpt-5.4-mini'],
  ['gpt-5.6-sol', 'gpt-5.6-terra'],
  ['gpt-5.6-terra', 'gpt-5.6-luna'],
  ['gpt-6-astra', 'gpt-6-sol'],
  ['gpt-6-sol', 'gpt-6-luna'],
  ['gpt-6.1-sol', 'gpt-6.1-terra'],
  ['gpt-6.2-astra', 'gpt-6.2-sol'],
  ['gpt-6.2-sol', 'gpt-6.1-terra'],
]);

/** A model worth a try for less money; null when none is known. */
export function findCheaperModel(model: string): string | null {
  const name = model.toLowerCase();
  return CHEAPER.get(name) ?? CHEAPER.get(name.replace(/-\d{4}-\d{2}-\d{2}$/, '')) ?? null;
}
