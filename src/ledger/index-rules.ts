import { type Doubts, isIdle, type OutcomeStatus, usesAttempt } from '../core/outcome.ts';
import type { AnswerLocation } from './answer-location.ts';
import type { LedgerFold } from './events/fold.ts';
import type { KeyIndex } from './key-index.ts';
import type { ResponseFile } from './response-file.ts';

/** What a response line, or its absence, means for a key. */
export interface Arrival {
  readonly outcome: OutcomeStatus;
  readonly isUnreadable: boolean;
  readonly reask: number;
  /** The attempt epoch its batch was created in. */
  readonly attemptEpoch: number;
  /** The shard that put the key in flight; 0 if unknown. */
  readonly shard: number;
  /** Null for an outcome without a line. */
  readonly location: AnswerLocation | null;
  /** A further call for a request for which another line of the same file counts: an attempt, and nothing else. */
  readonly isRepeat: boolean;
  /** What an `unknown` outcome came from, if it is counted separately; absent for any other. */
  readonly doubt?: keyof Doubts;
}

/** Whether a file changes the index: extra batches and older generations count only as cost. */
export function countsForIndex(file: Pick<ResponseFile, 'isExtra' | 'generation'>, fold: LedgerFold): boolean {
  return !file.isExtra && file.generation === fold.generation;
}

/** Whether nobody asked for this: the key is neither in flight in that shard nor was ever settled. */
export function isUnasked(keys: KeyIndex, id: number, shard: number): boolean {
  return shard !== 0 && keys.outcome(id) === null && keys.shard(id) !== shard;
}

/** Whether anything is in flight in a shard: usually not once its answers are recorded, and then its event need not be read again. */
export function hasInFlight(keys: KeyIndex, shard: number): boolean {
  for (let id = 0; id < keys.size; id += 1) if (keys.shard(id) === shard) return true;
  return false;
}

/**
 * Applies a result to a key. Attempts are counted anew in every attempt epoch; a late result from an older attempt epoch than the key's
 * is not counted. A valid answer stays: neither a failure nor a later success replaces it. Of failures the latest counts.
 */
export function takeArrival(keys: KeyIndex, id: number, arrival: Arrival, fold: LedgerFold): void {
  keys.raiseReasks(id, arrival.reask);
  if (arrival.attemptEpoch > keys.attemptEpoch(id)) {
    keys.setCounts(id, 0, 0);
    keys.setAttemptEpoch(id, arrival.attemptEpoch);
  }
  const isOfLatestEpoch = arrival.attemptEpoch === keys.attemptEpoch(id);
  if (isOfLatestEpoch) {
    // An attempt cut off by our own end is not an attempt of the row.
    const isUsed = usesAttempt(arrival.outcome) && arrival.doubt !== 'interruptions';
    const attempts = keys.attempts(id) + (isUsed ? 1 : 0);
    const idleRounds = arrival.isRepeat ? keys.idleRounds(id) : isIdle(arrival.outcome) ? keys.idleRounds(id) + 1 : 0;
    keys.setCounts(id, attempts, idleRounds);
  }
  if (arrival.isRepeat) return;
  if (arrival.location !== null) keys.setDoubts(id, NO_DOUBTS);
  else if (arrival.doubt !== undefined) keys.setDoubts(id, { ...keys.doubts(id), [arrival.doubt]: keys.doubts(id)[arrival.doubt] + 1 });
  if (keys.shard(id) === arrival.shard) keys.setShard(id, 0);
  if (arrival.attemptEpoch >= fold.lastRetryEpoch) keys.setReopened(id, false);
  const known = keys.outcome(id);
  if (known === 'ok') return;
  if (!isOfLatestEpoch && arrival.outcome !== 'ok' && known !== null) return;
  keys.setOutcome(id, arrival.outcome, arrival.location);
  keys.setUnreadable(id, arrival.isUnreadable);
}

/** A row that was answered, or that a person reopened. */
export const NO_DOUBTS: Doubts = { vanishedBatches: 0, interruptions: 0 };

/**
 * Applies a response line and puts its record at the head of the key's chain in `settled.jsonl`, unless the key has moved on to a later run.
 * @param settledOffset the offset of the record
 * @returns the offset of the key's previous record; -1 without one
 */
export function takeRecord(keys: KeyIndex, id: number, arrival: Arrival, settledOffset: number, fold: LedgerFold): number {
  const previous = keys.settledOffset(id);
  const isFirstOfRun = previous === -1 || !isSameRun(fold, keys.attemptEpoch(id), arrival.attemptEpoch);
  const isAnswered = keys.outcome(id) === 'ok';
  takeArrival(keys, id, arrival, fold);
  if (isSameRun(fold, keys.attemptEpoch(id), arrival.attemptEpoch)) {
    keys.setSettled(id, settledOffset, !isFirstOfRun || isAnswered || arrival.isRepeat);
    return previous;
  }
  // Even if this late line is the answer, its cost belongs to an earlier run.
  keys.setSettled(id, previous, true);
  return -1;
}

function isSameRun(fold: LedgerFold, attemptEpoch: number, otherEpoch: number): boolean {
  return fold.epochRuns[attemptEpoch] === fold.epochRuns[otherEpoch];
}
