import { asDiskError } from '../core/disk/disk-error.ts';
import { mayReadImageFiles } from '../input/request/compile-images.ts';
import { type Refusal, watchForRefusal } from './finish/refusal.ts';
import { createWarningLog, type WarningLog } from './finish/warning-log.ts';
import { keepKeys } from './open/kept-keys.ts';
import { renameOldState } from './open/old-state.ts';
import { type OpenedLedger, openJobLedger } from './open/open-job-ledger.ts';
import { prepareJob, removeEmptyFolders } from './open/prepare.ts';
import type { PreparedJob } from './open/prepared-job.ts';
import { findRunDate } from './open/run-date.ts';
import type { RunOptions } from './options.ts';
import { warnOfAltered } from './plan/plan-open-job.ts';
import { asSpent, hasSpent } from './send/has-spent.ts';
import { createStatusKeeper, type StatusKeeper } from './status/status-keeper.ts';

/** A job opened for a run: its table, and its ledger under the lock. */
export interface OpenedRun extends OpenedLedger {
  /** As given, with warnings recorded on the way. */
  readonly options: RunOptions;
  readonly prepared: PreparedJob;
  readonly warnings: WarningLog;
  readonly refusal: Refusal;
  readonly status: StatusKeeper;
  /** As in `KeyedTable`. */
  readonly wereKeysRight: () => boolean;
  /** Cleans up after a run that ends with an error. @returns what to throw instead */
  fail(error: unknown): Promise<unknown>;
  close(): Promise<void>;
}

/** @throws UsageError if the job cannot be run; LockHeldError; LedgerError if the state is damaged */
export async function openRun(given: RunOptions): Promise<OpenedRun> {
  const warnings = createWarningLog(given.warn);
  const options: RunOptions = { ...given, warn: warnings.tell };
  const { effects, target } = options;
  const waiting = { ...effects, ifRunning: options.ifRunning ?? 'fail', stopping: options.stopping, tell: options.warn };
  const opened = await prepareJob({
    ...options,
    clock: effects.clock,
    isToWrite: true,
    async renameOldState(from, to, job) {
      await renameOldState(from, to, { ...effects, identity: effects.processIdentity, job, waiting });
      options.warn(`${from} is ${to} from now on: another base URL of the same host has another state directory`);
    },
  });
  const openedLedger = await openJobLedger(opened, {
    ...options,
    origin: target.origin,
    access: 'write',
    waiting,
    copies: { adopt: options.adoptCopy ?? (async () => false), tell: options.warn },
  });
  const { ledger, books } = openedLedger;
  const { dated } = opened.compiled.job.write;
  if (dated !== undefined && dated.date !== findRunDate(dated, ledger.fold, { now: effects.clock(), isToWrite: true })) {
    // While the lock was waited for, the run before may have ended, or the day.
    await ledger.closeUnused(async () => {});
    return openRun(given);
  }
  options.onPrepared?.(opened);
  for (const warning of warnOfAltered(ledger)) options.warn(warning);
  const refusal = watchForRefusal({ ledger, books });
  const { compiled } = opened;
  // Code or images may yield another row the next time.
  const isSteady = !compiled.hasCode && !mayReadImageFiles(compiled.job);
  const { table, wereKeysRight } = isSteady ? keepKeys(opened, ledger) : { table: opened.table, wereKeysRight: () => true };
  const prepared = { ...opened, table };
  const status = createStatusKeeper({ ...openedLedger, prepared, options });

  async function fail(error: unknown): Promise<unknown> {
    // Anything that went wrong after another process took over, such as missing files, is only a consequence.
    ledger.assertHeld();
    // The reason why the run failed has to be reported.
    await refusal.withdrawFor(error).catch(() => {});
    const run = ledger.fold.currentRun?.id ?? null;
    const told = asDiskError(error);
    return run !== null && hasSpent(ledger, books, run) ? asSpent(told) : told;
  }

  return {
    ...openedLedger,
    options,
    prepared,
    warnings,
    refusal,
    status,
    wereKeysRight,
    fail,
    async close() {
      await status.stop();
      await ledger.closeUnused(status.leave);
      if (opened.missingFolder !== null) removeEmptyFolders(prepared.stateDirectory, opened.missingFolder);
    },
  };
}
