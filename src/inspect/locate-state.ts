import { resolve } from 'node:path';
import { UsageError } from '../core/errors.ts';
import { loadJob } from '../input/job/load-job.ts';
import { describeOrigin, isSameOrigin } from '../ledger/origin.ts';
import { chooseState, findStateAt, type JobState, requireOneOrigin } from './last-run.ts';

/** What selects a state. */
export interface StateQuery {
  /** The job file; or a state directory, for what can be seen without the job. */
  readonly jobFile: string;
  readonly cwd: string;
  /** Replaces `.rowmill`; null for the default next to the job file. */
  readonly stateRoot: string | null;
  /** The provider whose answers to use; null for that of the last run. */
  readonly origin: string | null;
  readonly signal: AbortSignal;
}

/** A state, and the name of its job. */
export interface LocatedState {
  readonly state: JobState;
  readonly job: string;
}

/** @throws UsageError if the job file is wrong or the job was not run yet, or the state directory is that of another provider, or named after one */
export async function locateState(options: StateQuery): Promise<LocatedState> {
  const named = findStateAt(resolve(options.cwd, options.jobFile));
  const located = named === null ? await locateOfJob(options) : requireOrigin(named, options);
  requireOneOrigin(located.state.directory, named === null);
  return located;
}

async function locateOfJob(options: StateQuery): Promise<LocatedState> {
  const { job } = await loadJob(options.jobFile, { cwd: options.cwd });
  return { state: await chooseState(job, options.stateRoot, options.origin, options.signal), job: job.name };
}

function requireOrigin(named: LocatedState, { jobFile, origin }: StateQuery): LocatedState {
  const { state } = named;
  if (origin === null || isSameOrigin(state.origin, origin)) return named;
  throw new UsageError(`${jobFile}: has the answers of ${describeOrigin(state.origin)}, not of ${describeOrigin(origin)}`);
}
