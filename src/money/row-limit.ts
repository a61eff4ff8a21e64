import { UsageError } from '../core/errors.ts';
import type { Job } from '../core/job.ts';
import { keepModel, listModels } from '../core/models/split-by-model.ts';
import { formatUsd } from '../core/summary.ts';
import { type CostBound, makeCostBound } from './cost-bound.ts';
import type { FindPrice } from './price.ts';
import { pricesAsOf } from './price-overrides.ts';
import { suggestModel } from './tier-table.ts';

/** What a re-ask adds to the prompt besides the last answer: what was wrong with it. */
const REASK_BYTES = 1_000;

/** Why a body may cost too much, or null. @param model named in the body, if rows name several; absent: the job's */
export type FindTooDear = (body: string, model?: string) => string | null;

/**
 * `budget.usd_per_row`: says why a body may cost too much, or null. It counts the worst case with all attempts of the row, each re-ask with twice
 * the cap and the last answer in its prompt. Without `params.max_output_tokens` the answer has no bound, and only the input is counted.
 * The prices are those of the day the lists were compared, so that a row is judged alike on every day.
 * @returns null without such a limit
 * @throws UsageError if the model's price is unknown
 */
export function createRowLimit(job: Job, findPrice: FindPrice): FindTooDear | null {
  const limitNanoUsd = job.budget.nanoUsdPerRow;
  if (limitNanoUsd === null) return null;
  const cap = typeof job.params.max_output_tokens === 'number' ? job.params.max_output_tokens : 0;
  const capped: Job = { ...job, params: { ...job.params, max_output_tokens: cap } };
  const lane = job.mode === 'batch' ? 'batch' : 'live';
  const bounds = new Map<string, CostBound>();
  for (const model of listModels(job)) {
    const bound = makeCostBound({ job: keepModel(capped, model), lane, at: pricesAsOf, findPrice });
    if (bound === null)
      throw new UsageError(
        `budget.usd_per_row: no price is known for ${model}; set one in prices.yaml, or remove it${suggestModel(model)}`,
      );
    bounds.set(model, bound);
  }
  const tries = job.retry.attempts;
  const answerCaps = 2 ** tries - 1;
  const reaskBytes = (tries - 1) * REASK_BYTES + cap * (2 ** (tries - 1) - 1);
  return (body, model = job.model) => {
    const bound = bounds.get(model) as CostBound;
    const bytes = Buffer.byteLength(body);
    const nanoUsd = bound.of({ bytes: tries * bytes + reaskBytes, rows: tries, answerCaps }, bytes + reaskBytes);
    if (nanoUsd <= limitNanoUsd) return null;
    return `it could cost $${formatUsd(nanoUsd)} in ${tries} tries; budget.usd_per_row allows $${formatUsd(limitNanoUsd)}`;
  };
}
