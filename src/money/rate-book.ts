import { findProvider, type MatchLogic, type ModelInfo, type ModelPrice, type Provider } from '@pydantic/genai-prices';

/** The rate book's entry for a model. */
export interface RateBookEntry {
  readonly providerName: string;
  /** The model's prices with their first days, if they ever changed. */
  readonly model: ModelInfo;
  /** Those of the requested day. */
  readonly prices: ModelPrice;
}

/**
 * The rate book's entry for a model at a provider, at the start of a UTC day (`YYYY-MM-DD`); null if there is none. It is found by the
 * package's own rule: its `calcPrice` returns the same, but takes a hundred times as long, because it also computes the cost of a usage.
 */
export function findInRateBook(model: string, day: string, providerId: string): RateBookEntry | null {
  const provider = findProvider({ providerId });
  if (provider === undefined) return null;
  const name = model.toLowerCase().trim();
  const found = findModel(provider, name) ?? findModel(provider, name.replace(COMPACT_DATE, '-$1-$2-$3'));
  return found && { providerName: provider.name, model: found, prices: pickPrices(found.prices, day) };
}

/** Names end in dates in either format. */
const COMPACT_DATE = /-(20\d{2})(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])(?=-|:|$)/g;

/** For a provider that also sells others' models: their lists after its own. */
function findModel(provider: Provider, name: string): ModelInfo | null {
  const own = provider.models.find(({ match }) => matches(match, name));
  if (own !== undefined) return own;
  for (const providerId of provider.fallback_model_providers ?? []) {
    const other = findProvider({ providerId });
    const found = other?.models.find(({ match }) => matches(match, name));
    if (found !== undefined) return found;
  }
  return null;
}

function matches(rule: MatchLogic, name: string): boolean {
  if ('or' in rule) return rule.or.some((part) => matches(part, name));
  if ('and' in rule) return rule.and.every((part) => matches(part, name));
  if ('equals' in rule) return name === rule.equals.toLowerCase();
  if ('starts_with' in rule) return name.startsWith(rule.starts_with.toLowerCase());
  if ('ends_with' in rule) return name.endsWith(rule.ends_with.toLowerCase());
  if ('contains' in rule) return name.includes(rule.contains.toLowerCase());
  return new RegExp(rule.regex).test(name);
}

/** The last row valid at midnight: from a day on, or for some hours of every day; the first if none is. */
function pickPrices(prices: ModelInfo['prices'], day: string): ModelPrice {
  if (!Array.isArray(prices)) return prices;
  const row = prices.findLast(({ constraint }) => {
    if (constraint === undefined) return true;
    return constraint.type === 'start_date' ? constraint.start_date <= day : holdsAtMidnight(constraint.start_time, constraint.end_time);
  });
  return (row ?? prices[0])?.prices ?? {};
}

const MIDNIGHT = '00:00:00Z';

function holdsAtMidnight(start: string, end: string): boolean {
  return start === MIDNIGHT || (end < start && end !== MIDNIGHT);
}
