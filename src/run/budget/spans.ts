import type { BatchLane } from '../../batch/batch-lane.ts';
import { monthOf, nextMonth } from '../../core/day.ts';
import type { Job } from '../../core/job.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import type { LiveLane } from '../../live/lane.ts';
import type { Amount, CostBound } from '../../money/cost-bound.ts';
import { formatDollars } from '../../output/format-numbers.ts';
import type { Books } from '../open/books.ts';
import type { UnpricedCalls } from '../open/unpriced.ts';
import { amountOfCalls, findUnansweredOfBatches } from '../send/possibly-billed.ts';

/** What one budget covers: the run, the UTC month in which a request is announced, or everything the job ever sends. */
export interface BudgetSpan {
  readonly limitNanoUsd: number;
  /** Whether it is the budget of the run, which `--max-usd` can raise. */
  readonly isOfRun: boolean;
  /** What was spent, if its cost is known. */
  spentNanoUsd(): number;
  /** Billed calls of unknown cost: what was reserved for them stays reserved. */
  unpriced(): readonly UnpricedCalls[];
  /** What batches may have billed without an answer, at this bound. */
  unansweredOfBatches(bound: CostBound | null): number;
  onItsWay(): OnItsWay;
  /** What its sums depend on besides the ledger: the month. */
  readonly phase: string;
  /** `the budget of $5.000000000`. */
  readonly name: string;
  /** When it resets; empty for the run's budget, where the command is shown. */
  readonly remedy: string;
}

/** Requests without a known cost yet, by the lane that prices them: being gathered, in flight, or unknown after they may have been billed. */
export interface OnItsWay {
  readonly batch: Amount;
  readonly live: Amount;
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
  readonly ledger: Ledger;
  readonly books: Books;
  readonly lanes: { readonly batch: BatchLane; readonly live: LiveLane | null };
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
    unansweredOfBatches: (bound) => findUnansweredOfBatches({ ledger, books, run, model: job.model }).nanoUsdOf(bound),
    onItsWay: () => countOnItsWay(ledger, lanes, amountOfCalls(ledger.fold.unknownCalls.get(run))),
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
    unansweredOfBatches: (bound) => findUnansweredOfBatches({ ledger, books, run: null, month: now(), model: job.model }).nanoUsdOf(bound),
    onItsWay() {
      const month = now();
      const unknown = amountOfCalls(ledger.fold.unknownCallsOfMonths.get(month));
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
    unansweredOfBatches: (bound) => findUnansweredOfBatches({ ledger, books, run: null, model: job.model }).nanoUsdOf(bound),
    onItsWay: () => countOnItsWay(ledger, lanes, [...ledger.fold.unknownCalls.values()].map(amountOfCalls).reduce(addAmounts, NO_AMOUNT)),
    phase: '',
    name: `budget.usd_total, ${formatDollars(limitNanoUsd)},`,
    remedy: '; it never resets: only a larger one in the job file sends more',
  };
}

export const NO_AMOUNT: Amount = { bytes: 0, rows: 0, answerCaps: 0 };

/** @param counts of a shard in progress, by when its create was announced; null if it was not yet */
function countOnItsWay(
  ledger: Ledger,
  lanes: BudgetSpansOptions['lanes'],
  unknown: Amount,
  counts: (announcedAt: string | null) => boolean = () => true,
): OnItsWay {
  let { bytes, rows, answerCaps } = lanes.batch.filling;
  for (const { shard } of lanes.batch.underWay) {
    const state = shard === null ? undefined : ledger.fold.shards.get(shard);
    if (state === undefined || !counts(state.createIntentAt)) continue;
    bytes += state.bytes;
    rows += state.rows;
    answerCaps += state.answerCaps;
  }
  return { batch: { bytes, rows, answerCaps }, live: addAmounts(unknown, lanes.live?.filling ?? NO_AMOUNT) };
}

export function addAmounts(a: Amount, b: Amount): Amount {
  return { bytes: a.bytes + b.bytes, rows: a.rows + b.rows, answerCaps: a.answerCaps + b.answerCaps };
}
