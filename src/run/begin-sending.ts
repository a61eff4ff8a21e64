import { findSweepStart, mayHaveUnknownBatches, sweepBatches } from '../batch/sweep.ts';
import type { Lane } from '../core/lane.ts';
import { listModels } from '../core/models/split-by-model.ts';
import { DEFAULT_ORIGIN, SIMULATOR_ORIGIN } from '../ledger/origin.ts';
import type { Agreement } from './agree.ts';
import { followAddress, isSimulatorThere, keepSimulator } from './open/follow-address.ts';
import { createStepOf } from './open/next-step.ts';
import { viewKeys } from './open/opening.ts';
import { writeHoldout } from './open/prepare.ts';
import type { Connection } from './open/target.ts';
import type { OpenedRun } from './open-run.ts';
import { choosePrice } from './plan/choose-lane.ts';
import { countAsked, estimateRun } from './plan/spending.ts';
import { probeTable } from './probe-table.ts';
import { makeBatchContext } from './send/batch-context.ts';
import { createDueRequests } from './send/due-request.ts';
import { hasSpent } from './send/has-spent.ts';
import { chooseCount, openLanes } from './send/open-lanes.ts';
import { createPilotLane } from './send/pilot-lane.ts';
import { createRateWait } from './send/rate-wait.ts';
import { requireAccess } from './send/require-access.ts';
import { createRunView } from './send/run-view.ts';
import { sendUntilDone, waitForEnd } from './send/send-until-done.ts';
import type { StopSignal } from './send/stop.ts';
import { openStopRules } from './send/stop-rules.ts';
import { startRun } from './start-run.ts';

/** A run whose lanes are open: nothing was sent yet. */
export interface Sending {
  /** The run's id. */
  readonly run: string;
  readonly lane: Lane;
  /** The expected cost of the run in the lane it sends to; null if unknown. */
  readonly estimateNanoUsd: number | null;
  /** Sends what is due, and returns when everything has ended. May be called again. */
  send(): Promise<void>;
  hasSpent(): boolean;
  /** Whether the simulator answers; before the first answer, whether it was requested. */
  isSimulated(): boolean;
  /** Whether late answers wait for the next run instead of being recorded. */
  holdEnds(isHeld: boolean): Promise<void>;
  close(): Promise<void>;
}

export interface SendingParts {
  readonly connection: Connection;
  readonly stopSignal: StopSignal;
}

/**
 * Starts the run, or continues it, once everything is available that may be refused.
 * @throws UsageError if a budget cannot be kept; AppError exit 4 if key or model are refused
 */
export async function beginSending(opened: OpenedRun, agreement: Agreement, { connection, stopSignal }: SendingParts): Promise<Sending> {
  const { options, prepared, ledger, books, onRecord } = opened;
  const { signal, target } = options;
  const { job } = prepared.compiled;
  const { planned, selected, laneName, limits } = agreement;
  const { plan, opening, reopenedKeys } = planned;
  const { provider } = connection;
  const isSimulated = target.origin === SIMULATOR_ORIGIN;

  followAddress(provider, { ...options, ledger });
  const context = makeBatchContext({ ...options, ledger, job, provider, stopping: stopSignal.stopping });
  const sweepSince = findSweepStart(ledger, context.clock);
  const access = { models: listModels(job), modelEnds: planned.modelEnds, signal: context.stopping };
  if (opening.isFresh || reopenedKeys.length > 0)
    await requireAccess(context.provider, { ...access, isListWhole: target.origin === DEFAULT_ORIGIN });

  await probeTable(prepared, selected);

  const estimateNanoUsd = estimateRun(plan, choosePrice(job.mode, laneName), { ledger, books });
  const date = job.write.dated?.date ?? null;
  const { commands, overrides } = options;
  const command = { text: commands.continue, folder: commands.continueWith === undefined ? null : overrides.cwd };
  const about = { planned, lane: laneName, estimateNanoUsd, job: job.name, date, isSimulated, selection: options.selection, command };
  const begin = () => startRun(ledger, { ...about, effects: options.effects });
  const stepOf = createStepOf(ledger, job, 'working');
  const shared = { job, books, prepared, plan, limits };
  const lanes = await openLanes({ ...options, ...shared, name: laneName, url: prepared.compiled.url, context, stepOf, startRun: begin });
  try {
    const { run, budget } = lanes;
    await writeHoldout(prepared, signal);
    const waiting = { lane: lanes.lane, noWait: options.waitMs === 0, batchesUnderWay: () => lanes.batch.underWay };
    const stopRules = await openStopRules({ ...shared, run, ledger, onRecord, isSimulator: isSimulated, warn: options.warn });
    const lane = createPilotLane({ lane: lanes.lane, stopRules, pilot: job.pilot, waitForEnd: () => waitForEnd(waiting) });
    const startedAt = context.clock();
    let isWriting = false;
    options.watch(
      createRunView({
        ...shared,
        budgetNanoUsd: limits.run,
        run,
        lanes,
        context,
        keys: ledger.keys,
        duplicates: planned.duplicates,
        isWriting: () => isWriting,
        isSimulated: () => isSimulatorThere(provider, ledger, isSimulated),
        countFailed: opened.status.countFailed,
      }),
    );
    const working = {
      ...prepared,
      ledger,
      ...waiting,
      lane,
      stepOf,
      makeDueRequest: createDueRequests(ledger, viewKeys(ledger, job), prepared),
      tokensOf: chooseCount(prepared.tokens, lanes, options.redis !== null),
      selected,
      budget,
      signal,
      takeRetryable: books.takeRetryable,
      waitForRate: createRateWait(ledger, books, context),
    };

    /** Live calls alone need no list, and many servers have none: it is read only if something of ours may be in it. */
    async function sweep(since: string): Promise<void> {
      if (laneName === 'batch' || mayHaveUnknownBatches(context)) await sweepBatches(context, since);
      await lane.resume();
    }

    return {
      run,
      lane,
      estimateNanoUsd: findEstimate(opened, agreement, estimateNanoUsd),
      async send() {
        // A possibly mistyped name, before a job file is written for it.
        const isListWhole = isSimulated || target.origin === DEFAULT_ORIGIN;
        if (plan.closestModel !== undefined) await requireAccess(context.provider, { ...access, isListWhole });
        await options.beforeSending?.();
        await sweep(sweepSince);
        // Known from the first answer on, also to whoever looks after this process was killed.
        if (!isSimulated && provider.isSimulated() === true) await keepSimulator(provider, ledger);
        await sendUntilDone(working);
        await sweep(startedAt.toISOString());
        while (lane.underWay.length > 0) await lane.nextEnd();
        await lane.drain();
        await lane.nextEnd();
      },
      hasSpent: () => hasSpent(ledger, books, run),
      isSimulated: () => isSimulatorThere(provider, ledger, isSimulated),
      async holdEnds(isHeld) {
        isWriting = isHeld;
        await lanes.live?.holdEnds(isHeld);
      },
      close: () => lanes.close(),
    };
  } catch (error) {
    await lanes.close();
    throw error;
  }
}

/** Its expected cost at the start refers to the lane it started in, and stays right if nothing more is sent. */
function findEstimate({ ledger }: OpenedRun, { laneName, planned }: Agreement, estimateNanoUsd: number | null): number | null {
  const { lane = null, estimateNanoUsd: begunWith = null } = ledger.fold.currentRun ?? {};
  return lane !== null && lane !== laneName && countAsked(planned.plan) > 0 ? estimateNanoUsd : begunWith;
}
