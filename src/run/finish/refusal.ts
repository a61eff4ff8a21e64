import { AppError, EXIT } from '../../core/errors.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import type { Books } from '../open/books.ts';

/** Knows whether an invocation was refused before it achieved anything: it then leaves no trace among the runs. */
export interface Refusal {
  /** Whether an end with this exit code is such an end. */
  isRefused(exitCode: number): boolean;
  /** Removes the run, if this invocation started it and it ends so. */
  withdraw(exitCode: number): Promise<void>;
  /** The same for an end by an error. */
  withdrawFor(error: unknown): Promise<void>;
}

/** Starts watching: the run, if one is open now, belongs to an earlier invocation. */
export function watchForRefusal({ ledger, books }: { readonly ledger: Ledger; readonly books: Books }): Refusal {
  const { fold } = ledger;
  const openBefore = fold.currentRun?.id ?? null;
  const triesBefore = countTries();

  /** Everything that may have been paid for, or is about to be. */
  function countTries(): number {
    const { batchAttempts, liveAttempts } = books.life;
    const answerless = [...fold.answerlessAttempts.values()].reduce((sum, { rejected, unknown }) => sum + rejected + unknown, 0);
    const unknown = [...fold.unknownCalls.values()].reduce((sum, { calls }) => sum + calls, 0);
    const inDoubt =
      [...fold.shards.values()].filter(({ status }) => status === 'creating' || status === 'create-unknown').length +
      fold.absentCreates.size;
    const underWay = fold.batches.size + fold.openCalls.size + fold.queuedCalls.size + inDoubt;
    return batchAttempts + liveAttempts + answerless + unknown + underWay;
  }

  const isRefused = (exitCode: number) => (exitCode === EXIT.refused || exitCode === EXIT.usage) && countTries() === triesBefore;

  async function withdraw(exitCode: number): Promise<void> {
    const run = fold.currentRun?.id ?? null;
    if (run !== null && openBefore === null && isRefused(exitCode)) await ledger.append({ type: 'run-ended', run, exitCode });
  }

  return {
    isRefused,
    withdraw,
    async withdrawFor(error) {
      if (error instanceof AppError) await withdraw(error.exitCode);
    },
  };
}
