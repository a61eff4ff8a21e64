import type { Job } from '../../core/job.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import type { LeaveOut } from '../../ledger/runs.ts';
import type { Books } from '../open/books.ts';
import { readContinuedSelection } from '../open/kept-summary.ts';
import type { KeyView } from '../open/opening.ts';
import { listChangedAspects } from './changes.ts';
import { readKeptJob } from './kept-job.ts';
import type { ContinuedRun, OutdatedAnswers, PlanRows } from './plan-result.ts';

export interface ContinuedOptions {
  readonly ledger: Ledger;
  readonly books: Pick<Books, 'ofRun'>;
  readonly job: Job;
  /** As they will be once the run has been continued. */
  readonly view: KeyView;
  /** Of the plan. */
  readonly rows: PlanRows;
  /** Whether the plan is about the whole table. */
  readonly isAll: boolean;
  readonly leaveOut: LeaveOut;
}

/** Null if no run is open: the next one starts a new one. */
export function findContinuedRun(options: ContinuedOptions): ContinuedRun | null {
  const { fold, runFiles } = options.ledger;
  const { currentRun, generationRun, epochRuns, lastRetryEpoch } = fold;
  if (currentRun === null) return null;
  const { id, selection = { type: 'all' } } = currentRun;
  const { nanoUsd, unpricedAttempts } = options.books.ofRun(id);
  const outdated = findOutdated(options, id);
  return {
    run: id,
    isFresh: generationRun === id,
    isRetry: lastRetryEpoch > 0 && epochRuns[lastRetryEpoch] === id,
    selection: readContinuedSelection(runFiles, id) ?? selection,
    cost: { nanoUsd, unpricedAttempts },
    ...(outdated === null ? {} : { outdated }),
  };
}

function findOutdated({ ledger, job, view, rows, isAll, leaveOut }: ContinuedOptions, run: string): OutdatedAnswers | null {
  let answered = 0;
  for (let id = 0; id < ledger.keys.size; id += 1) if (view.stepOf(id) === 'done' && view.isOfOpenRun(id)) answered += 1;
  if (answered === rows.answered) return null;
  const changed = listChanged(ledger, { job, run, leaveOut });
  if (isAll) return { changed, answers: answered - rows.answered, of: answered };
  return changed.length === 0 ? null : { changed, answers: null, of: answered };
}

interface Changed extends Pick<ContinuedOptions, 'job' | 'leaveOut'> {
  readonly run: string;
}

/** A run that was killed has not stored its job. */
function listChanged({ runFiles }: Ledger, { job, run, leaveOut }: Changed): readonly string[] {
  const text = runFiles.readRunFile(run, 'job.yaml', leaveOut);
  const before = text === null ? null : readKeptJob(text, job.directory);
  return before === null ? [] : listChangedAspects(job, before);
}
