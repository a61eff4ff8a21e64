import { EXIT } from '../../core/errors.ts';
import type { StoredEvent } from '../../core/event.ts';
import type { RunState } from './fold.ts';

/** The part of a fold about runs. */
interface FoldedRuns {
  readonly runs: RunState[];
  currentRun: RunState | null;
  activeAt: string;
}

/** Whether a run with this end was refused before it achieved anything. */
function isRefusal(exitCode: number): boolean {
  return exitCode === EXIT.usage || exitCode === EXIT.refused;
}

/** Tracks when the last run that counts did something; called for every event. */
export function trackActivity(fold: FoldedRuns): (event: StoredEvent) => void {
  let activeBefore = '';
  return (event) => {
    // Cleaning a state is not working with it.
    if (event.type === 'files-removed' || event.type === 'answers-removed') return;
    if (event.type === 'run-started') activeBefore = fold.activeAt;
    fold.activeAt = event.type === 'run-ended' && isRefusal(event.exitCode) ? activeBefore : event.at;
  };
}

export function endRun(fold: FoldedRuns, { run, at, exitCode }: Extract<StoredEvent, { readonly type: 'run-ended' }>): void {
  const index = fold.runs.findLastIndex((candidate) => candidate.id === run);
  const started = fold.runs[index];
  if (started !== undefined && isRefusal(exitCode)) fold.runs.splice(index, 1);
  else if (started !== undefined) fold.runs[index] = { ...started, endedAt: at, exitCode };
  if (fold.currentRun?.id === run) fold.currentRun = null;
}

/** No real model answers the open run. */
export function markSimulated(fold: FoldedRuns): void {
  if (fold.currentRun === null) return;
  fold.currentRun = { ...fold.currentRun, simulated: true };
  fold.runs[fold.runs.findLastIndex(({ id }) => id === fold.currentRun?.id)] = fold.currentRun;
}

/** @param estimateNanoUsd undefined if the event has none */
export function reviseEstimate(fold: FoldedRuns, estimateNanoUsd: number | null | undefined): void {
  const { currentRun } = fold;
  if (currentRun === null || estimateNanoUsd === undefined) return;
  fold.currentRun = { ...currentRun, estimateNanoUsd };
  fold.runs[fold.runs.findLastIndex(({ id }) => id === currentRun.id)] = fold.currentRun;
}
