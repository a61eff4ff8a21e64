import type { CustomPrice, DollarsPerMillion } from '../core/custom-price.ts';
import type { LaneName } from '../core/settled.ts';
import { findCustomPrice, findCustomTier, makeOwnStandard } from './custom-prices.ts';
import { describeForeignList, OPENAI_PRICES, type PriceSource } from './price-source.ts';
import { makeRates, type Rates, scaleDollars } from './rates.ts';
import { findStandardPrice, type StandardPrice } from './standard-price.ts';
import { type FoundTier, findTierRule, type PriceTier, type TierRule } from './tier-table.ts';

/** The price of a model in a lane at a tier on a day, and its source. */
export interface Price {
  /** The entry of the price list the model was found under. */
  readonly pricedAs: string;
  readonly tier: PriceTier;
  /** The source of the standard price. */
  readonly source: string;
  /** The source of the tier's rule. */
  readonly tierSource: string;
  /** First UTC day of the price; null: from the beginning, as far as known. */
  readonly effectiveFrom: string | null;
  /** A note on the price; usually empty. */
  readonly note: string;
  /** Whether the tier's rates follow from a general rule, because the tier table does not list the model. */
  readonly isAssumed: boolean;
  readonly rates: Rates;
  /** Requests with more input tokens than `overTokens` cost these rates as a whole; rates null: the tier does not sell them. */
  readonly longContext: { readonly overTokens: number; readonly rates: Rates | null } | null;
}

/** What selects a price besides the model. */
export interface PriceQuery {
  readonly lane: LaneName;
  /** The service tier as reported by the answer; null if it reports none. */
  readonly tier: string | null;
  /** An ISO date or instant; its UTC day selects among dated prices. */
  readonly at: string;
}

/** The price of a model; null if the model or the tier is unknown or not sold: an unknown price is never 0. */
export type FindPrice = (model: string, query: PriceQuery) => Price | null;

/** What determines prices besides the model and the day. */
export interface PriceBook {
  /** Whose prices apply at the address; OpenAI's by default. */
  readonly from?: PriceSource;
  /** Whether prompt cache entries are kept for twelve hours, which costs more. */
  readonly keepsCacheLong?: boolean;
}

/** Prices, with the user's own taking precedence. */
export function createFindPrice(own: readonly CustomPrice[], { from = OPENAI_PRICES, keepsCacheLong = false }: PriceBook = {}): FindPrice {
  const findListed: FindPrice = (model, query) => {
    const tier = decidePriceTier(query.lane, query.tier);
    const standard = findStandardPrice(model, query.at.slice(0, 10), from);
    return tier === null || standard === null ? null : makePrice(standard, tier, findTierOf(standard, tier));
  };
  const find: FindPrice = (model, query) => {
    const row = findCustomPrice(own, model, query.at.slice(0, 10));
    if (row === null) return findListed(model, query);
    if (row.price.type === 'like') {
      const like = findListed(row.price.model, query);
      return (
        like && { ...like, source: `${row.source}, as ${row.price.model}: ${like.source}`, effectiveFrom: row.effectiveFrom, note: '' }
      );
    }
    const tier = decidePriceTier(query.lane, query.tier);
    if (tier === null) return null;
    const standard = makeOwnStandard(row, row.price, model, query.at.slice(0, 10));
    return makePrice(standard, tier, findCustomTier(row, row.price, standard.pricedAs, tier));
  };
  if (!keepsCacheLong) return find;
  return (model, query) => {
    const price = find(model, query);
    return price && keepWritesLong(price);
  };
}

/** The price of a model at OpenAI if the user has none: our overrides, then the rate book. */
export const findPrice: FindPrice = createFindPrice([]);

/**
 * The note next to a run's cost if its prices are not those of the address; null if they are, or if they are the user's own.
 * A deployment with its own name is answered under another model name, so an unknown name counts as foreign too.
 */
export function findPriceNote(model: string, at: string, own: readonly CustomPrice[], from: PriceSource): string | null {
  if (from.type === 'openai' || findCustomPrice(own, model, at.slice(0, 10)) !== null) return null;
  const standard = findStandardPrice(model, at.slice(0, 10), from);
  return standard?.provider != null ? null : describeForeignList(from.host);
}

/** Entries kept for twelve hours cost twice as much to write: 2.5 times the input instead of 1.25 (apidog.com on gpt-6.1-terra, seen 2026-11-29). */
export function keepWritesLong(price: Price): Price {
  const keep = (rates: Rates): Rates =>
    rates.cacheWritePicoUsd > rates.inputPicoUsd ? { ...rates, cacheWritePicoUsd: rates.cacheWritePicoUsd * 2 } : rates;
  const { rates, longContext } = price;
  return {
    ...price,
    rates: keep(rates),
    longContext: longContext && { ...longContext, rates: longContext.rates && keep(longContext.rates) },
  };
}

/**
 * The tier table is OpenAI's. Other providers' batches cost half if they have any, Groq's flex tier costs what its standard tier does (their
 * pages, seen 2026-11-29), and no other tier is known.
 */
function findTierOf({ provider, pricedAs, source }: StandardPrice, tier: PriceTier): FoundTier {
  if (provider === null) return findTierRule(pricedAs, tier);
  return provider === 'groq' && tier === 'flex' ? { ...findTierRule(pricedAs, 'standard'), source } : findTierRule(UNLISTED, tier);
}

/** A model that is not in the tier table. */
const UNLISTED = '';

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

/** A listed tier has long-context prices in the same proportion as the standard one. */
function applyToLong(rule: TierRule, { usd, longContext }: StandardPrice): Rates | null {
  if (longContext === null) return null;
  if (rule.type === 'factors') return rule.longContext ? applyRule(rule, longContext.usd) : null;
  const inputFactor = usd.input === 0 ? 1 : longContext.usd.input / usd.input;
  const outputFactor = usd.output === 0 ? 1 : longContext.usd.output / usd.output;
  return makeRates(scaleDollars(rule.usd, { input: inputFactor, cached: inputFactor, write: inputFactor, output: outputFactor }));
}

/**
 * The price list of an answer. The batch lane is priced by lane, whatever the body says. Live answers report their tier; one without a
 * tier is standard. `fast` is answered as `priority`; `auto` and `scale` have no rate (OpenAI API reference, seen 2026-11-21).
 */
function decidePriceTier(lane: LaneName, tier: string | null): PriceTier | null {
  if (lane === 'batch') return 'batch';
  switch (tier) {
    case null:
    case 'default':
    case 'standard':
    // Groq's name for it.
    case 'on_demand':
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
