import type { PriceTerm, PriceTerms } from '../core/event.ts';
import { type Job, readServiceTier } from '../core/job.ts';
import { splitByModel } from '../core/models/split-by-model.ts';
import { mostImageTokens } from './images/image-tokens.ts';
import { modelLimits } from './model-limits.ts';
import { type FindPrice, findPrice as findBuiltInPrice } from './price.ts';
import type { Rates } from './rates.ts';

/** Requests of unknown cost, by what bounds it. */
export interface Amount {
  /** Of their bodies: a text never has more tokens than bytes. */
  readonly bytes: number;
  readonly rows: number;
  /** The output caps of their answers, as counted by countAnswerCaps. */
  readonly answerCaps: number;
}

/** An upper bound of what requests cost, in nano-dollars. */
export interface CostBound {
  /**
   * The most these can cost together.
   * @param longestBytes of the largest body among them: a certainly short prompt is not counted as a long one
   */
  of(amount: Amount, longestBytes: number): number;
}

/** The part of a job that bounds the cost of its requests. */
export type BoundedJob = Pick<Job, 'model' | 'params' | 'messages' | 'votes' | 'endpoint' | 'mode' | 'requests'>;

export interface CostBoundOptions {
  readonly job: BoundedJob;
  readonly lane: 'batch' | 'live';
  /** The day whose prices count, and the one after it: answers may arrive tomorrow. */
  readonly at: string;
  readonly findPrice?: FindPrice;
  /** The parameters of `retry --set`, over those of the job. */
  readonly sets?: readonly Readonly<Record<string, unknown>>[];
}

/** The most output of a request of the job, all its votes together: its cap for each, else the model's; null if neither is known. */
export function longestAnswerTokens({
  model,
  params,
  endpoint,
  votes,
}: Pick<Job, 'model' | 'params' | 'endpoint' | 'votes'>): number | null {
  if (endpoint === '/v1/embeddings') return 0;
  const { max_output_tokens: cap } = params;
  const { maxOutputTokens, contextTokens } = modelLimits(model);
  const longest = typeof cap === 'number' ? cap : (maxOutputTokens ?? contextTokens);
  return longest === null ? null : longest * votes;
}

/** @returns null if a price, the longest answer or how the model counts images is unknown: nothing is guessed */
export function makeCostBound({ job, sets, ...prices }: CostBoundOptions): CostBound | null {
  return boundByTerms(listPriceTerms(job, sets), prices);
}

/** What bounds the price of a job's requests besides their sizes: kept with them when they are announced. */
export function listPriceTerms(job: BoundedJob, sets: CostBoundOptions['sets'] = []): PriceTerms {
  const terms = splitByModel(job).flatMap((one) =>
    [{}, ...new Set(sets)].map((set): PriceTerm => {
      const params = { ...one.params, ...set };
      return {
        model: one.model,
        tier: readServiceTier({ mode: one.mode, params }),
        answerTokens: longestAnswerTokens({ ...one, params }),
        images: one.messages.reduce((sum, { images = [] }) => sum + images.length, 0),
      };
    }),
  );
  return [...new Map(terms.map((term) => [JSON.stringify(term), term])).values()];
}

/** It is unknown which of the terms applies to a request, so the most expensive of each kind counts. @returns null as makeCostBound does */
export function boundByTerms(terms: PriceTerms, options: Omit<CostBoundOptions, 'job' | 'sets'>): CostBound | null {
  const { lane, at, findPrice = findBuiltInPrice } = options;
  const days = [at, new Date(Date.parse(at) + DAY_MS).toISOString()];
  const asked = terms.map(({ model, tier }) => findPrice(model, { lane, tier: tier === 'auto' ? null : tier, at }));
  const images = terms.map(({ model, images: count }) => (count === 0 ? 0 : countImageTokens(model, count)));
  const answers = terms.map(({ answerTokens: most }) => most);
  if (images.includes(null) || answers.includes(null) || asked.includes(null)) return null;

  const prices = terms.flatMap(({ model, tier: wanted }) =>
    answeredTiers(wanted).flatMap((tier) => days.flatMap((day) => findPrice(model, { lane, tier, at: day }) ?? [])),
  );
  const short = dearest(prices.map(({ rates }) => rates));
  const long = dearest(prices.flatMap(({ rates, longContext }) => [rates, longContext?.rates ?? rates]));
  const longFromBytes = Math.min(...prices.map(({ longContext }) => longContext?.overTokens ?? Number.POSITIVE_INFINITY));
  const answerTokens = Math.max(...answers.map(Number));
  const imageTokensPerRow = Math.max(...images.map(Number));
  return {
    of({ bytes, rows, answerCaps }, longestBytes) {
      const { input, output } = longestBytes + imageTokensPerRow > longFromBytes ? long : short;
      return Math.ceil(((bytes + rows * imageTokensPerRow) * input + answerCaps * answerTokens * output) / 1000);
    },
  };
}

function countImageTokens(model: string, images: number): number | null {
  const most = mostImageTokens(model);
  return most === null ? null : images * most;
}

const DAY_MS = 86_400_000;

/** The service tier named by a request. Without one, and for `auto`, the API is assumed to answer at its default tier: null. */
export function readTier({ service_tier: tier }: Job['params']): string | null {
  return typeof tier === 'string' && tier !== 'auto' ? tier : null;
}

/** The tiers an answer may come from: a request may be served at the default tier instead, and one for `auto` at any the project has. */
function answeredTiers(tier: string | null): readonly (string | null)[] {
  if (tier === 'auto') return [null, 'flex', 'priority'];
  return tier === null ? [null] : [tier, null];
}

/** The highest rate of any list, in pico-dollars: every input token written to the cache if that costs more. */
function dearest(rates: readonly Rates[]): { readonly input: number; readonly output: number } {
  return {
    input: Math.max(...rates.map(({ inputPicoUsd, cacheWritePicoUsd }) => Math.max(inputPicoUsd, cacheWritePicoUsd))),
    output: Math.max(...rates.map(({ outputPicoUsd }) => outputPicoUsd)),
  };
}
