import type { Ledger } from '../../ledger/ledger.ts';
import type { Books } from '../open/books.ts';
import { readContinuedSelection } from '../open/kept-summary.ts';
import type { ContinuedRun } from './plan-result.ts';

/** Null if no run is open: the next one starts a new one. */
export function findContinuedRun({ fold, runFiles }: Ledger, books: Pick<Books, 'ofRun'>): ContinuedRun | null {
  const { currentRun, generationRun, epochRuns, lastRetryEpoch } = fold;
  if (currentRun === null) return null;
  const { id, selection = { type: 'all' } } = currentRun;
  const { nanoUsd, unpricedAttempts } = books.ofRun(id);
  return {
    run: id,
    isFresh: generationRun === id,
    isRetry: lastRetryEpoch > 0 && epochRuns[lastRetryEpoch] === id,
    selection: readContinuedSelection(runFiles, id) ?? selection,
    cost: { nanoUsd, unpricedAttempts },
  };
}
