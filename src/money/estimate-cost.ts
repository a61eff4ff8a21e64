import { makeCost, pickRates } from './cost.ts';
import { modelLimits } from './model-limits.ts';
import type { Price } from './price.ts';

/** What is known about a request before it is sent. */
export interface RequestForecast {
  readonly inputTokens: number;
  /** Tokens at the start of the prompt that all requests share, and that the provider may therefore have cached. */
  readonly sharedTokens: number;
  /** An upper bound of the input; the body's bytes always are one, for text. */
  readonly inputTokensAtMost: number;
  /** `atMost` as returned by boundOutputTokens. */
  readonly outputTokens: { readonly low: number; readonly expected: number; readonly atMost: number };
}

/** Integer nano-dollars of one request. */
export interface CallCost {
  readonly lowNanoUsd: number;
  readonly expectedNanoUsd: number;
  /** Never less than the bill: reserved by a budget. */
  readonly worstNanoUsd: number;
}

/** Shorter prefixes are not cached; longer ones in steps (openai-contract section 13, seen 2026-11-21). */
const CACHED_FROM_TOKENS = 1024;
const CACHED_STEP_TOKENS = 128;

/**
 * The cost of a request at a price: low with the shared part cached and a short answer, expected without any luck, worst at every bound at once.
 * @returns null if the price has no rate for a request of this length
 */
export function estimateCost(price: Price, forecast: RequestForecast): CallCost | null {
  const { inputTokens, outputTokens } = forecast;
  const cachedInputTokens =
    forecast.sharedTokens < CACHED_FROM_TOKENS ? 0 : forecast.sharedTokens - (forecast.sharedTokens % CACHED_STEP_TOKENS);
  const unwritten = { cacheWriteTokens: 0, reasoningTokens: 0 };
  const low = makeCost(
    { ...unwritten, inputTokens, cachedInputTokens: Math.min(cachedInputTokens, inputTokens), outputTokens: outputTokens.low },
    price,
  );
  const expected = makeCost({ ...unwritten, inputTokens, cachedInputTokens: 0, outputTokens: outputTokens.expected }, price);
  const worst = boundCost(price, forecast.inputTokensAtMost, outputTokens.atMost);
  if (low === null || expected === null || worst === null) return null;
  return { lowNanoUsd: low, expectedNanoUsd: expected, worstNanoUsd: worst };
}

/** The most a request can cost: every input token at the highest input rate, which is the cache-write rate if there is one. */
function boundCost(price: Price, inputTokens: number, outputTokens: number): number | null {
  const rates = pickRates(price, inputTokens);
  if (rates === null) return null;
  const isWriteDearer = rates.cacheWritePicoUsd > rates.inputPicoUsd;
  const cacheWriteTokens = isWriteDearer ? inputTokens : 0;
  return makeCost({ inputTokens, cachedInputTokens: 0, cacheWriteTokens, outputTokens, reasoningTokens: 0 }, price);
}

/** The most tokens an answer can have: the cap, else the model's maximum, else its context; null if none is known. */
export function boundOutputTokens(model: string, cap: number | null): number | null {
  const { maxOutputTokens, contextTokens } = modelLimits(model);
  return cap ?? maxOutputTokens ?? contextTokens;
}
