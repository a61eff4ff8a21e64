import { decideNextStep, type NextStep, type RetryPolicy, TRANSIENT_CAUSES } from '../core/outcome.ts';
import type { Ledger } from '../ledger/ledger.ts';

/** Where a key stands: `new` was never answered, `in-flight` is with the provider. */
export type KeyStep = NextStep | 'new' | 'in-flight';

/** Decides what the current run may do with a key. */
export type StepOf = (id: number) => KeyStep;

/**
 * Binds the policy to the ledger. Within a run the table of outcomes decides; what an earlier run left failed stays failed,
 * unless its cause was passing or the user reopened it.
 */
export function createStepOf(ledger: Ledger, policy: RetryPolicy): StepOf {
  const { keys, fold } = ledger;
  return (id) => {
    if (keys.shard(id) !== 0) return 'in-flight';
    const outcome = keys.outcome(id);
    if (outcome === null) return 'new';
    if (outcome === 'ok') return 'done';
    if (keys.isReopened(id)) return 'again';
    const isOfThisRun = fold.currentRun !== null && fold.epochRuns[keys.epoch(id)] === fold.currentRun.id;
    if (isOfThisRun) return decideNextStep({ outcome, attempts: keys.attempts(id), idleRounds: keys.idleRounds(id) }, policy);
    const isPassing = TRANSIENT_CAUSES.has(outcome) || (outcome === 'unknown' && policy.onUnknown === 'retry');
    return isPassing && fold.currentRun !== null ? 'again' : 'failed';
  };
}
