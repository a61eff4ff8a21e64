import { randomUUID } from 'node:crypto';
import { AppError } from '../core/errors.ts';
import type { RowCounts } from '../core/summary.ts';
import type { RunState } from '../ledger/events/fold.ts';
import { openRunFiles } from '../ledger/runs.ts';
import { describeEmptyRows } from '../output/verdict.ts';
import { readKeptRun, readStateEvents } from './last-run.ts';
import { readLeftRun } from './left-run.ts';
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
  /** How many rows are empty, if every other one was answered; absent otherwise. */
  readonly empty?: number;
  /** Of an open run as `status` counts them. */
  readonly rows: Pick<RowCounts, 'in' | 'ok' | 'failed' | 'skipped' | 'pending'> | null;
  /** As in `Status`. */
  readonly recordedAt?: string;
  /** As counted by the run; of an open one as `status` counts it. */
  readonly cost: { readonly nanoUsd: number; readonly usd: string; readonly unpricedAttempts: number } | null;
  readonly model: string | null;
  readonly lane: 'batch' | 'live' | null;
  readonly simulated: boolean;
}

/**
 * Lists the runs of a job from what they stored, and an open one as `status` counts it; no lock is needed.
 * @throws UsageError if the job was not run yet
 */
export async function listRuns(options: ReadOptions): Promise<RunList> {
  const { state, job } = await locateState(options);
  const { runs } = await readStateEvents(state, options.signal);
  const simulated = findSimulatedRuns({ runs }, openRunFiles(state.directory, randomUUID));
  return {
    schema: 'rowmill.runs/1',
    job,
    state: state.directory,
    origin: state.origin,
    runs: await Promise.all(
      runs.toReversed().map(async (run) => {
        const kept = readKeptRun(state, run.id, options.leaveOut ?? (() => {}))?.summary ?? null;
        const listed = readRun({ ...run, simulated: simulated.has(run.id) }, kept);
        if (run.endedAt !== null) return listed;
        const { verdict } = await readLeftRun(state, run.id, { cwd: options.cwd, readCommand: async () => run.command });
        return countOpenRun(listed, { options, verdict });
      }),
    ),
  };
}

/** An open run as of now: what it has stored, if anything, is as of an earlier stop. */
async function countOpenRun(
  listed: ListedRun,
  { options, verdict }: { readonly options: ReadOptions; readonly verdict: string | null },
): Promise<ListedRun> {
  const { readStatus } = await import('./status.ts');
  try {
    const { run, rows, rowsOfRun = rows, cost, model, recordedAt } = await readStatus(options);
    if (run?.id !== listed.id) return listed;
    const { nanoUsd, usd, unpricedAttempts } = cost;
    const left = run.runner === null ? (verdict ?? 'open, none is working on it') : 'open';
    return {
      ...listed,
      verdict: left,
      rows: rowsOfRun,
      cost: { nanoUsd, usd, unpricedAttempts },
      model,
      ...(recordedAt === undefined ? {} : { recordedAt }),
    };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    options.leaveOut?.(`run ${listed.id}: its rows cannot be counted: ${error.message}`);
    return { ...listed, verdict: verdict ?? 'open', rows: null, cost: null };
  }
}

type Kept = NonNullable<ReturnType<typeof readKeptRun>>['summary'];

function readRun({ id, startedAt, endedAt, exitCode, lane, simulated }: RunState, kept: Kept | null): ListedRun {
  // What an open run stored is its state when its last process left it.
  const verdict = kept?.verdict ?? (endedAt === null ? 'open' : null);
  const cost = kept === null ? null : { nanoUsd: kept.cost.nanoUsd, usd: kept.cost.usd, unpricedAttempts: kept.cost.unpricedAttempts };
  const isOnlyEmpty = kept !== null && endedAt !== null && describeEmptyRows(kept) !== null;
  const empty = isOnlyEmpty ? { empty: kept.causes.empty ?? 0 } : {};
  return {
    id,
    startedAt,
    endedAt,
    verdict,
    exitCode,
    ...empty,
    rows: kept?.rows ?? null,
    cost,
    model: kept?.model ?? null,
    lane,
    simulated,
  };
}
