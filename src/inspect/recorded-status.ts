import { UsageError } from '../core/errors.ts';
import type { LedgerFold } from '../ledger/events/fold.ts';
import { countBudget } from '../run/budget/facts.ts';
import { isOfNow, type JobFacts, readKeptStatus } from '../run/status/kept-status.ts';
import { listBatches, type StatusFacts } from '../run/status/status-facts.ts';
import { listWaits } from '../run/status/waits.ts';
import { findLastRun, type LastRun, readStateEvents } from './last-run.ts';
import type { LocatedState } from './locate-state.ts';
import type { ReadOptions } from './open-state.ts';
import { openStateMoney } from './state-money.ts';

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
export async function readRecordedStatus(located: LocatedState, options: ReadOptions): Promise<RecordedStatus> {
  const { directory } = located.state;
  const kept = readKeptStatus(directory);
  if (kept !== null) {
    const { about, facts, at } = kept;
    const isCurrent = isOfNow(kept, directory, { own: options.effects.processIdentity, now: options.effects.clock() });
    return isCurrent ? { facts, about, recordedAt: null } : { facts: await renew(facts, located, options), about, recordedAt: at };
  }
  const fold = await readStateEvents(located.state, options.signal);
  const last = findLastRun(located.state, fold, options.leaveOut);
  if (last !== null) {
    const recorded = readSummary(last, fold);
    return recorded.recordedAt === null ? recorded : { ...recorded, facts: await renew(recorded.facts, located, options) };
  }
  throw new UsageError(
    `${directory}: none of its runs has recorded its progress; run the job file or the program it belongs to, or see what is known: rowmill bill`,
    { code: 'no_run' },
  );
}

/** Run, batches, waits and money as they are now, as `bill` counts them; only the rows are as they were recorded. */
async function renew(facts: StatusFacts, { state, job }: LocatedState, options: ReadOptions): Promise<StatusFacts> {
  const { books, count } = await openStateMoney({ directory: state.directory, job }, { ...options, jobFolder: null });
  const { ledger, findPossiblyBilled } = await count();
  try {
    const { run, batches } = readRun(ledger.fold);
    const ofRun = books.ofRun(run?.id ?? '');
    const doubts = await findPossiblyBilled(null);
    const cost = {
      nanoUsd: ofRun.nanoUsd,
      unpricedAttempts: ofRun.unpricedAttempts,
      ledgerNanoUsd: books.life.nanoUsd,
      possiblyBilledNanoUsd: doubts.nanoUsd,
      ledgerUnpricedAttempts: books.life.unpricedAttempts,
    };
    // How many rows are due by now is unknown.
    const waits = listWaits(ledger.fold, { due: 0 });
    const budgets = facts.budgets?.map((budget) => countBudget(budget, books, options.effects.clock()));
    return { ...facts, run, batches, cost, possiblyBilled: doubts.items, ...(budgets === undefined ? {} : { budgets }), waits };
  } finally {
    await ledger.close();
  }
}

function readRun(fold: LedgerFold): Pick<StatusFacts, 'run' | 'batches'> {
  const last = fold.runs.at(-1);
  const run = last === undefined ? null : { id: last.id, startedAt: last.startedAt, endedAt: last.endedAt, exitCode: last.exitCode };
  return { run, batches: listBatches(fold, last?.id ?? '') };
}

function readSummary({ summary, at }: LastRun, fold: LedgerFold): RecordedStatus {
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
    recordedAt: fold.runs.at(-1)?.id === run && state?.endedAt != null ? null : (at ?? state?.endedAt ?? fold.activeAt),
  };
}
