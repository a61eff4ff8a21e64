import type { Job } from '../core/job.ts';
import { modelLimits } from '../money/model-limits.ts';
import { findPrice as findBuiltInPrice } from '../money/price.ts';

/** Upper bounds for the price of requests, in nano-dollars: every byte of the body a token, every answer as long as allowed. */
export interface CostBound {
  readonly perInputByteNanoUsd: number;
  readonly perAnswerNanoUsd: number;
}

/** The longest answer a request of the job can get: its cap, else the model's; null when neither is known. */
export function longestAnswerTokens(job: Job): number | null {
  const { max_output_tokens: cap } = job.params;
  return typeof cap === 'number' ? cap : modelLimits(job.model).maxOutputTokens;
}

/** Bounds in a lane, at the rates of long prompts where the model has them; null when the model's price or longest answer is unknown. */
export function makeCostBound(job: Job, lane: 'batch' | 'live', at: string, findPrice = findBuiltInPrice): CostBound | null {
  const tier = typeof job.params.service_tier === 'string' ? job.params.service_tier : null;
  const price = findPrice(job.model, { lane, tier, at });
  const answerTokens = longestAnswerTokens(job);
  if (price === null || answerTokens === null) return null;
  const { inputPicoUsd, cacheWritePicoUsd, outputPicoUsd } = price.longContext?.rates ?? price.rates;
  return { perInputByteNanoUsd: Math.max(inputPicoUsd, cacheWritePicoUsd) / 1000, perAnswerNanoUsd: (outputPicoUsd * answerTokens) / 1000 };
}
