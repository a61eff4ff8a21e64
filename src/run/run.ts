import { sweepBatches } from '../batch/sweep.ts';
import type { Summary } from '../core/summary.ts';
import { concludeRun } from './finish/conclude.ts';
import { findUnchangedRun, keepPaths } from './finish/fingerprint.ts';
import { createWarningLog } from './finish/warning-log.ts';
import { followAddress } from './open/follow-address.ts';
import { createStepOf } from './open/next-step.ts';
import { openJobLedger } from './open/open-job-ledger.ts';
import { keepTableRows, prepareJob, writeHoldout } from './open/prepare.ts';
import { selectRows } from './open/selection.ts';
import type { RunOptions } from './options.ts';
import { chooseLane } from './plan/choose-lane.ts';
import { planOpenJob, warnOfVerdicts } from './plan/plan-open-job.ts';
import { makeBatchContext } from './send/batch-context.ts';
import { makeCostBounds } from './send/budget.ts';
import { beginWithBatches } from './send/deadline.ts';
import { createDueRequests } from './send/due-request.ts';
import { createDuplicateRows } from './send/duplicate-rows.ts';
import { chooseCount, type Lanes, openLanes } from './send/open-lanes.ts';
import { createPilotLane } from './send/pilot-lane.ts';
import { createRateWait } from './send/rate-wait.ts';
import { createRunView } from './send/run-view.ts';
import { sendUntilDone, sendUntilStopped, waitForEnd } from './send/send-until-done.ts';
import { createStopSignal } from './send/stop.ts';
import { openStopRules } from './send/stop-rules.ts';
import { reopenRows, startRun } from './start-run.ts';

const MANY_ROWS = 20_000;

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
  const opened = await prepareJob(options);
  const { job } = opened.compiled;
  const isSimulator = target.origin === 'simulator';
  const firstLane = options.deadline === null ? null : beginWithBatches(job.mode);
  const { ledger, books, history, onRecord } = await openJobLedger(opened, { ...options, origin: target.origin, access: 'write' });
  for (const warning of warnOfVerdicts(ledger)) options.warn(warning);
  const { prepared, forgetRows } = keepTableRows(opened);
  try {
    const asksForMore = options.isFresh || options.reopen !== null || options.selection.type !== 'all';
    const unchanged = asksForMore ? null : await findUnchangedRun(prepared, ledger, signal);
    if (unchanged !== null) {
      await forgetRows();
      return unchanged;
    }

    const selected = await selectRows(options.selection, prepared.table, signal);
    const budgetNanoUsd = options.maxNanoUsd ?? job.budget.nanoUsd;
    // An open run had its estimate when it began.
    const countsExactly = ledger.fold.currentRun === null;
    const plan = await planOpenJob({ prepared, opened: { ledger, history }, selected, countsExactly, options });
    const laneName = firstLane ?? chooseLane(job.mode, plan);
    // Over many rows what was loaded for a sample of them costs more than to load it again.
    if (laneName === 'batch' && plan.rows.in > MANY_ROWS) prepared.tokens.unload();
    await options.confirm(plan, { lane: laneName, overNanoUsd: job.confirmOverNanoUsd });
    // Refuses before a run is opened.
    makeCostBounds({
      job,
      limits: { run: budgetNanoUsd, live: options.deadline?.maxLiveNanoUsd ?? null },
      firstLane: laneName,
      findPrice: prepared.findPrice,
      sets: [],
      at: options.priceAsOf ?? options.effects.clock().toISOString(),
    });

    if (prepared.examples !== null && job.examples?.holdout != null) await writeHoldout(prepared.examples, job.examples.holdout, signal);
    const connection = await target.connect(prepared.stateDirectory);
    followAddress(connection.provider, { ...options, ledger });
    const stopSignal = createStopSignal(options);
    let lanes: Lanes | null = null;
    try {
      const context = makeBatchContext({ ...options, ledger, job, provider: connection.provider, stopping: stopSignal.stopping });
      // A state without a run looks a day back: as long as a batch may live that another checkout of the job left.
      const sweepSince = ledger.fold.runs.at(-1)?.startedAt ?? new Date(context.clock().getTime() - BATCH_LIFE_MS).toISOString();
      const run = await startRun(ledger, job.name, isSimulator, plan.cost[laneName]?.expectedNanoUsd ?? null, options);
      const finishing = { ...prepared, ledger, selected, run, costOf: books.costOf, signal };
      if (options.reopen !== null) await reopenRows({ ...finishing, stepOf: createStepOf(ledger, job, 'reading') }, options.reopen);

      const stepOf = createStepOf(ledger, job, 'working');
      const running = { job, run, books, prepared, plan, budgetNanoUsd };
      lanes = await openLanes({ ...options, ...running, name: laneName, url: prepared.compiled.url, context, stepOf });
      const { batch, budget } = lanes;
      const waiting = { lane: lanes.lane, noWait: options.waitMs === 0, batchesUnderWay: () => batch.underWay };
      const stopRules = await openStopRules({ ...running, ledger, onRecord, isSimulator, warn: options.warn });
      const lane = createPilotLane({ lane: lanes.lane, stopRules, pilot: job.pilot, waitForEnd: () => waitForEnd(waiting) });
      const startedAt = context.clock();
      const duplicates = createDuplicateRows(ledger.keys);
      options.watch(createRunView({ ...running, lanes, keys: ledger.keys, duplicates, startedAt }));

      const working = {
        ...prepared,
        ledger,
        ...waiting,
        lane,
        duplicates,
        stepOf,
        makeDueRequest: createDueRequests(ledger, prepared),
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
      // Live calls alone need no list, and many servers have none: it is looked at only where something of ours may be in it.
      const sweepWhereBatchesAre = async (since: string) => {
        if (laneName === 'batch' || ledger.fold.shards.size > 0) await sweepBatches(context, since);
      };
      const estimateNanoUsd = ledger.fold.currentRun?.estimateNanoUsd ?? null;
      for (;;) {
        const stop = await sendUntilStopped(lane, stopSignal, async () => {
          await sweepWhereBatchesAre(sweepSince);
          await lane.resume();
          await sendUntilDone(working);
          await sweepWhereBatchesAre(startedAt.toISOString());
          await lane.resume();
          while (lane.underWay.length > 0) await lane.nextEnd();
          await lane.drain();
          await lane.nextEnd();
        });
        const summary = await concludeRun({ ...concluding, stop, estimateNanoUsd, simulated: connection.provider.isSimulated() });
        if (summary !== null) return summary;
      }
    } finally {
      stopSignal.dispose();
      await lanes?.close();
      await connection.close();
    }
  } finally {
    await ledger.close();
  }
}
