import type { BatchContext } from '../../batch/context.ts';
import { UsageError } from '../../core/errors.ts';
import type { Job } from '../../core/job.ts';
import type { LaneName } from '../../core/lane.ts';
import { formatThings } from '../../core/wording/format-count.ts';
import { formatDollars } from '../../output/format-numbers.ts';
import { estimateLiveMs, type RemainingWork } from './remaining-work.ts';

/** A batch may take ten minutes to be cancelled (Batch API reference, seen 2026-11-21). */
const CANCEL_MS = 600_000;

/** When a run has to be done, and when it has to leave the batch lane for that. */
export interface Deadline {
  readonly at: Date;
  /** Whether the run has left the batch lane, now or in an earlier invocation. */
  readonly isSwitched: boolean;
  /** When batches have to be replaced: the more is left to be answered, the earlier. */
  switchAt(): Date;
  /** Records durably that the run leaves the batch lane, and reports what that costs. */
  switchLane(): Promise<void>;
}

export interface DeadlineParts {
  readonly run: string;
  readonly job: Job;
  readonly wanted: DeadlineOptions;
  readonly context: BatchContext;
  /** What is not answered now. */
  readonly readRemainingWork: () => RemainingWork;
  /** What it costs in a lane, in nano-dollars; null if the price is unknown. */
  readonly costOf: (remaining: RemainingWork, lane: LaneName) => number | null;
}

/** With a deadline a run starts with batches. @throws UsageError if it is a live run */
export function beginWithBatches(mode: Job['mode']): 'batch' {
  if (mode === 'batch' || mode === 'auto') return 'batch';
  throw new UsageError(`--deadline is for runs that begin with batches, and this one is ${mode}: leave it out, or add --mode batch`);
}

/** Restores the run's deadline, or sets a new one: the same command, repeated at any time, means the same instant. */
export async function openDeadline({ run, job, wanted, context, readRemainingWork, costOf }: DeadlineParts): Promise<Deadline> {
  const { ledger, clock, warn } = context;
  const { afterMs, maxLiveNanoUsd } = wanted;
  const known = ledger.fold.deadline;
  if (known?.run !== run || known.afterMs !== afterMs) {
    await ledger.append({ type: 'deadline-set', run, afterMs, deadlineAt: new Date(clock().getTime() + afterMs).toISOString() });
  }
  const read = () => {
    if (ledger.fold.deadline === null) throw new Error('the deadline that was just set is not known');
    return ledger.fold.deadline;
  };
  const at = new Date(read().at);
  const limit = `at most ${formatDollars(maxLiveNanoUsd)} by --max-live-usd`;

  function describeCost(remaining: RemainingWork): string {
    const live = costOf(remaining, 'live');
    const batch = costOf(remaining, 'batch');
    if (live === null || batch === null) return limit;
    return `about ${formatDollars(live)} instead of ${formatDollars(batch)}, ${formatDollars(live - batch)} more; ${limit}`;
  }

  const deadline: Deadline = {
    at,
    get isSwitched() {
      return read().switchedAt !== null;
    },
    switchAt: () => new Date(at.getTime() - CANCEL_MS - estimateLiveMs(readRemainingWork(), job.limits)),
    async switchLane() {
      const remaining = readRemainingWork();
      await ledger.append({ type: 'lane-switched', run });
      warn(
        `to be done by ${showInstant(at)}, batches are cancelled and ${formatThings(remaining.requests, 'request')} finish live: ${describeCost(remaining)}`,
      );
    },
  };
  if (deadline.isSwitched) warn(`the run left the batch lane for its deadline, ${showInstant(at)}: the rest goes live, ${limit}`);
  else warn(`to be done by ${showInstant(at)}: what batches leave open about ${showInstant(deadline.switchAt())} finishes live, ${limit}`);
  return deadline;
}

/** `2026-11-22 06:30 UTC`. */
export function showInstant(instant: Date): string {
  return `${instant.toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}

/** When a run has to be done, and what that may cost. */
export interface DeadlineOptions {
  /** Counted from when the run first sees it: the same time given again changes nothing, another one sets a new deadline. */
  readonly afterMs: number;
  /** The most that live calls of the run may cost: reserved before each is sent. */
  readonly maxLiveNanoUsd: number;
}
