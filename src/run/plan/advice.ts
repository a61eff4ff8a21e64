import type { LaneName } from '../../core/lane.ts';
import { findCheaperModel } from '../../money/cheaper-model.ts';
import { knowsImagesOf } from '../../money/images/image-tokens.ts';
import { formatCount, formatDollars } from '../../output/format-numbers.ts';
import { cacheableTokens, type LaneCosts, type ModelPrices, priceWork, type Work } from './cost.ts';

/** Another model's price for the same job. Whether it is good enough is for a pilot to show. */
export interface CheaperModel {
  readonly model: string;
  readonly cost: LaneCosts;
}

export interface Advised {
  readonly prices: ModelPrices;
  readonly lane: LaneName;
  /** Which price applies to the requests. */
  readonly priced: keyof LaneCosts;
  readonly work: Work;
  readonly cost: LaneCosts;
  readonly hasImages: boolean;
}

/** The next cheaper model of the family; null if there is none, it would cost no less, or it counts images differently. */
export function findCheaper({ prices, priced, work, cost, hasImages }: Advised): CheaperModel | null {
  if (hasImages) return null;
  const cheaper = findCheaperModel(prices.model);
  const now = cost[priced];
  if (cheaper === null || now === null || now.expectedNanoUsd === 0) return null;
  const other = priceWork({ ...prices, model: cheaper }, work);
  return (other[priced]?.expectedNanoUsd ?? Number.POSITIVE_INFINITY) < now.expectedNanoUsd ? { model: cheaper, cost: other } : null;
}

/**
 * What standing instructions would save at the front of the prompt, if the provider caches what all requests begin with.
 * @param constantTokens constant tokens of the prompt, wherever they are
 * @returns null if nothing would be saved
 */
export function warnOfLostCache({ prices, lane, work }: Advised, constantTokens: number): string | null {
  const price = prices.findPrice(prices.model, { lane, tier: null, at: prices.at });
  if (price === null) return null;
  const requests = work.parts.reduce((sum, { short }) => sum + short.requests, 0);
  const lostTokens = cacheableTokens(constantTokens) - cacheableTokens(work.leadingTokens);
  const savedNanoUsd = Math.round((requests * lostTokens * (price.rates.inputPicoUsd - price.rates.cachedInputPicoUsd)) / 1000);
  if (savedNanoUsd <= 0) return null;
  return `row text comes before constant text, which defeats the prompt cache; with the row last, the cache could save up to ${formatDollars(savedNanoUsd)}`;
}

/** What is unknown about the images of the requests. */
export function warnOfImages(model: string, images: { readonly hasImages: boolean; readonly unsizedImages: number }): readonly string[] {
  if (!images.hasImages) return [];
  const { unsizedImages } = images;
  const known = knowsImagesOf(model);
  return [
    ...(known === 'known'
      ? []
      : [`how ${model} counts images is not known: they are counted as ${known === 'assumed' ? 'gpt-5.6' : 'gpt-4o'} counts them`]),
    ...(unsizedImages === 0
      ? []
      : [`the size of ${describeUnsized(unsizedImages)} is not known: counted as 1024 x 1024; a pilot measures it`]),
  ];
}

function describeUnsized(images: number): string {
  return images === 1 ? '1 image behind a web address' : `${formatCount(images)} images behind web addresses`;
}
