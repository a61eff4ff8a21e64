import { randomUUID } from 'node:crypto';
import { type RunCommand, showCommandFrom } from '../core/run-command.ts';
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

/** @param readCommand the command recorded when the run began: asked only if no later one is kept, since that may take reading the log */
export async function readLeftRun(
  state: JobState,
  id: string,
  { cwd, readCommand }: { readonly cwd: string; readonly readCommand: () => Promise<RunCommand | undefined> },
): Promise<LeftRun> {
  const kept = readKeptRun(state, id, () => {});
  const invocation = readKeptInvocation(openRunFiles(state.directory, randomUUID), id);
  if (kept !== null && (invocation === null || (kept.at !== undefined && kept.at >= invocation.at))) {
    const { verdict, next } = kept.summary;
    return { verdict, command: next === null ? null : showCommandFrom(cwd, { text: next, folder: kept.typedIn ?? null }) };
  }
  const command = invocation?.command ?? (await readCommand());
  return { verdict: null, command: command === undefined ? null : showCommandFrom(cwd, command) };
}
