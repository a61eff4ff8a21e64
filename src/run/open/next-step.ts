import type { Job } from '../../core/job.ts';
import { decideNextStep, type NextStep, TRANSIENT_CAUSES } from '../../core/outcome.ts';
import { type Ledger, LIVE_QUEUE } from '../../ledger/ledger.ts';
import { modelLimits } from '../../money/model-limits.ts';

/** The state of a key: `new` was never answered, `in-flight` is at the provider. */
export type KeyStep = NextStep | 'new' | 'in-flight';

/** Decides what may be done with a key. */
export type StepOf = (id: number) => KeyStep;

/** Whether a key's latest attempt was made by this run: what it answered is `new` there, and `reused` in later runs. */
export function isOfRun({ keys, fold }: Pick<Ledger, 'keys' | 'fold'>, id: number, run: string): boolean {
  return fold.epochRuns[keys.attemptEpoch(id)] === run;
}

export interface StepOptions {
  /** Whether a request that waits here for its live call counts as in flight: it is in no file, so nobody else sees it. */
  readonly seesQueue?: boolean;
  /** `RunState.causes` of the run that is about to start; null for all. */
  readonly nextCauses?: readonly string[] | null;
}

/**
 * Binds the job's policy to the ledger. Within a run the table of outcomes decides. What failed in an earlier run stays failed, unless the
 * user reopened it or, when a run is `working` (or about to), its cause was transient and, in a `retry --cause`, one of those.
 */
export function createStepOf(
  ledger: Ledger,
  job: Job,
  purpose: 'working' | 'reading',
  { seesQueue = true, nextCauses = null }: StepOptions = {},
): StepOf {
  const { keys, fold } = ledger;
  const policy = { attempts: job.retry.attempts, onUnknown: job.onUnknown };
  const cap = job.params.max_output_tokens;
  const mostTokens = modelLimits(job.model).maxOutputTokens ?? Number.POSITIVE_INFINITY;
  /** With a cap at the model's maximum the same request would be sent again. */
  const canGrowCap = (id: number) => typeof cap === 'number' && cap * 2 ** keys.reasks(id) < mostTokens;
  return (id) => {
    const shard = keys.shard(id);
    if (shard !== 0 && (seesQueue || shard !== LIVE_QUEUE)) return 'in-flight';
    const outcome = keys.outcome(id);
    if (outcome === null) return 'new';
    if (outcome === 'ok') return 'done';
    if (keys.isReopened(id)) return 'again';
    const isOfOpenRun = fold.currentRun !== null && isOfRun(ledger, id, fold.currentRun.id);
    const isHeld = ledger.explainHold(id) !== null;
    if (isOfOpenRun) {
      const { idleRounds, attempts } = { idleRounds: keys.idleRounds(id), attempts: keys.attempts(id) };
      const progress = { outcome, attempts, idleRounds, isUnreadable: keys.isUnreadable(id), isHeld };
      return decideNextStep(progress, { ...policy, hasOutputCap: outcome === 'truncated' && canGrowCap(id) });
    }
    const isPassing = TRANSIENT_CAUSES.has(outcome) || (outcome === 'unknown' && job.onUnknown === 'retry' && !isHeld);
    if (!isPassing || purpose === 'reading') return 'failed';
    const causes = fold.currentRun === null ? nextCauses : (fold.currentRun.causes ?? null);
    return causes === null || causes.includes(outcome) ? 'again' : 'failed';
  };
}
