import type { DollarsPerMillion } from '../core/custom-price.ts';
import { findClosest } from '../core/wording/suggest.ts';

/** The price lists of the API: `batch` by lane, the others by the service tier reported by the answer. */
export type PriceTier = 'standard' | 'batch' | 'flex' | 'priority';

/** A tier's price as factors on the standard rates; a null factor: the tier has no such rate, those tokens cost its input rate. */
export interface TierFactors {
  readonly type: 'factors';
  readonly factors: DollarsPerMillion;
  /** Whether long prompts are sold at this tier too. */
  readonly longContext: boolean;
}

/** How a tier's price is derived from the standard one, or the price itself. */
export type TierRule = TierFactors | { readonly type: 'list'; readonly usd: DollarsPerMillion };

type TierRules = Readonly<Record<Exclude<PriceTier, 'standard'>, TierRule | null>> & {
  /** The source of the tiers of this model; the pricing page by default. */
  readonly source?: string;
};

const PRICING_PAGE = 'OpenAI pricing page, seen 2026-11-21';
const VENDOR_NOTES = 'LiteLLM price map and vendor notes, seen 2026-11-21';
const AS_61_SOL = 'assumed: as gpt-6.1-sol';

const times = (factor: number): TierFactors => ({
  type: 'factors',
  factors: { input: factor, cached: factor, write: factor, output: factor },
  longContext: true,
});

const STANDARD: TierRule = times(1);

/** Sold for short prompts only. */
const timesShort = (factor: number): TierRule => ({ ...times(factor), longContext: false });

const half = (options: { cached: boolean; write: boolean }): TierRule => ({
  type: 'factors',
  factors: { input: 0.5, cached: options.cached ? 0.5 : null, write: options.write ? 0.5 : null, output: 0.5 },
  longContext: true,
});

const list = (input: number, cached: number, output: number): TierRule => ({ type: 'list', usd: { input, cached, write: null, output } });

const HALF = half({ cached: false, write: false });
const HALF_CACHED = half({ cached: true, write: false });
const HALF_ALL = half({ cached: true, write: true });

/** Batch at half price without a cached batch rate, nothing else: 4o, 4.1 and o-series, older and fine-tuned models. */
const BATCH_ONLY: TierRules = { batch: HALF, flex: null, priority: null };
const NO_TIERS: TierRules = { batch: null, flex: null, priority: null };

/**
 * Which tiers each model has, and their prices (openai-contract section 13, from the pricing page; seen 2026-11-21, codex in fast mode 2026-11-29). Explicit on purpose:
 * priority is not a constant factor, several models lack a cached batch rate, and a missing model must be visibly missing.
 */
const TIER_TABLE: ReadonlyMap<string, TierRules> = new Map([
  ['gpt-6.2-astra', { batch: HALF_CACHED, flex: HALF_CACHED, priority: times(2), source: AS_61_SOL }],
  ['gpt-6.2-sol', { batch: HALF_CACHED, flex: HALF_CACHED, priority: times(2), source: AS_61_SOL }],
  ['gpt-6.1-sol', { batch: HALF_CACHED, flex: HALF_CACHED, priority: times(2), source: VENDOR_NOTES }],
  ['gpt-6.1-terra', { batch: HALF_CACHED, flex: HALF_CACHED, priority: times(2), source: VENDOR_NOTES }],
  ['gpt-6-astra', { batch: HALF_ALL, flex: HALF_ALL, priority: times(2) }],
  ['gpt-6-sol', { batch: HALF_ALL, flex: HALF_ALL, priority: times(2) }],
  ['gpt-6-luna', { batch: HALF_CACHED, flex: HALF_CACHED, priority: null }],
  ['gpt-5.6-sol', { batch: HALF_ALL, flex: HALF_ALL, priority: times(2) }],
  ['gpt-5.6-terra', { batch: HALF_ALL, flex: HALF_ALL, priority: times(2) }],
  ['gpt-5.6-luna', { batch: HALF_ALL, flex: HALF_ALL, priority: times(2) }],
  ['gpt-5.5', { batch: HALF_CACHED, flex: HALF_CACHED, priority: timesShort(2.5) }],
  ['gpt-5.5-pro', { batch: HALF, flex: HALF, priority: null }],
  ['gpt-5.4', { batch: HALF_CACHED, flex: HALF_CACHED, priority: timesShort(2) }],
  ['gpt-5.4-mini', { batch: HALF_CACHED, flex: HALF_CACHED, priority: times(2) }],
  ['gpt-5.4-nano', { batch: HALF_CACHED, flex: HALF_CACHED, priority: null }],
  ['gpt-5.4-pro', { batch: HALF, flex: HALF, priority: null }],
  ['gpt-5.3-codex', { batch: HALF_CACHED, flex: HALF_CACHED, priority: times(2) }],
  ['gpt-5.2', { batch: HALF_CACHED, flex: HALF_CACHED, priority: times(2) }],
  ['gpt-5.2-pro', { batch: HALF, flex: null, priority: null }],
  ['gpt-5.1', { batch: HALF_CACHED, flex: HALF_CACHED, priority: times(2) }],
  ['gpt-5', { batch: HALF_CACHED, flex: HALF_CACHED, priority: times(2) }],
  ['gpt-5-mini', { batch: HALF_CACHED, flex: HALF_CACHED, priority: times(1.8) }],
  ['gpt-5-nano', { batch: HALF_CACHED, flex: HALF_CACHED, priority: null }],
  ['gpt-5-pro', { batch: HALF, flex: null, priority: null }],
  ['gpt-4.1', { ...BATCH_ONLY, priority: times(1.75) }],
  ['gpt-4.1-mini', { ...BATCH_ONLY, priority: times(1.75) }],
  ['gpt-4.1-nano', { ...BATCH_ONLY, priority: times(2) }],
  ['gpt-4o', { ...BATCH_ONLY, priority: times(1.7) }],
  ['gpt-4o-2024-05-13', { ...BATCH_ONLY, priority: times(1.75) }],
  ['gpt-4o-mini', { ...BATCH_ONLY, priority: list(0.25, 0.125, 1) }],
  ['gpt-4.5-preview', BATCH_ONLY],
  ['gpt-4-turbo', BATCH_ONLY],
  ['gpt-4', BATCH_ONLY],
  ['gpt-4-32k', BATCH_ONLY],
  ['gpt-3.5-turbo', BATCH_ONLY],
  // The only model whose batch price is its standard price.
  ['gpt-3.5-turbo-1106', { ...BATCH_ONLY, batch: times(1) }],
  ['gpt-3.5-turbo-0613', BATCH_ONLY],
  ['gpt-3.5-turbo-16k', BATCH_ONLY],
  ['gpt-3.5-turbo-instruct', NO_TIERS],
  ['o1', BATCH_ONLY],
  ['o1-preview', BATCH_ONLY],
  ['o1-pro', BATCH_ONLY],
  ['o1-mini', BATCH_ONLY],
  ['o3', { batch: HALF, flex: HALF_CACHED, priority: times(1.75) }],
  ['o3-pro', BATCH_ONLY],
  ['o3-mini', BATCH_ONLY],
  ['o4-mini', { batch: HALF, flex: HALF_CACHED, priority: list(2, 0.5, 8) }],
  ['text-embedding-3-small', BATCH_ONLY],
  ['text-embedding-3-large', BATCH_ONLY],
  ['text-embedding-ada-002', BATCH_ONLY],
  ['ft:gpt-4o', BATCH_ONLY],
  ['ft:gpt-4o-mini', BATCH_ONLY],
  ['ft:gpt-3.5-turbo', BATCH_ONLY],
  ['ft:gpt-4.1', BATCH_ONLY],
  ['ft:gpt-4.1-mini', BATCH_ONLY],
  ['ft:gpt-4.1-nano', BATCH_ONLY],
  ['ft:o4-mini', BATCH_ONLY],
  ['ft:babbage-002', BATCH_ONLY],
  ['ft:davinci-002', BATCH_ONLY],
]);

/** The models with their own tiers, newest first. */
export const TIERED_MODELS: readonly string[] = [...TIER_TABLE.keys()];

/** A tier's rule, and its source. */
export interface FoundTier {
  /** Null if the tier is not sold. */
  readonly rule: TierRule | null;
  readonly source: string;
  /** Whether it follows from a general rule, because the table does not list the model. */
  readonly isAssumed: boolean;
}

/** The rule of a model's tier. A model missing from the table has an assumed half-price batch tier and no other. */
export function findTierRule(pricedAs: string, tier: PriceTier): FoundTier {
  if (tier === 'standard') return { rule: STANDARD, source: PRICING_PAGE, isAssumed: false };
  const rules = TIER_TABLE.get(pricedAs);
  if (rules === undefined) return { rule: BATCH_ONLY[tier], source: 'assumed: half the standard price', isAssumed: true };
  return { rule: rules[tier], source: rules.source ?? PRICING_PAGE, isAssumed: false };
}

/** Where to look for the name of a model. */
export const MODELS_LISTED = 'rowmill prices lists the known models';

/** `. Did you mean "gpt-4o-mini"?`, or where models are listed, to append to a message about a model of unknown price; nothing for a known name. */
export function suggestModel(model: string): string {
  if (isKnown(model)) return '';
  const closest = findClosestModel(model);
  return closest === null ? `; ${MODELS_LISTED}` : `. Did you mean "${closest}"?`;
}

/** The known model with the most similar name; null if none is similar, or the name itself is known. */
export function findClosestModel(model: string): string | null {
  return isKnown(model) ? null : findClosest(model, TIERED_MODELS);
}

function isKnown(model: string): boolean {
  return TIERED_MODELS.some((known) => model === known || model.startsWith(`${known}-20`) || model.startsWith(`${known}:`));
}
