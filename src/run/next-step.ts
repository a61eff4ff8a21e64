import type { Job } from '../core/job.ts';
import { decideNextStep, type NextStep, TRANSIENT_CAUSES } from '../core/outcome.ts';
import type { Ledger } from '../ledger/ledger.ts';

/** Where a key stands: `new` was never answered, `in-flight` is with the provider. */
export type KeyStep = NextStep | 'new' | 'in-flight';

/** Decides what may be done with a key. */
export type StepOf = (id: number) => KeyStep;

/**
 * Binds the job's policy to the ledger. Within a run the table of outcomes decides. What an earlier run left failed stays failed, unless the
 * user reopened it or, when a run is `working` (or about to), its cause was a passing one.
 */
export function createStepOf(ledger: Ledger, job: Job, purpose: 'working' | 'looking'): StepOf {
  const { keys, fold } = ledger;
  const policy = { attempts: job.retry.attempts, onUnknown: job.onUnknown, hasOutputCap: job.params.max_output_tokens !== undefined };
  return (id) => {
    if (keys.shard(id) !== 0) return 'in-flight';
    const outcome = keys.outcome(id);
    if (outcome === null) return 'new';
    if (outcome === 'ok') return 'done';
    if (keys.isReopened(id)) return 'again';
    const isOfOpenRun = fold.currentRun !== null && fold.epochRuns[keys.epoch(id)] === fold.currentRun.id;
    if (isOfOpenRun) return decideNextStep({ outcome, attempts: keys.attempts(id), idleRounds: keys.idleRounds(id) }, policy);
    const isPassing = TRANSIENT_CAUSES.has(outcome) || (outcome === 'unknown' && job.onUnknown === 'retry');
    return isPassing && purpose === 'working' ? 'again' : 'failed';
  };
}
