import { randomUUID } from 'node:crypto';
import type { RowCounts } from '../core/summary.ts';
import type { RunState } from '../ledger/events/fold.ts';
import { openRunFiles } from '../ledger/runs.ts';
import { readKeptRun, readStateEvents } from './last-run.ts';
import { locateState } from './locate-state.ts';
import type { ReadOptions } from './open-state.ts';
import { findSimulatedRuns } from './simulated-runs.ts';

/** A job's runs (`runs JOB --json`); field names are a contract. */
export interface RunList {
  readonly schema: 'rowmill.runs/1';
  readonly job: string;
  /** Absolute path of the state directory, and the provider of its answers. */
  readonly state: string;
  readonly origin: string;
  /** Newest first: `last`, `prev`, `last~2` and so on. */
  readonly runs: readonly ListedRun[];
}

export interface ListedRun {
  readonly id: string;
  readonly startedAt: string;
  /** Null while it is open. */
  readonly endedAt: string | null;
  /** How it ended, or was left; null if no longer known, because only the latest runs keep a summary. */
  readonly verdict: string | null;
  readonly exitCode: number | null;
  readonly rows: RowCounts | null;
  /** As counted by the run. */
  readonly cost: { readonly nanoUsd: number; readonly usd: string; readonly unpricedAttempts: number } | null;
  readonly model: string | null;
  readonly lane: 'batch' | 'live' | null;
  readonly simulated: boolean;
}

/** Lists the runs of a job from what they stored: no table is read, no lock is needed. @throws UsageError if the job was not run yet */
export async function listRuns(options: ReadOptions): Promise<RunList> {
  const { state, job } = await locateState(options);
  const { runs } = await readStateEvents(state, options.signal);
  const simulated = findSimulatedRuns({ runs }, openRunFiles(state.directory, randomUUID));
  return {
    schema: 'rowmill.runs/1',
    job,
    state: state.directory,
    origin: state.origin,
    runs: runs
      .toReversed()
      .map((run) =>
        readRun({ ...run, simulated: simulated.has(run.id) }, readKeptRun(state, run.id, options.leaveOut ?? (() => {}))?.summary ?? null),
      ),
  };
}

type Kept = NonNullable<ReturnType<typeof readKeptRun>>['summary'];

function readRun({ id, startedAt, endedAt, exitCode, lane, simulated }: RunState, kept: Kept | null): ListedRun {
  // What an open run stored is its state when its last process left it.
  const verdict = kept?.verdict ?? (endedAt === null ? 'open' : null);
  const cost = kept === null ? null : { nanoUsd: kept.cost.nanoUsd, usd: kept.cost.usd, unpricedAttempts: kept.cost.unpricedAttempts };
  return { id, startedAt, endedAt, verdict, exitCode, rows: kept?.rows ?? null, cost, model: kept?.model ?? null, lane, simulated };
}
