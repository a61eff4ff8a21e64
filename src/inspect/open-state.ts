import { resolve } from 'node:path';
import { UsageError } from '../core/errors.ts';
import type { RowSelection } from '../core/row.ts';
import type { LedgerFold } from '../ledger/events/fold.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { LeaveOut } from '../ledger/runs.ts';
import type { Books } from '../run/open/books.ts';
import type { Effects } from '../run/open/effects.ts';
import type { KeptPaths } from '../run/open/kept-summary.ts';
import { createStepOf, type StepOf } from '../run/open/next-step.ts';
import { openJobLedger } from '../run/open/open-job-ledger.ts';
import { prepareJob } from '../run/open/prepare.ts';
import type { PreparedJob } from '../run/open/prepared-job.ts';
import { readKeptStatus } from '../run/status/kept-status.ts';
import { findContinuedSelection, findLastRun, findStateAt, type JobState, type LastRun, readStateEvents } from './last-run.ts';
import { type LocatedState, locateState, type StateQuery } from './locate-state.ts';

/** The options of a command that sends nothing. */
export interface ReadOptions extends StateQuery {
  /** A table that replaces the one of the last run. */
  readonly input: string | null;
  /** Where the environment came from: files that must not be overwritten. */
  readonly environmentFiles?: readonly string[];
  /** Called for a run's summary that only a newer version can read; null if the last run's is needed, which is then refused. */
  readonly leaveOut: LeaveOut | null;
  readonly effects: Pick<Effects, 'clock' | 'randomId' | 'processIdentity' | 'sleep' | 'random'>;
}

/** Which of a job's states a command uses, found without opening the table. */
export interface FoundState extends LocatedState {
  /** Ids of all runs, oldest first. */
  readonly runs: readonly string[];
  readonly lastRun: LastRun | null;
  /** The paths in effect: those of an open run, or of the last one with a summary; null if there is none. */
  readonly paths: Pick<KeptPaths, 'input' | 'out'> | null;
  /** Whether no real model gave the answers. */
  readonly simulated: boolean;
  /** Which rows the last run was about. */
  readonly selection: RowSelection;
}

/** A job with its table and its state directory, opened for reading: nothing is changed, a run may be in progress. */
export interface OpenState extends FoundState {
  readonly prepared: PreparedJob;
  readonly ledger: Ledger;
  readonly books: Books;
  /** The current state of a row's key: while a run is open, rows it will still send are not failures. */
  readonly stepOf: StepOf;
}

/** Locates the state and finds its last run. @throws LedgerError too, if its event log is damaged */
export async function findState(options: ReadOptions): Promise<FoundState> {
  const { state, job } = await locateState(options);
  const fold = await readStateEvents(state, options.signal);
  const lastRun = findLastRun(state, fold, options.leaveOut);
  const simulated = lastRun?.summary.simulated ?? fold.runs.at(-1)?.simulated ?? false;
  const told = readKeptStatus(state.directory);
  const paths =
    told !== null && fold.currentRun !== null && told.facts.run?.id === fold.currentRun.id ? told.paths : (lastRun?.paths ?? null);
  return { state, job, runs: fold.runs.map(({ id }) => id), lastRun, paths, simulated, selection: findSelection(state, fold, lastRun) };
}

/** The rows of the latest run's last invocation: as stored when it continued the run, else in its summary; if it stored nothing, those the run began with. */
function findSelection(state: JobState, { runs }: LedgerFold, lastRun: LastRun | null): RowSelection {
  const last = runs.at(-1);
  if (last === undefined) return { type: 'all' };
  const kept = lastRun?.summary.run === last.id ? lastRun.selection : undefined;
  return findContinuedSelection(state, last.id) ?? kept ?? last.selection ?? { type: 'all' };
}

/**
 * Opens the job with the table of its last run. The caller closes the ledger.
 * @param hashesResponses as in `LedgerOptions`
 */
export async function openState(options: ReadOptions, { hashesResponses = true } = {}): Promise<OpenState> {
  const found = await findState(options);
  const { state } = found;
  const prepared = await prepareForReading(options, found);
  const opening = { ...options, origin: state.origin, access: 'read', priceAsOf: null, hashesResponses } as const;
  const { ledger, books } = await openJobLedger(prepared, opening);
  const purpose = ledger.fold.currentRun === null ? 'reading' : 'working';
  return { ...found, prepared, ledger, books, stepOf: createStepOf(ledger, prepared.compiled.job, purpose) };
}

/** The job with the last run's table, unless another one is named; piped input is read from the stored copy. */
export async function prepareForReading(options: ReadOptions, { state, paths }: FoundState): Promise<PreparedJob> {
  if (findStateAt(resolve(options.cwd, options.jobFile)) !== null)
    throw new UsageError(`${options.jobFile}: is a state directory; rows and answers can only be read with the job file`);
  return prepareJob({
    jobFile: options.jobFile,
    overrides: { cwd: options.cwd, input: options.input ?? paths?.input ?? null, out: paths?.out ?? null },
    stateRoot: options.stateRoot,
    target: { origin: state.origin },
    stdin: null,
    clock: options.effects.clock,
    signal: options.signal,
  });
}
