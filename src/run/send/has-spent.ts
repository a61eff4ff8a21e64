import { DiskError } from '../../core/disk/disk-error.ts';
import { AppError, EXIT } from '../../core/errors.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import type { Books } from '../open/books.ts';

/** Whether a run has paid for anything, or may have: then exit 2 would be wrong. */
export function hasSpent({ fold }: Pick<Ledger, 'fold'>, books: Pick<Books, 'ofRun'>, run: string): boolean {
  const { batchAttempts, liveAttempts, nanoUsd, unpricedAttempts } = books.ofRun(run);
  if (batchAttempts + liveAttempts + nanoUsd + unpricedAttempts > 0) return true;
  if (fold.openCalls.size + fold.queuedCalls.size > 0 || fold.unknownCalls.has(run)) return true;
  if ([...fold.batches.values()].some((batch) => batch.run === run)) return true;
  const isInDoubt = [...fold.shards.values()].some(({ status }) => status === 'creating' || status === 'create-unknown');
  return isInDoubt || [...fold.absentCreates.values()].some((absent) => absent.run === run);
}

/** The same error as the end of a run that has spent: exit 2 would say that nothing was. A Redis that cannot be used is not a bug. */
export function asSpent(error: unknown): unknown {
  if (!(error instanceof AppError) || error.exitCode !== EXIT.usage) return error;
  if (error instanceof DiskError)
    return new AppError(`${error.message}; what was paid for is kept`, { code: error.code, exitCode: EXIT.stopped, cause: error });
  return new AppError(`${error.message}\nWhat was answered and paid for is kept: mend that, then run the same command again`, {
    code: error.code,
    exitCode: error.code === 'redis' ? EXIT.stopped : EXIT.bug,
    cause: error,
  });
}
