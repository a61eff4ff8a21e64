import { dayOfSeconds } from '../core/day.ts';
import type { CostOf } from '../core/settled.ts';
import type { Usage } from '../core/usage.ts';
import { type FindPrice, findPrice, type Price } from './price.ts';
import { pricesAsOf } from './price-overrides.ts';
import type { Rates } from './rates.ts';

/**
 * The cost of a usage at a price, in integer nano-dollars: summed exactly, rounded half up once.
 * @returns null if the price has no rate for a request of this length, or the sum leaves the range of exact integers ($9,007)
 */
export function makeCost(usage: Usage, price: Price): number | null {
  const rates = pickRates(price, usage.inputTokens);
  if (rates === null) return null;
  const uncachedTokens = usage.inputTokens - usage.cachedInputTokens - usage.cacheWriteTokens;
  const picoUsd =
    uncachedTokens * rates.inputPicoUsd +
    usage.cachedInputTokens * rates.cachedInputPicoUsd +
    usage.cacheWriteTokens * rates.cacheWritePicoUsd +
    usage.outputTokens * rates.outputPicoUsd;
  return Number.isSafeInteger(picoUsd) ? Math.floor((picoUsd + 500) / 1000) : null;
}

/** The rates of a request by its input tokens, cached ones included; null if a prompt that long is not sold. */
export function pickRates(price: Price, inputTokens: number): Rates | null {
  const { longContext } = price;
  return longContext !== null && inputTokens > longContext.overTokens ? longContext.rates : price.rates;
}

/**
 * The cost function of a run or a report. An attempt that was not billed costs 0; one of unknown model, usage or tier costs null.
 * The day is the answer's own, else the day the price table was last checked; `asOf` (an ISO date) replaces every day if given.
 */
export function makeCostOf(options: { readonly asOf?: string | null; readonly findPrice?: FindPrice } = {}): CostOf {
  const asOf = options.asOf ?? null;
  const find = options.findPrice ?? findPrice;
  const known: PricedQuery[] = [];
  return (record) => {
    if (!record.isBilled) return 0;
    const { usage, model, lane, tier, createdSeconds } = record;
    if (usage === null || model === null) return null;
    const day = asOf === null && createdSeconds !== null ? Math.floor(createdSeconds / 86_400) : null;
    let entry = known.find((query) => query.day === day && query.model === model && query.lane === lane && query.tier === tier);
    if (entry === undefined) {
      entry = {
        model,
        lane,
        tier,
        day,
        price: find(model, { lane, tier, at: day === null ? (asOf ?? pricesAsOf) : (dayOfSeconds(day * 86_400) ?? pricesAsOf) }),
      };
      // A run has few models and days; the latest come first, and a hostile server's thousand names cost time, not memory.
      known.unshift(entry);
      known.length = Math.min(known.length, MAX_KNOWN_PRICES);
    }
    return entry.price === null ? null : makeCost(usage, entry.price);
  };
}

interface PricedQuery extends Pick<Parameters<CostOf>[0], 'model' | 'lane' | 'tier'> {
  readonly day: number | null;
  readonly price: Price | null;
}

const MAX_KNOWN_PRICES = 64;
