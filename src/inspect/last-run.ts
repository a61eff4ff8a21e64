import { randomUUID } from 'node:crypto';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { AppError, UsageError } from '../core/errors.ts';
import type { Job } from '../core/job.ts';
import { readEvents } from '../ledger/events/event-log.ts';
import type { LedgerFold } from '../ledger/events/fold.ts';
import { createFold } from '../ledger/events/fold-events.ts';
import type { LeaveOut } from '../ledger/runs.ts';
import { openRunFiles } from '../ledger/runs.ts';
import type { KeptSummary } from '../run/open/kept-summary.ts';
import { DEFAULT_ORIGIN, locateStateDirectory } from '../run/open/target.ts';

/** A state directory of a job: one for each provider it was run with. */
export interface JobState {
  readonly directory: string;
  readonly origin: string;
}

/** The last run that kept a summary. */
export type LastRun = KeptSummary;

type NamedJob = Pick<Job, 'name' | 'directory'>;

/** The job's state directories, in no order. */
export function findStates(job: NamedJob, root: string | null): readonly JobState[] {
  const parent = root ?? join(job.directory, '.rowmill');
  const names = existsSync(parent) ? readdirSync(parent) : [];
  return names
    .filter((name) => name === job.name || name.startsWith(`${job.name}@`))
    .map((name) => ({ directory: join(parent, name), origin: name.slice(job.name.length + 1) || DEFAULT_ORIGIN }))
    .filter(({ directory }) => existsSync(eventsFile(directory)));
}

/**
 * The state to look at: the named origin's, or without one the state of the job's last run. One in which every run was refused is the last choice.
 * @throws UsageError when there is none; it names the states there are
 */
export async function chooseState(job: NamedJob, root: string | null, origin: string | null, signal: AbortSignal): Promise<JobState> {
  const states = findStates(job, root);
  const chosen = origin === null ? await findLastActive(states, signal) : states.find((state) => state.origin === origin);
  if (chosen !== undefined) return chosen;
  const directory = locateStateDirectory(job, origin ?? DEFAULT_ORIGIN, root);
  const others = states.map((state) => describeOrigin(state.origin)).join(', ');
  const hint = others === '' ? '' : `; it was run with ${others}`;
  throw new UsageError(`${job.name} has not been run with ${describeOrigin(origin ?? DEFAULT_ORIGIN)}: there is no ${directory}${hint}`, {
    code: 'no_state',
  });
}

async function findLastActive(states: readonly JobState[], signal: AbortSignal): Promise<JobState | undefined> {
  if (states.length <= 1) return states[0];
  const dated = await Promise.all(states.map(async (state) => ({ state, activeAt: await readActivity(state, signal) })));
  return dated.toSorted((a, b) => (a.activeAt < b.activeAt ? 1 : -1))[0]?.state;
}

/** When the last run that counts did something; empty where none has. A log that is damaged is told of by whoever needs it: here its file's date has to do. */
async function readActivity(state: JobState, signal: AbortSignal): Promise<string> {
  try {
    const { runs, activeAt } = await readStateEvents(state, signal);
    return runs.length === 0 ? '' : activeAt;
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return statSync(eventsFile(state.directory)).mtime.toISOString();
  }
}

/** An origin as a person calls it. */
export function describeOrigin(origin: string): string {
  if (origin === DEFAULT_ORIGIN) return 'api.openai.com';
  return origin === 'simulator' ? 'the simulator (--simulate)' : origin;
}

/** What the events of a state directory say, without looking at answers: quick, and no lock is needed. */
export async function readStateEvents(state: JobState, signal: AbortSignal): Promise<LedgerFold> {
  const { fold, apply } = createFold();
  await readEvents(eventsFile(state.directory), ({ event }) => apply(event), signal);
  return fold;
}

/**
 * What a run kept; null when it kept nothing, because it is the first and still going on, or is too long ago.
 * @throws NewerFormatError when a newer version kept it, and `leaveOut` is not there to be told
 */
export function readKeptRun(state: JobState, run: string, leaveOut: LeaveOut | null = null): LastRun | null {
  return openRunFiles(state.directory, randomUUID).readRunSummary(run, leaveOut) as LastRun | null;
}

/** The newest run that kept a summary, whether it has ended or is to be continued. */
export function findLastRun(state: JobState, fold: LedgerFold, leaveOut: LeaveOut | null): LastRun | null {
  for (const { id } of fold.runs.toReversed()) {
    const kept = readKeptRun(state, id, leaveOut);
    if (kept !== null) return kept;
  }
  return null;
}

function eventsFile(directory: string): string {
  return join(directory, 'events.jsonl');
}
