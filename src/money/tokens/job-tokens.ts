import { splitImages } from '../images/body-images.ts';
import { countImageTokens, type ImageTokens } from '../images/image-tokens.ts';
import { type CacheBeginning, findCacheBeginning } from '../prompt-cache.ts';
import { createHeuristicTokenEstimator, createTokenEstimator, type ExactTokenEstimator, type TokenEstimator } from './token-estimator.ts';

/** What is known of the prompt tokens of a job's requests. Nothing heavy is loaded until something is to be counted exactly. */
export interface JobTokens {
  /** Prompt tokens of a body, right in the sum over many: for plans. */
  estimate(body: string): EstimatedPrompt;
  /** Prompt tokens of a body by itself, without what others taught: whether it is too long for the model. */
  estimateOne(body: string): number;
  /** What the batch lane keeps its limits by: rather over than under, in the sum over a shard. */
  charge(body: string): number;
  /** Exactly, the answer's schema as text included: what the live lane keeps its limits by. Loads the tokenizer the first time. */
  count(body: string): number;
  /** From now on estimates are made with weights fitted to these texts of bodies; loads the tokenizer. */
  learn(texts: readonly string[]): void;
  /** The estimator that can count; it loads the tokenizer when it does. */
  exact(): ExactTokenEstimator;
  /** Tokens that are the same in all bodies so far, about: at the start of the prompt, and anywhere. */
  constantTokens(): { readonly leading: number; readonly all: number };
  /** Where the constant beginning of the bodies so far can be marked to be kept in the prompt cache; null where it is too short. */
  findCacheBeginning(): CacheBeginning | null;
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
    constantTokens: () => estimator.constantTokens(),
    findCacheBeginning: () => findCacheBeginning({ text: estimator.readConstantBeginning(), tokens: estimator.constantTokens().leading }),
  };
}

/** Where a limit must hold, an image of unknown size is as large as can be. */
function mostTokensOf({ tokens, unsizedTokens }: ImageTokens): number {
  return tokens + unsizedTokens;
}

/** So many bodies are all looked at closely, then one in so many; the others are taken to hold as many tokens per character. */
const FIRST = 2_000;

const EVERY = 16;

/** The share of a new observation: the table may change its language on the way. */
const WEIGHT = 1 / 8;

/**
 * Makes an estimator cheap enough for every row of a million: right in the sum over a shard, which is what limits are kept by, not for the
 * single row.
 */
function createSampledEstimator(estimate: (body: string) => number): (body: string) => number {
  let asked = 0;
  let tokensPerCharacter = 0;
  return (body) => {
    if (++asked > FIRST && asked % EVERY !== 0) return Math.ceil(body.length * tokensPerCharacter);
    const tokens = estimate(body);
    const observed = tokens / body.length;
    tokensPerCharacter += (observed - tokensPerCharacter) * (asked === 1 ? 1 : WEIGHT);
    return tokens;
  };
}
