import { createSampledEstimator } from '../run/sampled-tokens.ts';
import type { Lanes } from '../run/send/open-lanes.ts';
import { splitImages } from './body-images.ts';
import { countImageTokens, type ImageTokens } from './image-tokens.ts';
import { createHeuristicTokenEstimator, createTokenEstimator, type ExactTokenEstimator, type TokenEstimator } from './token-estimator.ts';

/** What is known of the prompt tokens of a job's requests. Nothing heavy is loaded until something is to be counted exactly. */
export interface JobTokens {
  /** Prompt tokens of a body, right in the sum over many: for plans. */
  estimate(body: string): EstimatedPrompt;
  /** Prompt tokens of a body by itself, without what others taught: whether it is too long for the model. */
  estimateOne(body: string): number;
  /** What the batch lane keeps its limits by: rather over than under, in the sum over a shard. */
  charge(body: string): number;
  /** Exactly, the answer's schema as text included: what the live lane keeps its limits by. Loads the tokenizer the first time (0.3 s). */
  count(body: string): number;
  /** From now on estimates are made with weights fitted to these texts of bodies; loads the tokenizer. */
  learn(texts: readonly string[]): void;
  /** The estimator that can count; it loads the tokenizer when it does. */
  exact(): ExactTokenEstimator;
  /** Lets go of the tokenizer until something is to be counted again. */
  unload(): void;
  /** Tokens that are the same in all bodies so far, about: at the start of the prompt, and anywhere. */
  constantTokens(): { readonly leading: number; readonly all: number };
}

export interface EstimatedPrompt {
  /** The body without its images. */
  readonly text: string;
  readonly images: ImageTokens;
  /** Text and images. */
  readonly tokens: number;
}

export function createJobTokens(model: string): JobTokens {
  let exactEstimator: ExactTokenEstimator | null = null;
  const general = createHeuristicTokenEstimator({ model });
  let estimator: TokenEstimator = general;
  let estimateText = createSampledEstimator(estimator.estimateRequest);
  let chargeText = createSampledEstimator(estimator.estimateRequestTokens);

  function exact(): ExactTokenEstimator {
    exactEstimator ??= createTokenEstimator({ model });
    return exactEstimator;
  }

  return {
    estimate(body) {
      const { text, images: parts } = splitImages(body);
      const images = countImageTokens(model, parts);
      return { text, images, tokens: estimateText(text) + images.tokens };
    },
    estimateOne(body) {
      const { text, images } = splitImages(body);
      return Math.ceil(general.estimate(text) + countImageTokens(model, images).tokens);
    },
    charge(body) {
      const { text, images } = splitImages(body);
      return chargeText(text) + mostTokensOf(countImageTokens(model, images));
    },
    count(body) {
      const { text, images } = splitImages(body);
      return exact().countForLimits(text) + mostTokensOf(countImageTokens(model, images));
    },
    learn(texts) {
      const fitted = exact();
      fitted.fit(texts);
      estimator = fitted;
      estimateText = createSampledEstimator(fitted.estimateRequest);
      chargeText = createSampledEstimator(fitted.estimateRequestTokens);
    },
    exact,
    unload: () => exactEstimator?.unload(),
    constantTokens: () => estimator.constantTokens(),
  };
}

/** Where a limit must hold, an image of unknown size is as large as can be. */
function mostTokensOf({ tokens, unsizedTokens }: ImageTokens): number {
  return tokens + unsizedTokens;
}

/** How requests are charged in the lane they go to at that moment: a call is worth an exact count, a row of a batch is not. */
export function chooseCount(tokens: JobTokens, lanes: Pick<Lanes, 'name'>): (body: string) => number {
  return (body) => (lanes.name === 'live' ? tokens.count(body) : tokens.charge(body));
}
