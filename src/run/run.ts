import { findSweepStart, hasOpenBatches, mayHaveUnknownBatches, sweepBatches } from '../batch/sweep.ts';
import { findReturned } from '../batch/vanished-batches.ts';
import { listModels } from '../core/models/split-by-model.ts';
import type { Summary } from '../core/summary.ts';
import { type Agreement, agreeOnRun } from './agree.ts';
import { beginSending, type Sending } from './begin-sending.ts';
import { concludeRun } from './finish/conclude.ts';
import { findPilot, findUnchangedRun, keepPaths, readLastSummary } from './finish/fingerprint.ts';
import { findTakenTable } from './open/shared-table.ts';
import type { Connection } from './open/target.ts';
import { type OpenedRun, openRun } from './open-run.ts';
import type { RunOptions } from './options.ts';
import { planRest } from './plan/plan-rest.ts';
import { countAsked } from './plan/spending.ts';
import { makeBatchContext } from './send/batch-context.ts';
import type { AskedModels } from './send/model-refusal.ts';
import { sendUntilStopped } from './send/send-until-done.ts';
import { createStopSignal } from './send/stop.ts';

/**
 * One run of a job, from opening it to a table on disk. The same steps continue a run after any early end.
 * @returns the summary; its exit code says how the run ended
 * @throws UsageError before anything was sent; LockHeldError; LedgerError if the state is damaged
 */
export async function runJob(given: RunOptions): Promise<Summary> {
  const opened = await openRun(given);
  try {
    const done = await findDone(opened);
    const isRetry = opened.options.reopen !== null;
    const isSettled = !mayHaveUnknownBatches({ ledger: opened.ledger, clock: opened.options.effects.clock });
    if (done !== null && isSettled && !isRetry) return done;
    const agreement = await agreeOnRun(opened.prepared, opened, opened.options);
    const isDone = done !== null && agreement.planned.reopenedKeys.length === 0;
    if (isDone && isSettled) return done;
    const idle = isRetry && isSettled ? await findIdle(opened, agreement) : null;
    if (idle !== null) return idle;
    const connection = await opened.options.target.connect(opened.prepared.stateDirectory, opened.ledger.assertHeld);
    try {
      if (isDone && !(await findsMore(opened, connection))) return done;
      return await sendAndConclude(opened, agreement, connection);
    } finally {
      await connection.close();
    }
  } catch (error) {
    throw await opened.fail(error);
  } finally {
    await opened.close();
  }
}

/** @returns the summary of the run that has already done what is asked, unless failed rows are to be retried; null if there is something to do */
async function findDone({ options, prepared, ledger }: OpenedRun): Promise<Summary | null> {
  if (options.isFresh || options.selection.type !== 'all') return null;
  return findUnchangedRun(prepared, ledger, options.signal);
}

/**
 * @returns the summary of the last run, if failed rows are to be retried and nothing is to be sent: of a `retry` of some rows or causes, or of a
 * pilot that would write the same table again; null if there is something to do
 */
async function findIdle({ options, prepared, ledger }: OpenedRun, { planned: { plan }, selected }: Agreement): Promise<Summary | null> {
  if (ledger.fold.currentRun !== null || countAsked(plan) > 0 || plan.rows.inFlight > 0) return null;
  const isOfSome = !selected.isAll || options.reopen?.causes != null;
  if (isOfSome && options.reopen?.mustSend === true) return readLastSummary(ledger);
  return selected.isAll ? null : findPilot(prepared, ledger, options.selection, options.signal);
}

/** Looks for what a finished run could not find at the provider: batches of lost creates, and batches that were gone. */
async function findsMore({ options, prepared, ledger }: OpenedRun, { provider }: Connection): Promise<boolean> {
  if (hasOpenBatches(ledger)) return true;
  const context = makeBatchContext({ ...options, ledger, job: prepared.compiled.job, provider });
  const { seq } = ledger.fold;
  await sweepBatches(context, findSweepStart(ledger, context.clock));
  await findReturned(context);
  return ledger.fold.seq !== seq;
}

async function sendAndConclude(opened: OpenedRun, agreement: Agreement, connection: Connection): Promise<Summary> {
  const stopSignal = createStopSignal({ ...opened.options, ledger: opened.ledger });
  try {
    const sending = await beginSending(opened, agreement, { connection, stopSignal });
    opened.status.start();
    try {
      for (;;) {
        const stop = await sendUntilStopped(sending.lane, stopSignal, {
          ...sending,
          ...findModels(opened, agreement),
          baseUrl: opened.options.target.baseUrl,
        });
        // What arrives while the books are made and the table is written belongs to the next run.
        await sending.holdEnds(true);
        const summary = await conclude(opened, agreement, { sending, stop });
        if (summary !== null) return summary;
        await sending.holdEnds(false);
      }
    } finally {
      await sending.close();
    }
  } finally {
    stopSignal.dispose();
  }
}

/** Explains the refusal of a model. */
function findModels({ prepared }: OpenedRun, { planned }: Agreement): AskedModels {
  return { models: listModels(prepared.compiled.job), modelEnds: planned.modelEnds };
}

/** Whether another job has written its table to this one's path in the meantime. */
function findTaken({ options, prepared }: OpenedRun): ReturnType<typeof findTakenTable> {
  const { compiled, stateDirectory, sharedTable } = prepared;
  return findTakenTable({ ...options, job: compiled.job, stateDirectory, cwd: options.overrides.cwd }, sharedTable);
}

interface Ended {
  readonly sending: Sending;
  readonly stop: Parameters<typeof concludeRun>[0]['stop'];
}

/** @returns null if the input changed meanwhile: rows are due that were never sent */
async function conclude(opened: OpenedRun, agreement: Agreement, { sending, stop: early }: Ended): Promise<Summary | null> {
  const { options, refusal, status } = opened;
  const stop = early ?? (agreement.selected.isAll ? await findTaken(opened) : null);
  const notAsked = stop === null && !agreement.selected.isAll ? await planRest({ ...opened, ...agreement, opened }) : null;
  const pass = await status.startPass();
  const summary = await concludeRun({
    ...options,
    ...opened,
    cwd: options.overrides.cwd,
    paths: keepPaths(options),
    selected: agreement.selected,
    notAsked,
    run: sending.run,
    estimateNanoUsd: sending.estimateNanoUsd,
    simulated: sending.isSimulated(),
    stop,
    isRefused: stop !== null && refusal.isRefused(stop.exitCode),
    clock: options.effects.clock,
    watchRows: pass.watchRows,
  });
  if (summary === null) status.forgetRows();
  else if (agreement.selected.isAll) await pass.end();
  if (stop !== null) await refusal.withdraw(stop.exitCode);
  return summary;
}
