import type { OutcomeStatus } from '../../core/outcome.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import type { StepOf } from '../open/next-step.ts';

/** A row that failed without an answer to read: refused in validation, in none of its batches' files, or lost. */
export interface AnswerlessFailure {
  readonly id: number;
  readonly outcome: OutcomeStatus;
}

/** How many keys are searched again at most after one lost live call; losses come one by one, and may be frequent. */
const KEYS_PER_LOST_CALL = 1024;

export interface AnswerlessFailures {
  /** Every such row of the run, if there may be new ones since the last call; else nothing. Re-asks are left out: their row was answered. */
  readNew(): readonly AnswerlessFailure[];
}

/** These ends are not reported as records, so they are looked up in the index when the totals of the events show that there are some. */
export function createAnswerlessFailures({ keys, fold }: Pick<Ledger, 'keys' | 'fold'>, run: string, stepOf: StepOf): AnswerlessFailures {
  let collected: unknown = null;
  let unanswered = 0;
  let lostCalls = 0;

  /** Requests of the run's batches that were refused, or were in no file. Counted again only when a batch was collected. */
  function hasMoreUnanswered(): boolean {
    const attempts = fold.answerlessAttempts.get(run);
    if (attempts === undefined || attempts === collected) return false;
    collected = attempts;
    let found = attempts.rejected;
    for (const batch of fold.batches.values()) if (batch.run === run) found += batch.missing;
    const isMore = found > unanswered;
    unanswered = found;
    return isMore;
  }

  function hasMoreLostCalls(): boolean {
    const found = fold.unknownCalls.get(run)?.calls ?? 0;
    if (found === lostCalls || found - lostCalls < keys.size / KEYS_PER_LOST_CALL) return false;
    lostCalls = found;
    return true;
  }

  function isOfRun(id: number): boolean {
    return fold.epochRuns[keys.attemptEpoch(id)] === run && keys.location(id) === null && keys.reasks(id) === 0;
  }

  return {
    readNew() {
      const [hasUnanswered, hasLost] = [hasMoreUnanswered(), hasMoreLostCalls()];
      if (!hasUnanswered && !hasLost) return [];
      const ends: AnswerlessFailure[] = [];
      for (let id = 0; id < keys.size; id++) {
        const outcome = keys.outcome(id);
        if (outcome !== null && outcome !== 'ok' && isOfRun(id) && stepOf(id) === 'failed') ends.push({ id, outcome });
      }
      return ends;
    },
  };
}

/** A set of small whole numbers from 0, one bit each: a million of them take 125 kB. */
interface IdSet {
  has(id: number): boolean;
  /** @returns false if it was already there */
  add(id: number): boolean;
}

export function createIdSet(): IdSet {
  let bits = new Uint8Array(128);
  const has = (id: number) => ((bits[id >>> 3] ?? 0) & (1 << (id & 7))) !== 0;
  return {
    has,
    add(id) {
      if (has(id)) return false;
      if (id >>> 3 >= bits.length) {
        const larger = new Uint8Array(Math.max(bits.length * 2, (id >>> 3) + 1));
        larger.set(bits);
        bits = larger;
      }
      bits[id >>> 3] = (bits[id >>> 3] as number) | (1 << (id & 7));
      return true;
    },
  };
}
