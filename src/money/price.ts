import type { CustomPrice, DollarsPerMillion } from '../core/custom-price.ts';
import type { LaneName } from '../core/settled.ts';
import { findCustomPrice, findCustomTier, makeOwnStandard } from './custom-prices.ts';
import { makeRates, type Rates, scaleDollars } from './rates.ts';
import { findStandardPrice, type StandardPrice } from './standard-price.ts';
import { type FoundTier, findTierRule, type PriceTier, type TierRule } from './tier-table.ts';

/** What a model costs in a lane at a tier on a day, and where that was found. */
export interface Price {
  /** The entry of the price list the model was found under. */
  readonly pricedAs: string;
  readonly tier: PriceTier;
  /** Where the standard price comes from. */
  readonly source: string;
  /** Where the tier's rule comes from. */
  readonly tierSource: string;
  /** First UTC day on which the price held; null: from the beginning, as far as is known. */
  readonly effectiveFrom: string | null;
  /** Something to know about the price; empty mostly. */
  readonly note: string;
  /** Whether the tier's rates follow from a general rule, because the tier table does not list the model. */
  readonly isAssumed: boolean;
  readonly rates: Rates;
  /** Requests of more input tokens than `overTokens` cost these rates as a whole; rates null: the tier does not sell them. */
  readonly longContext: { readonly overTokens: number; readonly rates: Rates | null } | null;
}

/** What picks a price besides the model. */
export interface PriceQuery {
  readonly lane: LaneName;
  /** The service tier as the answer reports it; null when it reports none. */
  readonly tier: string | null;
  /** An ISO date or instant; its UTC day picks among dated prices. */
  readonly at: string;
}

/** The price of a model; null when the model or the tier is unknown or not sold: an unknown price is never 0. */
export type FindPrice = (model: string, query: PriceQuery) => Price | null;

/** Prices with the user's own before all others. */
export function createFindPrice(own: readonly CustomPrice[]): FindPrice {
  return (model, query) => {
    const row = findCustomPrice(own, model, query.at.slice(0, 10));
    if (row === null) return findPrice(model, query);
    if (row.price.type === 'like') {
      const like = findPrice(row.price.model, query);
      return like && { ...like, source: `${row.source}, as ${row.price.model}: ${like.source}`, effectiveFrom: row.effectiveFrom };
    }
    const tier = decidePriceTier(query.lane, query.tier);
    if (tier === null) return null;
    const standard = makeOwnStandard(row, row.price, model, query.at.slice(0, 10));
    return makePrice(standard, tier, findCustomTier(row, row.price, standard.pricedAs, tier));
  };
}

/** The price of a model where the user has none: our overrides, then the rate book. */
export const findPrice: FindPrice = (model, query) => {
  const tier = decidePriceTier(query.lane, query.tier);
  const standard = findStandardPrice(model, query.at.slice(0, 10));
  return tier === null || standard === null ? null : makePrice(standard, tier, findTierRule(standard.pricedAs, tier));
};

function makePrice(standard: StandardPrice, tier: PriceTier, { rule, isAssumed, ...found }: FoundTier): Price | null {
  if (rule === null) return null;
  const { pricedAs, source, effectiveFrom, note } = standard;
  const tierSource = tier === 'standard' ? source : found.source;
  const longContext = standard.longContext && {
    overTokens: standard.longContext.overTokens,
    rates: applyToLong(rule, standard),
  };
  return { pricedAs, tier, source, tierSource, effectiveFrom, note, isAssumed, rates: applyRule(rule, standard.usd), longContext };
}

function applyRule(rule: TierRule, usd: DollarsPerMillion): Rates {
  return makeRates(rule.type === 'list' ? rule.usd : scaleDollars(usd, rule.factors));
}

/** A listed tier has its long prices in the same proportion as the standard one. */
function applyToLong(rule: TierRule, { usd, longContext }: StandardPrice): Rates | null {
  if (longContext === null) return null;
  if (rule.type === 'factors') return rule.longContext ? applyRule(rule, longContext.usd) : null;
  const inputFactor = usd.input === 0 ? 1 : longContext.usd.input / usd.input;
  const outputFactor = usd.output === 0 ? 1 : longContext.usd.output / usd.output;
  return makeRates(scaleDollars(rule.usd, { input: inputFactor, cached: inputFactor, write: inputFactor, output: outputFactor }));
}

/**
 * The price list of an answer. The batch lane is priced by lane, whatever the body says. Live answers name their tier; one that names none was
 * asked for none and is standard. `fast` is answered as `priority`; `auto` and `scale` name no rate (OpenAI API reference, seen 2026-11-21).
 */
function decidePriceTier(lane: LaneName, tier: string | null): PriceTier | null {
  if (lane === 'batch') return 'batch';
  switch (tier) {
    case null:
    case 'default':
    case 'standard':
      return 'standard';
    case 'flex':
      return 'flex';
    case 'priority':
    case 'fast':
      return 'priority';
    default:
      return null;
  }
}
