import type { BatchLane } from '../../batch/batch-lane.ts';
import { monthOf, nextMonth } from '../../core/day.ts';
import type { Job } from '../../core/job.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import type { LiveLane } from '../../live/lane.ts';
import type { Amount } from '../../money/cost-bound.ts';
import type { Sent } from '../../money/sent-bound.ts';
import { formatDollars } from '../../output/format-numbers.ts';
import type { Books } from '../open/books.ts';
import type { UnpricedCalls } from '../open/unpriced.ts';
import { findUnansweredOfBatches, listSent, makeSent } from '../send/possibly-billed.ts';

/** What one budget covers: the run, the UTC month in which a request is announced, or everything the job ever sends. */
export interface BudgetSpan {
  readonly limitNanoUsd: number;
  /** Whether it is the budget of the run, which `--max-usd` can raise. */
  readonly isOfRun: boolean;
  /** What was spent, if its cost is known. */
  spentNanoUsd(): number;
  /** Billed calls of unknown cost: what was reserved for them stays reserved. */
  unpriced(): readonly UnpricedCalls[];
  /** What batches may have been billed for without an answer, at these bounds. */
  unansweredOfBatches(boundOf: (sent: Sent) => number | null): number;
  onItsWay(): OnItsWay;
  /** What its sums depend on besides the ledger: the month. */
  readonly phase: string;
  /** `the budget of $5.000000000`. */
  readonly name: string;
  /** When it resets; empty for the run's budget, where the command is shown. */
  readonly remedy: string;
}

/** Requests without a known cost yet. */
export interface OnItsWay {
  /** Those the lanes hold: batches not cut yet, and live calls. */
  readonly batch: Amount;
  readonly live: Amount;
  /** Announced ones: shards on their way, and calls lost from sight after they may have been billed. */
  readonly sent: readonly Sent[];
}

/** Nano-dollars; null if there is no such limit. */
export interface SpanLimits {
  readonly run: number | null;
  readonly month: number | null;
  readonly total: number | null;
}

export interface BudgetSpansOptions {
  readonly limits: SpanLimits;
  readonly run: string;
  readonly job: Pick<Job, 'model'>;
  readonly ledger: Pick<Ledger, 'fold'>;
  readonly books: Books;
  readonly lanes: {
    readonly batch: Pick<BatchLane, 'filling'> & { readonly underWay: readonly { readonly shard: string | null }[] };
    readonly live: LiveLane | null;
  };
  readonly clock: () => Date;
}

/** The budgets that are set. */
export function makeBudgetSpans(options: BudgetSpansOptions): readonly BudgetSpan[] {
  const { limits } = options;
  return [
    ...(limits.run === null ? [] : [makeRunSpan(options, limits.run)]),
    ...(limits.month === null ? [] : [makeMonthSpan(options, limits.month)]),
    ...(limits.total === null ? [] : [makeTotalSpan(options, limits.total)]),
  ];
}

function makeRunSpan({ run, job, ledger, books, lanes }: BudgetSpansOptions, limitNanoUsd: number): BudgetSpan {
  return {
    limitNanoUsd,
    isOfRun: true,
    spentNanoUsd: () => books.ofRun(run).nanoUsd,
    unpriced: () => [books.unpricedOf(run)],
    unansweredOfBatches: (boundOf) => findUnansweredOfBatches({ ledger, books, run, model: job.model }).nanoUsdOf(boundOf),
    onItsWay: () => countOnItsWay(ledger, lanes, listSent(ledger.fold.unknownCalls.get(run))),
    phase: '',
    name: `the budget of ${formatDollars(limitNanoUsd)}`,
    remedy: '',
  };
}

/** A request belongs to the month in which it is announced: requests in flight since last month are last month's. */
function makeMonthSpan({ job, ledger, books, lanes, clock }: BudgetSpansOptions, limitNanoUsd: number): BudgetSpan {
  const now = () => monthOf(clock().toISOString());
  return {
    limitNanoUsd,
    isOfRun: false,
    spentNanoUsd: () => books.ofMonth(now()).nanoUsd,
    unpriced: () => [books.ofMonth(now()).unpriced],
    unansweredOfBatches: (boundOf) =>
      findUnansweredOfBatches({ ledger, books, run: null, month: now(), model: job.model }).nanoUsdOf(boundOf),
    onItsWay() {
      const month = now();
      const unknown = listSent(ledger.fold.unknownCallsOfMonths.get(month));
      // A shard waiting for its create is sent this month at the earliest.
      return countOnItsWay(ledger, lanes, unknown, (announcedAt) => announcedAt === null || monthOf(announcedAt) === month);
    },
    get phase() {
      return now();
    },
    get name() {
      return `budget.usd_per_month, ${formatDollars(limitNanoUsd)} for ${now()},`;
    },
    get remedy() {
      return `; it resets on ${nextMonth(now()).slice(0, 'YYYY-MM-DD'.length)} (UTC)`;
    },
  };
}

function makeTotalSpan({ job, ledger, books, lanes }: BudgetSpansOptions, limitNanoUsd: number): BudgetSpan {
  return {
    limitNanoUsd,
    isOfRun: false,
    spentNanoUsd: () => books.sentNanoUsd(),
    unpriced: () => books.unpricedOfRuns(),
    unansweredOfBatches: (boundOf) => findUnansweredOfBatches({ ledger, books, run: null, model: job.model }).nanoUsdOf(boundOf),
    onItsWay: () => countOnItsWay(ledger, lanes, [...ledger.fold.unknownCalls.values()].flatMap(listSent)),
    phase: '',
    name: `budget.usd_total, ${formatDollars(limitNanoUsd)},`,
    remedy: '; it never resets: raise it in the job file to send more',
  };
}

export const NO_AMOUNT: Amount = { bytes: 0, rows: 0, answerCaps: 0 };

/** @param counts of a shard in progress, by when its create was announced; null if it was not yet */
function countOnItsWay(
  ledger: BudgetSpansOptions['ledger'],
  lanes: BudgetSpansOptions['lanes'],
  unknown: readonly Sent[],
  counts: (announcedAt: string | null) => boolean = () => true,
): OnItsWay {
  const shards = lanes.batch.underWay.flatMap(({ shard }) => {
    const state = shard === null ? undefined : ledger.fold.shards.get(shard);
    return state === undefined || !counts(state.createIntentAt) ? [] : [makeSent(state, state.createIntentAt)];
  });
  return { batch: lanes.batch.filling, ...countLiveOnItsWay(lanes.live, unknown), sent: [...shards, ...unknown] };
}

export function countLiveOnItsWay(live: LiveLane | null, unknown: readonly Sent[]): Pick<OnItsWay, 'live' | 'sent'> {
  return { live: live?.filling ?? NO_AMOUNT, sent: unknown };
}
