import { isDeepStrictEqual } from 'node:util';
import type { Job } from '../../core/job.ts';
import { showModels } from '../../core/models/split-by-model.ts';
import { decideEffort } from '../../input/request/model-params.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import type { LeaveOut } from '../../ledger/runs.ts';
import type { AnswerHistory, AnswerLengths } from '../open/answer-history.ts';
import type { KeptSummary } from '../open/kept-summary.ts';
import { readKeptJob } from './kept-job.ts';

/** What the runs of a job left. */
export interface Answered {
  readonly ledger: Ledger;
  readonly history: AnswerHistory;
}

/**
 * The answers that tell how long those of a job will be, for every estimate alike: plan, confirmation, budget warnings, and what a pilot has not
 * asked. They are those of the newest runs that asked the same model for the same (`asksForSame`). Null if there are none: then the length is
 * guessed, never taken from answers to something else.
 */
export function readMeasured({ ledger, history }: Answered, job: Job, leaveOut: LeaveOut): AnswerLengths | null {
  const { fold, runFiles } = ledger;
  const isAlike = (id: string) => {
    const text = runFiles.readRunFile(id, 'job.yaml', leaveOut);
    // An open run stores its job when it stops or ends; that of an old one is gone, and with it what was asked.
    if (text === null) return id === fold.currentRun?.id;
    const model = (runFiles.readRunSummary(id, leaveOut) as KeptSummary | null)?.summary.model ?? job.model;
    if (model !== job.model && model !== showModels(job)) return false;
    const kept = text === job.text ? job : readKeptJob(text, job.directory);
    return kept !== null && asksForSame(kept, job);
  };
  return history.read(fold.runs.map(({ id }) => id).filter(isAlike));
}

/**
 * Whether two jobs, or a job with other parameters, expect answers of the same length: the same output from the same endpoint, with as many votes,
 * the same effort and verbosity. The prompt may have changed, since a guess knows less, unless it alone decides how long a free text becomes.
 */
export function asksForSame(a: Job, b: Job): boolean {
  const isFree = a.output.type === 'text' && a.output.labels === undefined;
  return (
    a.endpoint === b.endpoint &&
    a.votes === b.votes &&
    decideEffort({ ...a, model: b.model }) === decideEffort(b) &&
    a.params.verbosity === b.params.verbosity &&
    isDeepStrictEqual(a.output, b.output) &&
    (!isFree || isDeepStrictEqual(a.messages, b.messages))
  );
}
