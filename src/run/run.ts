import { mayHaveUnknownBatches, sweepBatches } from '../batch/sweep.ts';
import type { Summary } from '../core/summary.ts';
import { agreeOnRun } from './agree.ts';
import { concludeRun } from './finish/conclude.ts';
import { findUnchangedRun, keepPaths } from './finish/fingerprint.ts';
import { watchForRefusal } from './finish/refusal.ts';
import { createWarningLog } from './finish/warning-log.ts';
import { followAddress } from './open/follow-address.ts';
import { createStepOf } from './open/next-step.ts';
import { renameOldState } from './open/old-state.ts';
import { openJobLedger } from './open/open-job-ledger.ts';
import { viewKeys } from './open/opening.ts';
import { keepTableRows, prepareJob, removeEmptyFolders, writeHoldout } from './open/prepare.ts';
import type { RunOptions } from './options.ts';
import { choosePrice } from './plan/choose-lane.ts';
import { warnOfVerdicts } from './plan/plan-open-job.ts';
import { estimateRun } from './plan/spending.ts';
import { makeBatchContext } from './send/batch-context.ts';
import { createDueRequests } from './send/due-request.ts';
import { createDuplicateRows } from './send/duplicate-rows.ts';
import { asSpent, hasSpent } from './send/has-spent.ts';
import { chooseCount, type Lanes, openLanes } from './send/open-lanes.ts';
import { createPilotLane } from './send/pilot-lane.ts';
import { createRateWait } from './send/rate-wait.ts';
import { requireAccess } from './send/require-access.ts';
import { createRunView } from './send/run-view.ts';
import { sendUntilDone, sendUntilStopped, waitForEnd } from './send/send-until-done.ts';
import { createStopSignal } from './send/stop.ts';
import { openStopRules } from './send/stop-rules.ts';
import { startRun } from './start-run.ts';

/** The API's completion window: 24 h. */
const BATCH_LIFE_MS = 86_400_000;

/**
 * One run of a job, from opening it to a table on disk. The same steps continue a run after anything that ended it early.
 * @returns the summary; its exit code says how the run ended
 * @throws UsageError before anything was sent; LockHeldError; LedgerError when the state is damaged
 */
export async function runJob(given: RunOptions): Promise<Summary> {
  const warnings = createWarningLog(given.warn);
  const options: RunOptions = { ...given, warn: warnings.tell };
  const { target, signal } = options;
  const { effects } = options;
  const waiting = { ...effects, ifRunning: options.ifRunning ?? 'fail', stopping: options.stopping, tell: options.warn };
  const opened = await prepareJob({
    ...options,
    isToWrite: true,
    async renameOldState(from, to, job) {
      await renameOldState(from, to, { ...effects, identity: effects.processIdentity, job, waiting });
      options.warn(`${from} is ${to} from now on: another base URL of the same host has another state directory`);
    },
  });
  const { job } = opened.compiled;
  const isSimulator = target.origin === 'simulator';
  const { ledger, books, history, onRecord } = await openJobLedger(opened, {
    ...options,
    origin: target.origin,
    access: 'write',
    waiting,
    copies: { adopt: options.adoptCopy ?? (async () => false), tell: options.warn },
  });
  for (const warning of warnOfVerdicts(ledger)) options.warn(warning);
  const { prepared, forgetRows } = keepTableRows(opened);
  const refusal = watchForRefusal({ ledger, books });
  try {
    const looksForMore = mayHaveUnknownBatches({ ledger, clock: options.effects.clock });
    const asksForMore = options.isFresh || options.reopen !== null || options.selection.type !== 'all' || looksForMore;
    const unchanged = asksForMore ? null : await findUnchangedRun(prepared, ledger, signal);
    if (unchanged !== null) {
      await forgetRows();
      return unchanged;
    }

    const { planned, selected, laneName, budgetNanoUsd } = await agreeOnRun(prepared, { ledger, history }, options);
    const { plan, opening, reopenedKeys } = planned;
    const connection = await target.connect(prepared.stateDirectory, ledger.assertHeld);
    followAddress(connection.provider, { ...options, ledger });
    const stopSignal = createStopSignal({ ...options, ledger });
    let lanes: Lanes | null = null;
    try {
      const context = makeBatchContext({ ...options, ledger, job, provider: connection.provider, stopping: stopSignal.stopping });
      // A state without a run looks a day back: as long as a batch may live that another checkout of the job left.
      const sweepSince = ledger.fold.runs.at(-1)?.startedAt ?? new Date(context.clock().getTime() - BATCH_LIFE_MS).toISOString();
      if (opening.isFresh || reopenedKeys.length > 0)
        await requireAccess(context.provider, { model: job.model, origin: target.origin, signal: context.stopping });

      const estimate = { planned, lane: laneName, estimateNanoUsd: estimateRun(plan, choosePrice(job.mode, laneName), { ledger, books }) };
      const begin = () => startRun(ledger, { ...estimate, job: job.name, isSimulated: isSimulator, effects: options.effects });
      const stepOf = createStepOf(ledger, job, 'working');
      const shared = { job, books, prepared, plan, budgetNanoUsd };
      lanes = await openLanes({ ...options, ...shared, name: laneName, url: prepared.compiled.url, context, stepOf, startRun: begin });
      const { run, batch, budget } = lanes;
      const running = { ...shared, run };
      await writeHoldout(prepared, signal);
      const waiting = { lane: lanes.lane, noWait: options.waitMs === 0, batchesUnderWay: () => batch.underWay };
      const stopRules = await openStopRules({ ...running, ledger, onRecord, isSimulator, warn: options.warn });
      const lane = createPilotLane({ lane: lanes.lane, stopRules, pilot: job.pilot, waitForEnd: () => waitForEnd(waiting) });
      const startedAt = context.clock();
      const duplicates = createDuplicateRows(ledger.keys);
      options.watch(createRunView({ ...running, lanes, context, keys: ledger.keys, duplicates }));

      const working = {
        ...prepared,
        ledger,
        ...waiting,
        lane,
        duplicates,
        stepOf,
        makeDueRequest: createDueRequests(ledger, viewKeys(ledger, job), prepared),
        tokensOf: chooseCount(prepared.tokens, lanes),
        selected,
        budget,
        signal,
        takeRetryable: books.takeRetryable,
        waitForRate: createRateWait(ledger, books, context),
      };
      const concluding = {
        ...options,
        cwd: options.overrides.cwd,
        paths: keepPaths(options),
        prepared,
        ledger,
        books,
        selected,
        run,
        warnings,
        clock: context.clock,
        cleanUp: forgetRows,
      };
      const { lane: firstLane = null, estimateNanoUsd = null } = ledger.fold.currentRun ?? {};
      // What it was expected to cost goes for the lane it began in.
      const isMoved = firstLane !== null && firstLane !== laneName;
      /** Live calls alone need no list, and many servers have none: it is looked at only where something of ours may be in it. */
      const sweep = async (since: string) => {
        if (laneName === 'batch' || mayHaveUnknownBatches(context)) await sweepBatches(context, since);
      };
      const send = async () => {
        await sweep(sweepSince);
        await lane.resume();
        await sendUntilDone(working);
        await sweep(startedAt.toISOString());
        await lane.resume();
        while (lane.underWay.length > 0) await lane.nextEnd();
        await lane.drain();
        await lane.nextEnd();
      };
      for (;;) {
        const stop = await sendUntilStopped(lane, stopSignal, { send, hasSpent: () => hasSpent(ledger, books, run) });
        // What comes while the books are made and the table is written is the next run's.
        await lanes.live?.holdEnds(true);
        const summary = await concludeRun({
          ...concluding,
          stop,
          isRefused: stop !== null && refusal.isRefused(stop.exitCode),
          estimateNanoUsd: isMoved ? estimate.estimateNanoUsd : estimateNanoUsd,
          simulated: connection.provider.isSimulated(),
        });
        if (stop !== null) await refusal.withdraw(stop.exitCode);
        if (summary !== null) return summary;
        await lanes.live?.holdEnds(false);
      }
    } finally {
      stopSignal.dispose();
      await lanes?.close();
      await connection.close();
    }
  } catch (error) {
    // Whatever went wrong after another process took over, files that were gone under us, is no more than a consequence.
    ledger.assertHeld();
    // Why the run failed is what has to be told.
    await refusal.withdrawFor(error).catch(() => {});
    const run = ledger.fold.currentRun?.id ?? null;
    if (run === null) await forgetRows();
    throw run !== null && hasSpent(ledger, books, run) ? asSpent(error) : error;
  } finally {
    await ledger.closeUnused();
    if (opened.missingFolder !== null) removeEmptyFolders(prepared.stateDirectory, opened.missingFolder);
  }
}
