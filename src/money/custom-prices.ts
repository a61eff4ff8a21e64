import type { CustomPrice, CustomRates, LongContextRule } from '../core/custom-price.ts';
import { findStandardPrice, isInForce, makeLongContext, type StandardPrice } from './standard-price.ts';
import { type FoundTier, findTierRule, type PriceTier } from './tier-table.ts';

/** The user's price for a model on a day: the first row that matches. */
export function findCustomPrice(own: readonly CustomPrice[], model: string, day: string): CustomPrice | null {
  return own.find((row) => isNamed(row.model, model) && isInForce(row, day)) ?? null;
}

/** The API answers an alias under the name of its dated snapshot. */
const SNAPSHOT = /-\d{4}-\d{2}-\d{2}$/;

function isNamed(pattern: string, model: string): boolean {
  const [wanted, name] = [pattern.toLowerCase(), model.toLowerCase()];
  return wanted.endsWith('*') ? name.startsWith(wanted.slice(0, -1)) : name === wanted || name.replace(SNAPSHOT, '') === wanted;
}

/** A user's prices in the form of a price list: what they leave open is as known for a model of that name. */
export function makeOwnStandard(
  { source, effectiveFrom }: CustomPrice,
  { usd, longContext }: CustomRates,
  model: string,
  day: string,
): StandardPrice {
  const known = findStandardPrice(model, day);
  const overTokens = known?.longContext?.overTokens;
  const rule: LongContextRule | null =
    longContext !== undefined ? longContext : overTokens === undefined ? null : { overTokens, inputFactor: 2, outputFactor: 1.5 };
  return {
    pricedAs: known?.pricedAs ?? model,
    source,
    effectiveFrom,
    note: '',
    usd,
    longContext: rule && { overTokens: rule.overTokens, usd: makeLongContext(usd, rule.inputFactor, rule.outputFactor) },
    provider: null,
  };
}

/** The tier a user has given prices for, or the one of the tier table. */
export function findCustomTier({ source }: CustomPrice, { tiers }: CustomRates, pricedAs: string, tier: PriceTier): FoundTier {
  const usd = tier === 'standard' ? undefined : tiers[tier];
  if (usd === undefined) return findTierRule(pricedAs, tier);
  return { rule: usd === null ? null : { type: 'list', usd }, source, isAssumed: false };
}
