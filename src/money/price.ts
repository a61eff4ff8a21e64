import type { Lane } from '../core/settled.ts';
import { type DollarsPerMillion, makeRates, type Rates, scaleDollars } from './rates.ts';
import { findStandardPrice } from './standard-price.ts';
import { findTierRule, type PriceTier, type TierRule } from './tier-table.ts';

/** What a model costs in a lane at a tier on a day, and where that was found. */
export interface Price {
  /** The entry of the price list the model was found under. */
  readonly pricedAs: string;
  readonly tier: PriceTier;
  readonly source: string;
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
  readonly lane: Lane;
  /** The service tier as the answer reports it; null when it reports none. */
  readonly tier: string | null;
  /** An ISO date or instant; its UTC day picks among dated prices. */
  readonly at: string;
}

/**
 * The price of a model.
 * @returns null when the model is unknown, or the tier is unknown or not sold for it: an unknown price is never 0
 */
export function findPrice(model: string, query: PriceQuery): Price | null {
  const tier = decidePriceTier(query.lane, query.tier);
  const standard = findStandardPrice(model, query.at.slice(0, 10));
  if (tier === null || standard === null) return null;
  const { pricedAs, source, note } = standard;
  const { rule, isAssumed } = tier === 'standard' ? { rule: STANDARD, isAssumed: false } : findTierRule(pricedAs, tier);
  if (rule === null) return null;
  const longContext = standard.longContext && {
    overTokens: standard.longContext.overTokens,
    rates: rule.type === 'factors' && rule.longContext ? applyRule(rule, standard.longContext.usd) : null,
  };
  return { pricedAs, tier, source, note, isAssumed, rates: applyRule(rule, standard.usd), longContext };
}

const STANDARD: TierRule = { type: 'factors', factors: { input: 1, cached: 1, write: 1, output: 1 }, longContext: true };

function applyRule(rule: TierRule, usd: DollarsPerMillion): Rates {
  return makeRates(rule.type === 'list' ? rule.usd : scaleDollars(usd, rule.factors));
}

/**
 * The price list of an answer. The batch lane is priced by lane, whatever the body says. Live answers name their tier; one that names none was
 * asked for none and is standard. `fast` is answered as `priority`; `auto` and `scale` name no rate (openai-contract section 13, seen 2026-11-21).
 */
function decidePriceTier(lane: Lane, tier: string | null): PriceTier | null {
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
