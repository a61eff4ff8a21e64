import type { DollarsPerMillion } from '../core/custom-price.ts';

/**
 * The price of one token of each class, in integer pico-dollars (10^-12 USD; 1 USD per million tokens = 1,000,000).
 * Standard prices are whole nano-dollars; tiers halve or scale them, and pico-dollars hold every such product exactly.
 */
export interface Rates {
  readonly inputPicoUsd: number;
  /** Input read from the prompt cache. */
  readonly cachedInputPicoUsd: number;
  /** Input written to the prompt cache. */
  readonly cacheWritePicoUsd: number;
  readonly outputPicoUsd: number;
}

/**
 * Integer rates of a price list entry. A missing cached or cache-write rate is the input rate of the same tier
 * (openai-contract section 13, seen 2026-11-21).
 */
export function makeRates(usd: DollarsPerMillion): Rates {
  return {
    inputPicoUsd: toPicoUsd(usd.input),
    cachedInputPicoUsd: toPicoUsd(usd.cached ?? usd.input),
    cacheWritePicoUsd: toPicoUsd(usd.write ?? usd.input),
    outputPicoUsd: toPicoUsd(usd.output),
  };
}

/** Multiplies a price; null stays null. Rounding errors of binary fractions are removed when the price becomes an integer, in makeRates. */
export function scaleDollars(usd: DollarsPerMillion, factors: DollarsPerMillion): DollarsPerMillion {
  return {
    input: usd.input * factors.input,
    cached: usd.cached === null || factors.cached === null ? null : usd.cached * factors.cached,
    write: usd.write === null || factors.write === null ? null : usd.write * factors.write,
    output: usd.output * factors.output,
  };
}

function toPicoUsd(usdPerMillion: number): number {
  return Math.round(usdPerMillion * 1e6);
}
