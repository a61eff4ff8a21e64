import { type Doubts, isIdle, type OutcomeStatus, usesAttempt } from '../core/outcome.ts';
import type { AnswerLocation } from './answer-location.ts';
import type { LedgerFold } from './events/fold.ts';
import type { KeyIndex } from './key-index.ts';
import type { ResponseFile } from './response-file.ts';

/** What a response line, or its absence, tells about a key. */
export interface Arrival {
  readonly outcome: OutcomeStatus;
  readonly isUnreadable: boolean;
  readonly reask: number;
  /** The attempt epoch its batch was created in. */
  readonly attemptEpoch: number;
  /** The shard that put the key in flight; 0 when unknown. */
  readonly shard: number;
  /** Null for an outcome without a line. */
  readonly location: AnswerLocation | null;
  /** A further call for a request of which another line of the same file counts: an attempt, and nothing else. */
  readonly isRepeat: boolean;
  /** What an `unknown` outcome came from, where it is counted by itself; absent for any other. */
  readonly doubt?: keyof Doubts;
}

/** Whether what a file says changes the index: extra batches and older generations are money only. */
export function countsForIndex(file: Pick<ResponseFile, 'isExtra' | 'generation'>, fold: LedgerFold): boolean {
  return !file.isExtra && file.generation === fold.generation;
}

/** Whether nobody asked for this: the key is neither in flight in that shard nor was ever settled. */
export function isUnasked(keys: KeyIndex, id: number, shard: number): boolean {
  return shard !== 0 && keys.outcome(id) === null && keys.shard(id) !== shard;
}

/**
 * Takes in what came back for a key. Attempts are counted anew in every attempt epoch; what comes late from an older attempt epoch than the key's
 * is not counted. An answer that is ok stays: neither a failure nor a later success replaces it. Of failures the latest stands.
 */
export function takeArrival(keys: KeyIndex, id: number, arrival: Arrival, fold: LedgerFold): void {
  keys.raiseReasks(id, arrival.reask);
  if (arrival.attemptEpoch > keys.attemptEpoch(id)) {
    keys.setCounts(id, 0, 0);
    keys.setAttemptEpoch(id, arrival.attemptEpoch);
  }
  const isOfLatestEpoch = arrival.attemptEpoch === keys.attemptEpoch(id);
  if (isOfLatestEpoch) {
    // What our own end ended is no try the row has used.
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

/** A row that was answered, or that a person opened again. */
export const NO_DOUBTS: Doubts = { vanishedBatches: 0, interruptions: 0 };

/**
 * Takes in a response line and puts its record at the head of the key's chain in `settled.jsonl`, unless the key has gone on to a later run.
 * @param settledOffset where the record lies
 * @returns where the key's record before it lies; -1 without one
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
  // Even when this late line is the answer, what it cost belongs to an earlier run.
  keys.setSettled(id, previous, true);
  return -1;
}

function isSameRun(fold: LedgerFold, attemptEpoch: number, otherEpoch: number): boolean {
  return fold.epochRuns[attemptEpoch] === fold.epochRuns[otherEpoch];
}
