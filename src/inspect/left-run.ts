import { randomUUID } from 'node:crypto';
import { showCommandFrom } from '../core/run-command.ts';
import type { RunState } from '../ledger/events/fold.ts';
import { openRunFiles } from '../ledger/runs.ts';
import { readKeptInvocation } from '../run/open/kept-summary.ts';
import { type JobState, readKeptRun } from './last-run.ts';

/** How the last process of an open run left it. */
export interface LeftRun {
  /** Null if it had no time to say why it stopped, or is still at work. */
  readonly verdict: string | null;
  /** What continues it, as typed in the reader's folder; null if an earlier version ran it. */
  readonly command: string | null;
}

export function readLeftRun(state: JobState, run: RunState, cwd: string): LeftRun {
  const kept = readKeptRun(state, run.id, () => {});
  const invocation = readKeptInvocation(openRunFiles(state.directory, randomUUID), run.id);
  if (kept !== null && (invocation === null || kept.at === undefined || kept.at >= invocation.at)) {
    const { verdict, next } = kept.summary;
    return { verdict, command: next === null ? null : showCommandFrom(cwd, { text: next, folder: kept.typedIn ?? null }) };
  }
  const command = invocation?.command ?? run.command;
  return { verdict: null, command: command === undefined ? null : showCommandFrom(cwd, command) };
}
