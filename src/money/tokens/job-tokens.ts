import { splitImages } from '../images/body-images.ts';
import { countImageTokens, type ImageTokens } from '../images/image-tokens.ts';
import { type CacheBeginning, findCacheBeginning } from '../prompt-cache.ts';
import { createHeuristicTokenEstimator, createTokenEstimator, type ExactTokenEstimator, type TokenEstimator } from './token-estimator.ts';

/** What is known about the prompt tokens of a job's requests. Nothing heavy is loaded until something has to be counted exactly. */
export interface JobTokens {
  /** Prompt tokens of a body, accurate in the sum over many: for plans. */
  estimate(body: string): EstimatedPrompt;
  /** Prompt tokens of a single body, independent of others: whether it is too long for the model. */
  estimateOne(body: string): number;
  /** What the batch lane uses for its limits: rather too high than too low, in the sum over a shard. */
  charge(body: string): number;
  /** Exact, with the answer's schema as text: what the live lane uses for its limits. Loads the tokenizer the first time. */
  count(body: string): number;
  /** From now on estimates use weights fitted to the text of these bodies; loads the tokenizer. */
  learn(texts: readonly string[]): void;
  /** The estimator that can count; it loads the tokenizer when it does. */
  exact(): ExactTokenEstimator;
  /** Tokens that are the same in all bodies so far, approximately: at the start of the prompt, and anywhere. */
  constantTokens(): { readonly leading: number; readonly all: number };
  /** Where the constant prefix of the bodies so far can be marked for the prompt cache; null if it is too short. */
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

/** For a hard limit, an image of unknown size counts as large as possible. */
function mostTokensOf({ tokens, unsizedTokens }: ImageTokens): number {
  return tokens + unsizedTokens;
}

/** This many bodies are all examined, then one in that many; the others are assumed to have the same tokens per character. */
const FIRST = 2_000;

const EVERY = 16;

/** The weight of a new observation: the language of the table may change. */
const WEIGHT = 1 / 8;

/**
 * An estimator cheap enough for every row of a million: accurate in the sum over a shard, which is what limits use, not for the
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
