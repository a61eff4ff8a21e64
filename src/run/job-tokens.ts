import { splitImages } from '../money/body-images.ts';
import { countImageTokens, type ImageTokens } from '../money/image-tokens.ts';
import {
  createHeuristicTokenEstimator,
  createTokenEstimator,
  type ExactTokenEstimator,
  type TokenEstimator,
} from '../money/token-estimator.ts';
import type { Lanes } from './lanes.ts';
import { createSampledEstimator } from './sampled-tokens.ts';

/** What is known of the prompt tokens of a job's requests. Nothing heavy is loaded until something is to be counted exactly. */
export interface JobTokens {
  /** Prompt tokens of a body, right in the sum over many: for plans. */
  estimate(body: string): EstimatedPrompt;
  /** Prompt tokens of a body by itself, without what others taught: whether it is too long for the model. */
  estimateOne(body: string): number;
  /** What the batch lane keeps its limits by: rather over than under, in the sum over a shard. */
  charge(body: string): number;
  /** Exactly, the answer's schema as text included: what the live lane keeps its limits by. Waits for the tokenizer the first time (0.3 s). */
  count(body: string): number | Promise<number>;
  /** From now on estimates are made with weights fitted to these texts of bodies; loads the tokenizer. */
  learn(texts: readonly string[]): Promise<void>;
  loadExact(): Promise<ExactTokenEstimator>;
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
  let exact: ExactTokenEstimator | null = null;
  const general = createHeuristicTokenEstimator({ model });
  let estimator: TokenEstimator = general;
  let estimateText = createSampledEstimator(estimator.estimateRequest);
  let chargeText = createSampledEstimator(estimator.estimateRequestTokens);

  async function loadExact(): Promise<ExactTokenEstimator> {
    exact ??= await createTokenEstimator({ model });
    return exact;
  }

  function countWith({ countForLimits }: ExactTokenEstimator, body: string): number {
    const { text, images } = splitImages(body);
    return countForLimits(text) + mostTokensOf(countImageTokens(model, images));
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
    count: (body) => (exact === null ? loadExact().then((loaded) => countWith(loaded, body)) : countWith(exact, body)),
    async learn(texts) {
      const fitted = await loadExact();
      fitted.fit(texts);
      estimator = fitted;
      estimateText = createSampledEstimator(fitted.estimateRequest);
      chargeText = createSampledEstimator(fitted.estimateRequestTokens);
    },
    loadExact,
    constantTokens: () => estimator.constantTokens(),
  };
}

/** Where a limit must hold, an image of unknown size is as large as can be. */
function mostTokensOf({ tokens, unsizedTokens }: ImageTokens): number {
  return tokens + unsizedTokens;
}

/** How requests are charged in the lane they go to at that moment: a call is worth an exact count, a row of a batch is not. */
export function chooseCount(tokens: JobTokens, lanes: Pick<Lanes, 'name'>): (body: string) => number | Promise<number> {
  return (body) => (lanes.name === 'live' ? tokens.count(body) : tokens.charge(body));
}
