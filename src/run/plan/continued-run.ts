import type { RowSelection } from '../../core/row.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import type { Books } from '../open/books.ts';
import { readContinuedSelection } from '../open/kept-summary.ts';

/** An unfinished run as its last invocation left it: the next one continues it, whatever its flags. */
export interface ContinuedRun {
  readonly run: string;
  /** Whether it sends every row again: answers from before its `--fresh` do not count. */
  readonly isFresh: boolean;
  /** Whether failed rows were reopened in it. */
  readonly isRetry: boolean;
  /** Which rows it was about. */
  readonly selection: RowSelection;
  /** What it has spent so far. */
  readonly cost: { readonly nanoUsd: number; readonly unpricedAttempts: number };
}

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
