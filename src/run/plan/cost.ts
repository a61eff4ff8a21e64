import type { LaneName } from '../../core/lane.ts';
import type { FindPrice, Price } from '../../money/price.ts';
import { CACHED_FROM_TOKENS, type CachePlan, type CacheWish, planCache, takesCacheOptions } from '../../money/prompt-cache.ts';
import type { Rates } from '../../money/rates.ts';

/** Integer nano-dollars. */
export interface CostRange {
  /** Answers of half the usual length, and the instructions found in the prompt cache if they are long enough. */
  readonly lowNanoUsd: number;
  readonly expectedNanoUsd: number;
  /** What it should not exceed: every answer as long as the 95th percentile of those measured; before that a multiple of the expectation, within the worst case. */
  readonly upperNanoUsd: number;
  /** Every answer as long as possible. */
  readonly worstNanoUsd: number;
}

/** What the same requests cost in each lane; null if the model is not sold so, or its price is unknown. */
export interface LaneCosts {
  readonly batch: CostRange | null;
  readonly live: CostRange | null;
  /** Live calls of the service tier `flex`. */
  readonly flex: CostRange | null;
}

/** Prompts of one kind: those above the model's long-context threshold have other rates. */
export interface PromptSum {
  readonly requests: number;
  readonly tokens: number;
  /** The output caps of their answers, as counted by countAnswerCaps. */
  readonly answerCaps: number;
}

/** Requests that share their parameters. */
export interface WorkPart {
  readonly short: PromptSum;
  readonly long: PromptSum;
  /** The model used; absent: the model of the prices. */
  readonly model?: string;
  /** The service tier requested by live calls; null for the default one. */
  readonly tier: string | null;
  /** Of one request. */
  readonly expectedOutputTokens: number;
  /** Null if it was not measured. */
  readonly p95OutputTokens: number | null;
  /** How much more than expected it may cost if it was not measured. */
  readonly guessFactor: number;
  /** Of one output cap. */
  readonly worstOutputTokens: number;
}

/** What has to be paid for. */
export interface Work {
  readonly parts: readonly WorkPart[];
  /** Re-asks per request, because of invalid answers. */
  readonly reasksPerRequest: number;
  /** By how much images of unknown size can exceed their count, all together. */
  readonly unsizedTokens: number;
  /** Tokens all prompts begin with, which the provider may have cached. */
  readonly leadingTokens: number;
  /** Prompts long enough to be written to the prompt cache, and their tokens. */
  readonly writable: Pick<PromptSum, 'requests' | 'tokens'>;
  /** Tokens of the shared prefix that can be cached separately; 0: it is too short. */
  readonly beginningTokens: number;
  /** The cache setting of the job; null if nothing is known about it. */
  readonly cacheWish: CacheWish | null;
}

/** The relative error of the input estimate. */
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
  const sum = (name: keyof LaneCosts) =>
    sumParts(work, caches[name], (part) => findLanePrice({ ...prices, model: part.model ?? prices.model }, name, part.tier));
  return { batch: sum('batch'), live: sum('live'), flex: sum('flex') };
}

/** @param tier the tier requested by live calls */
function findLanePrice({ findPrice, model, at }: ModelPrices, name: keyof LaneCosts, tier: string | null): Price | null {
  return findPrice(model, { lane: laneOf(name), tier: name === 'flex' ? name : name === 'live' ? tier : null, at });
}

function laneOf(name: keyof LaneCosts): LaneName {
  return name === 'batch' ? 'batch' : 'live';
}

/** What each lane writes to the prompt cache; null if writing costs nothing, or the price is unknown. */
export type LaneCaches = Readonly<Record<keyof LaneCosts, CachePlan | null>>;

export function planCaches(prices: ModelPrices, { parts, writable, beginningTokens, cacheWish }: Work): LaneCaches {
  const plan = (name: keyof LaneCosts): CachePlan | null => {
    const price = findLanePrice(prices, name, parts[0]?.tier ?? null);
    if (price === null || cacheWish === null || !takesCacheOptions(prices.model)) return null;
    return planCache(cacheWish, { ...writable, beginningTokens }, { rates: price.rates, lane: laneOf(name) });
  };
  return { batch: plan('batch'), live: plan('live'), flex: plan('flex') };
}

/** Input tokens above which a request costs the model's long-context rates. */
export function longContextOver({ findPrice, model, at }: ModelPrices): number {
  return findPrice(model, { lane: 'live', tier: null, at })?.longContext?.overTokens ?? Number.POSITIVE_INFINITY;
}

/** Null as soon as part of it has no price. */
function sumParts(work: Work, cache: CachePlan | null, priceOf: (part: WorkPart) => Price | null): CostRange | null {
  let sum: PicoUsd = [0, 0, 0, 0];
  for (const part of work.parts) {
    const price = priceOf(part);
    // What is read from the cache of a model that charges for writes is counted separately.
    const own = price === null ? null : pricePart(price, part, cache === null ? work : { ...work, leadingTokens: 0 });
    if (own === null) return null;
    sum = add(sum, own);
  }
  const addsPicoUsd = cache === null ? 0 : (cache.addsNanoUsd[cache.choice] ?? 0) * 1000;
  const [low, expected, upper, worst] = add(sum, [addsPicoUsd, addsPicoUsd, addsPicoUsd, 0]);
  const withReasks = 1 + work.reasksPerRequest;
  return {
    lowNanoUsd: toNanoUsd(low),
    expectedNanoUsd: toNanoUsd(expected * withReasks),
    upperNanoUsd: toNanoUsd(Math.max(expected, Math.min(upper, worst)) * withReasks),
    worstNanoUsd: toNanoUsd(worst * withReasks),
  };
}

type PicoUsd = readonly [low: number, expected: number, upper: number, worst: number];

function pricePart(price: Price, part: WorkPart, work: Work): PicoUsd | null {
  const short = priceSum(price.rates, part.short, part, work);
  if (part.long.requests === 0) return short;
  const longRates = price.longContext?.rates ?? null;
  return longRates === null ? null : add(short, priceSum(longRates, part.long, part, work));
}

function priceSum(rates: Rates, { requests, tokens, answerCaps }: PromptSum, part: WorkPart, work: Work): PicoUsd {
  const cachedTokens = Math.min(cacheableTokens(work.leadingTokens) * requests, tokens);
  const input = tokens * rates.inputPicoUsd;
  const output = requests * part.expectedOutputTokens * rates.outputPicoUsd;
  const expected = input + output;
  const { p95OutputTokens } = part;
  const upper = p95OutputTokens === null ? expected * part.guessFactor : input + requests * p95OutputTokens * rates.outputPicoUsd;
  return [
    (tokens - cachedTokens) * (1 - INPUT_TOLERANCE) * rates.inputPicoUsd + cachedTokens * rates.cachedInputPicoUsd + output / 2,
    expected,
    Math.max(expected, upper),
    (tokens * (1 + INPUT_TOLERANCE) + work.unsizedTokens) * Math.max(rates.inputPicoUsd, rates.cacheWritePicoUsd) +
      answerCaps * part.worstOutputTokens * rates.outputPicoUsd,
  ];
}

function add(a: PicoUsd, b: PicoUsd): PicoUsd {
  return [a[0] + b[0], a[1] + b[1], a[2] + b[2], a[3] + b[3]];
}

function toNanoUsd(picoUsd: number): number {
  return Math.round(picoUsd / 1000);
}

/** Before gpt-5.6, longer prefixes are cached in steps (OpenAI’s guide to prompt caching, seen 2026-11-21). */
const CACHED_STEP_TOKENS = 128;

/** How many of a prompt's first tokens the provider can cache. */
export function cacheableTokens(leadingTokens: number): number {
  return leadingTokens < CACHED_FROM_TOKENS ? 0 : leadingTokens - (leadingTokens % CACHED_STEP_TOKENS);
}
