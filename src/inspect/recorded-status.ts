import { UsageError } from '../core/errors.ts';
import type { DoubtfulCalls } from '../core/summary.ts';
import type { LedgerFold } from '../ledger/events/fold.ts';
import { isOfNow, type JobFacts, readKeptStatus } from '../run/status/kept-status.ts';
import { listBatches, type StatusFacts } from '../run/status/status-facts.ts';
import { findLeftCalls } from './find-left-calls.ts';
import { findLastRun, type JobState, type LastRun, readStateEvents } from './last-run.ts';
import type { ReadOptions } from './open-state.ts';

/** The status of a job as its last run recorded it: without the job file, rows cannot be rendered and counted. */
export interface RecordedStatus {
  readonly facts: StatusFacts;
  readonly about: JobFacts;
  /** When it was recorded, if the state may have changed since; null if it is current. */
  readonly recordedAt: string | null;
}

/**
 * As recorded by the process that works on the job, or did last; without such a record, from the summary of the last run.
 * @throws UsageError if there is neither
 */
export async function readRecordedStatus(state: JobState, options: ReadOptions): Promise<RecordedStatus> {
  const kept = readKeptStatus(state.directory);
  if (kept !== null) {
    const { about, facts, at } = kept;
    const isCurrent = isOfNow(kept, state.directory, { own: options.effects.processIdentity, now: options.effects.clock() });
    return { facts: isCurrent ? facts : await renew(facts, state, options), about, recordedAt: isCurrent ? null : at };
  }
  const fold = await readStateEvents(state, options.signal);
  const last = findLastRun(state, fold, options.leaveOut);
  if (last !== null) return readSummary(last, fold);
  throw new UsageError(
    `${state.directory}: no run of it has recorded how far it is; run the job file or the program it belongs to, or see what is known: rowmill bill`,
    { code: 'no_run' },
  );
}

/** The run and its batches as in the events, which are synced, and the calls its process has lost; only rows and money are as they were recorded. */
async function renew(facts: StatusFacts, state: JobState, options: ReadOptions): Promise<StatusFacts> {
  const fold = await readStateEvents(state, options.signal);
  return { ...facts, possiblyBilled: [...facts.possiblyBilled, ...(await listLostCalls(options))], ...readRun(fold) };
}

/** What they can have cost is unknown without the job. */
async function listLostCalls(options: ReadOptions): Promise<readonly DoubtfulCalls[]> {
  const left = await findLeftCalls(options);
  if (left === null || left.lost === 0) return [];
  return [{ why: 'lost_calls', id: null, calls: left.lost, nanoUsd: null, keys: [] }];
}

function readRun(fold: LedgerFold): Pick<StatusFacts, 'run' | 'batches'> {
  const last = fold.runs.at(-1);
  const run = last === undefined ? null : { id: last.id, startedAt: last.startedAt, endedAt: last.endedAt, exitCode: last.exitCode };
  return { run, batches: listBatches(fold, last?.id ?? '') };
}

function readSummary({ summary }: LastRun, fold: LedgerFold): RecordedStatus {
  const { rows, cost, ledger, possiblyBilled = [], simulated, model, run } = summary;
  const state = fold.runs.find(({ id }) => id === run);
  const { in: all, ok, failed, skipped, pending } = rows;
  return {
    facts: {
      simulated,
      rows: { in: all, ok, failed, skipped, pending, inFlight: 0 },
      cost: {
        nanoUsd: cost.nanoUsd,
        unpricedAttempts: cost.unpricedAttempts,
        ledgerNanoUsd: ledger.nanoUsd,
        possiblyBilledNanoUsd: cost.possiblyBilledNanoUsd,
        ledgerUnpricedAttempts: ledger.unpricedAttempts ?? 0,
      },
      possiblyBilled,
      waits: [],
      ...readRun(fold),
    },
    about: { model, mode: state?.lane ?? 'auto' },
    recordedAt: fold.runs.at(-1)?.id === run && state?.endedAt != null ? null : fold.activeAt,
  };
}
