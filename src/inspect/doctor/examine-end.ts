import { AppError } from '../../core/errors.ts';
import type { Job } from '../../core/job.ts';
import type { ModelEnd } from '../../openai/model-ends.ts';
import { findKnownEnd } from '../../run/open/model-end.ts';
import { foreseeEnd } from '../../run/plan/model-end.ts';
import { type PlanOptions, planJob } from '../../run/plan/plan.ts';
import type { PlannedEnd } from '../../run/plan/planned-end.ts';

export interface ExamineOptions extends Pick<PlanOptions, 'stateRoot' | 'target' | 'effects' | 'signal'> {
  readonly jobFile: string | null;
  readonly cwd: string;
}

/**
 * What the end of a job's model means for the whole job, whatever is already answered: another model has to answer everything again.
 * @param told as reported by the address; undefined if it reports nothing
 * @returns null if nothing is known; without costs if the job cannot be planned
 */
export async function examineEnd(job: Job, told: ModelEnd | null | undefined, options: ExamineOptions): Promise<PlannedEnd | null> {
  const known = findKnownEnd(job.model, options.target, told);
  if (known?.holdsHere !== true || options.jobFile === null) return null;
  if (job.requests !== undefined) return foreseeEnd(job, { ...known, today: options.effects.clock().toISOString() }, null);
  try {
    const { modelEnd } = await planJob({
      ...options,
      jobFile: options.jobFile,
      overrides: { cwd: options.cwd, input: null, out: null, mode: null },
      stdin: null,
      toldEnd: known.end,
      selection: { type: 'all' },
      priceAsOf: null,
      isFresh: true,
      reopen: null,
    });
    return modelEnd;
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return foreseeEnd(job, { ...known, today: options.effects.clock().toISOString() }, null);
  }
}
