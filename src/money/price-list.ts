import type { CustomPrice, DollarsPerMillion } from '../core/custom-price.ts';
import { modelLimits } from './model-limits.ts';
import { createFindPrice, type FindPrice, keepWritesLong, type Price } from './price.ts';
import type { Rates } from './rates.ts';
import { findChangeDays } from './standard-price.ts';
import type { PriceTier } from './tier-table.ts';

/** The price of a model on a day, and its source. Field names are a contract (`prices --json`). */
export interface ListedModel {
  readonly model: string;
  /** The entry of the price list it was found under. */
  readonly pricedAs: string;
  /** The source of the standard price. */
  readonly source: string;
  /** First UTC day of this price; null: from the beginning, as far as known. */
  readonly effectiveFrom: string | null;
  readonly note: string;
  readonly contextTokens: number | null;
  /** What a budget reserves for an answer without a cap. */
  readonly maxOutputTokens: number | null;
  /** By tier; null if the model is not sold. */
  readonly tiers: Readonly<Record<PriceTier, ListedTier | null>>;
  /** The standard price from each day on which it changed; empty if it never did. */
  readonly changes: readonly { readonly from: string; readonly usdPerMillion: DollarsPerMillion | null }[];
}

/** Dollars per million tokens. */
export interface ListedTier {
  readonly usdPerMillion: DollarsPerMillion;
  /** Input written to the prompt cache and kept there for twelve hours; null if writing costs nothing extra. */
  readonly write12h: number | null;
  /** The cost of longer requests as a whole; null if length does not matter; `usdPerMillion` null: not sold. */
  readonly longContext: { readonly overTokens: number; readonly usdPerMillion: DollarsPerMillion | null } | null;
  readonly source: string;
  readonly isAssumed: boolean;
}

/** The prices of a model on a UTC day; null if none is known. */
export function listModel(own: readonly CustomPrice[], model: string, day: string): ListedModel | null {
  const find = createFindPrice(own);
  const standard = find(model, { lane: 'live', tier: null, at: day });
  if (standard === null) return null;
  const tierOf = (tier: string) => listTier(find(model, { lane: 'live', tier, at: day }));
  return {
    model,
    pricedAs: standard.pricedAs,
    source: standard.source,
    effectiveFrom: standard.effectiveFrom,
    note: standard.note,
    ...modelLimits(model),
    tiers: {
      standard: listTier(standard),
      batch: listTier(find(model, { lane: 'batch', tier: null, at: day })),
      flex: tierOf('flex'),
      priority: tierOf('priority'),
    },
    changes: listChanges(find, model, own),
  };
}

function listChanges(find: FindPrice, model: string, own: readonly CustomPrice[]): ListedModel['changes'] {
  const ownDays = own.filter((row) => row.model === model).flatMap(({ effectiveFrom, effectiveTo }) => [effectiveFrom, effectiveTo]);
  const days = new Set([...findChangeDays(model), ...ownDays.filter((day) => day !== null)]);
  return [...days].toSorted().map((from) => {
    const price = find(model, { lane: 'live', tier: null, at: from });
    return { from, usdPerMillion: price && toDollars(price.rates) };
  });
}

function listTier(price: Price | null): ListedTier | null {
  if (price === null) return null;
  const { longContext, tierSource, isAssumed, rates } = price;
  const keptLong = keepWritesLong(price).rates.cacheWritePicoUsd;
  return {
    usdPerMillion: toDollars(rates),
    write12h: keptLong === rates.cacheWritePicoUsd ? null : keptLong / 1e6,
    longContext: longContext && { overTokens: longContext.overTokens, usdPerMillion: longContext.rates && toDollars(longContext.rates) },
    source: tierSource,
    isAssumed,
  };
}

/** Every rate as it is charged: if a list has none for cached or written input, the input rate. */
function toDollars({ inputPicoUsd, cachedInputPicoUsd, cacheWritePicoUsd, outputPicoUsd }: Rates): DollarsPerMillion {
  return { input: inputPicoUsd / 1e6, cached: cachedInputPicoUsd / 1e6, write: cacheWritePicoUsd / 1e6, output: outputPicoUsd / 1e6 };
}
