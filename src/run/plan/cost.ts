import type { FindPrice, Price, PriceQuery } from '../../money/price.ts';
import { CACHED_FROM_TOKENS, type CachePlan, type CacheWish, planCache, takesCacheOptions } from '../../money/prompt-cache.ts';
import type { Rates } from '../../money/rates.ts';

/** Integer nano-dollars. */
export interface CostRange {
  /** Answers of half the usual length, and the instructions found in the prompt cache where they are long enough. */
  readonly lowNanoUsd: number;
  readonly expectedNanoUsd: number;
  /** Every answer as long as it can be. */
  readonly worstNanoUsd: number;
}

/** What the same requests cost in each lane; null where the model is not sold so, or its price is unknown. */
export interface LaneCosts {
  readonly batch: CostRange | null;
  readonly live: CostRange | null;
  /** Live calls of the service tier `flex`. */
  readonly flex: CostRange | null;
}

/** Prompts of one kind: those above the model's long-context mark cost other rates. */
export interface PromptSum {
  readonly requests: number;
  readonly tokens: number;
}

/** What is to be paid for. */
export interface Work {
  readonly short: PromptSum;
  readonly long: PromptSum;
  /** Of one request. */
  readonly expectedOutputTokens: number;
  readonly worstOutputTokens: number;
  /** By how much images whose size is not known can be more than counted, all together. */
  readonly unsizedTokens: number;
  /** Tokens all prompts begin with, which the provider may have cached. */
  readonly leadingTokens: number;
  /** Prompts that are long enough to be written to the prompt cache. */
  readonly writable: PromptSum;
  /** Tokens of the shared beginning that can be kept there by itself; 0: it is too short. */
  readonly beginningTokens: number;
  /** What the job wishes of the cache; null where nothing can be said of it. */
  readonly cacheWish: CacheWish | null;
}

/** The estimate of the input is good to this. */
const INPUT_TOLERANCE = 0.05;

/** A model's prices on a day. */
export interface ModelPrices {
  readonly findPrice: FindPrice;
  readonly model: string;
  /** An ISO date or instant. */
  readonly at: string;
}

export function priceWork(prices: ModelPrices, work: Work): LaneCosts {
  const caches = planCaches(prices, work);
  const range = (name: keyof LaneCosts) => priceRange(findLanePrice(prices, name), work, caches[name]);
  return { batch: range('batch'), live: range('live'), flex: range('flex') };
}

const LANE_QUERIES: Readonly<Record<keyof LaneCosts, Omit<PriceQuery, 'at'>>> = {
  batch: { lane: 'batch', tier: null },
  live: { lane: 'live', tier: null },
  flex: { lane: 'live', tier: 'flex' },
};

function findLanePrice({ findPrice, model, at }: ModelPrices, name: keyof LaneCosts): Price | null {
  return findPrice(model, { ...LANE_QUERIES[name], at });
}

/** What each lane writes to the prompt cache; null where writing costs nothing, or the price is not known. */
export type LaneCaches = Readonly<Record<keyof LaneCosts, CachePlan | null>>;

export function planCaches(prices: ModelPrices, { writable, beginningTokens, cacheWish }: Work): LaneCaches {
  const plan = (name: keyof LaneCosts): CachePlan | null => {
    const price = findLanePrice(prices, name);
    if (price === null || cacheWish === null || !takesCacheOptions(prices.model)) return null;
    return planCache(cacheWish, { ...writable, beginningTokens }, { rates: price.rates, lane: LANE_QUERIES[name].lane });
  };
  return { batch: plan('batch'), live: plan('live'), flex: plan('flex') };
}

/** Input tokens above which a request costs the model's long-context rates. */
export function longContextOver({ findPrice, model, at }: ModelPrices): number {
  return findPrice(model, { lane: 'live', tier: null, at })?.longContext?.overTokens ?? Number.POSITIVE_INFINITY;
}

function priceRange(price: Price | null, work: Work, cache: CachePlan | null): CostRange | null {
  if (price === null) return null;
  const addsPicoUsd = cache === null ? 0 : (cache.addsNanoUsd[cache.choice] ?? 0) * 1000;
  const leadingTokens = cache === null ? work.leadingTokens : 0;
  const [low, expected, worst] = sumRange(price.rates, work.short, { ...work, leadingTokens });
  const short: PicoUsd = [low + addsPicoUsd, expected + addsPicoUsd, worst];
  if (work.long.requests === 0) return round(short);
  const longRates = price.longContext?.rates ?? null;
  if (longRates === null) return null;
  const long = sumRange(longRates, work.long, work);
  return round([short[0] + long[0], short[1] + long[1], short[2] + long[2]]);
}

type PicoUsd = readonly [low: number, expected: number, worst: number];

function sumRange(rates: Rates, { requests, tokens }: PromptSum, work: Work): PicoUsd {
  const cachedTokens = Math.min(cacheableTokens(work.leadingTokens) * requests, tokens);
  const output = requests * work.expectedOutputTokens * rates.outputPicoUsd;
  return [
    (tokens - cachedTokens) * (1 - INPUT_TOLERANCE) * rates.inputPicoUsd + cachedTokens * rates.cachedInputPicoUsd + output / 2,
    tokens * rates.inputPicoUsd + output,
    (tokens * (1 + INPUT_TOLERANCE) + work.unsizedTokens) * Math.max(rates.inputPicoUsd, rates.cacheWritePicoUsd) +
      requests * work.worstOutputTokens * rates.outputPicoUsd,
  ];
}

function round([low, expected, worst]: PicoUsd): CostRange {
  const nanoUsd = (picoUsd: number) => Math.round(picoUsd / 1000);
  return { lowNanoUsd: nanoUsd(low), expectedNanoUsd: nanoUsd(expected), worstNanoUsd: nanoUsd(worst) };
}

/** Before gpt-5.6, longer beginnings are cached in steps (OpenAI’s guide to prompt caching, seen 2026-11-21). */
const CACHED_STEP_TOKENS = 128;

/** How many of a prompt's first tokens the provider can cache. */
export function cacheableTokens(leadingTokens: number): number {
  return leadingTokens < CACHED_FROM_TOKENS ? 0 : leadingTokens - (leadingTokens % CACHED_STEP_TOKENS);
}
