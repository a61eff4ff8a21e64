import { randomUUID } from 'node:crypto';
import { existsSync, lstatSync, readdirSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { AppError, UsageError } from '../core/errors.ts';
import type { Job } from '../core/job.ts';
import type { RowSelection } from '../core/row.ts';
import { readEvents } from '../ledger/events/event-log.ts';
import type { LedgerFold } from '../ledger/events/fold.ts';
import { createFold } from '../ledger/events/fold-events.ts';
import { readCreation } from '../ledger/events/read-creation.ts';
import { DEFAULT_ORIGIN, describeOrigin, isSameOrigin } from '../ledger/origin.ts';
import type { LeaveOut } from '../ledger/runs.ts';
import { openRunFiles } from '../ledger/runs.ts';
import { findLastKept, type KeptSummary, readContinuedSelection } from '../run/open/kept-summary.ts';
import { findOldState } from '../run/open/old-state.ts';
import { locateStateDirectory } from '../run/open/target.ts';

/** A state directory of a job: one for each provider it was run with. */
export interface JobState {
  readonly directory: string;
  readonly origin: string;
}

/** The last run with a summary. */
export type LastRun = KeptSummary;

type NamedJob = Pick<Job, 'name' | 'directory'>;

/** The job and the origin in the name of a state directory: `reviews` and `simulator` of `.rowmill/reviews@simulator`. */
export function nameState(directory: string): { readonly job: string; readonly origin: string } {
  const [job = '', origin = DEFAULT_ORIGIN] = basename(resolve(directory)).split('@');
  return { job, origin };
}

/**
 * The state at a path, and the name of its job; null if the path is no state directory. The provider is the one in its log: a name may be that of
 * a copy or a link.
 */
export function findStateAt(path: string): { readonly state: JobState; readonly job: string } | null {
  const directory = followLink(resolve(path));
  const creation = readCreation(directory);
  if (creation === null) return null;
  const { job, origin } = nameState(directory);
  // The name of a directory from an early version says more.
  return { state: { directory, origin: isSameOrigin(creation.origin, origin) ? origin : creation.origin }, job };
}

/**
 * @param isByName whether the directory was found by its name; if not, a name without a provider says nothing outside `.rowmill`
 * @throws UsageError if the name of a state directory says another provider than its log
 */
export function requireOneOrigin(directory: string, isByName: boolean): void {
  const creation = readCreation(directory);
  const { origin } = nameState(directory);
  const saysOrigin = isByName || basename(directory).includes('@') || basename(dirname(directory)) === '.rowmill';
  if (creation === null || !saysOrigin || isSameOrigin(creation.origin, origin)) return;
  const [logged, named] = [creation.origin, origin].map(describeOrigin);
  throw new UsageError(
    `${directory}: holds the answers of ${logged} by its log, but is named after ${named}; give it back the name it was made with`,
    { code: 'foreign_state' },
  );
}

function followLink(directory: string): string {
  const isLink = lstatSync(directory, { throwIfNoEntry: false })?.isSymbolicLink() ?? false;
  return isLink && existsSync(directory) ? realpathSync(directory) : directory;
}

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
 * The state to use: the named origin's, or without one the state of the job's last run. One in which every run was refused is the last choice.
 * @throws UsageError if there is none; it names the existing ones
 */
export async function chooseState(job: NamedJob, root: string | null, origin: string | null, signal: AbortSignal): Promise<JobState> {
  const states = findStates(job, root);
  const old = origin === null ? null : findOldState(job, origin, root);
  const chosen =
    origin === null ? await findLastActive(states, signal) : states.find((state) => state.origin === origin || state.directory === old);
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

/** When the last run that counts did something; empty if none has. A damaged log is reported by commands that need it: here its file date has to do. */
async function readActivity(state: JobState, signal: AbortSignal): Promise<string> {
  try {
    const { runs, activeAt } = await readStateEvents(state, signal);
    return runs.length === 0 ? '' : activeAt;
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return statSync(eventsFile(state.directory)).mtime.toISOString();
  }
}

/** What the events of a state directory say, without reading answers: quick, and no lock is needed. */
export async function readStateEvents(state: JobState, signal: AbortSignal): Promise<LedgerFold> {
  const { fold, apply } = createFold();
  await readEvents(eventsFile(state.directory), ({ event }) => apply(event), signal);
  return fold;
}

/**
 * What a run stored; null if nothing, because it is the first and still running, or too old.
 * @throws NewerFormatError if a newer version stored it, and there is no `leaveOut`
 */
export function readKeptRun(state: JobState, run: string, leaveOut: LeaveOut | null = null): LastRun | null {
  return openRunFiles(state.directory, randomUUID).readRunSummary(run, leaveOut) as LastRun | null;
}

/** As of `readContinuedSelection`, for a state that is not open. */
export function findContinuedSelection(state: JobState, run: string): RowSelection | null {
  return readContinuedSelection(openRunFiles(state.directory, randomUUID), run);
}

/** Like `findLastKept`, for a state that is not open. */
export function findLastRun(state: JobState, fold: LedgerFold, leaveOut: LeaveOut | null): LastRun | null {
  return findLastKept(fold, openRunFiles(state.directory, randomUUID), leaveOut);
}

export function eventsFile(directory: string): string {
  return join(directory, 'events.jsonl');
}
