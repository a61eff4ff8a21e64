import { monthOf, nextMonth } from '../../core/day.ts';
import type { JobBudget } from '../../core/job.ts';
import type { LaneName } from '../../core/lane.ts';
import { formatCount, formatDollars, formatThings } from '../../output/format-numbers.ts';
import type { Books } from '../open/books.ts';
import type { BudgetReach } from './reach.ts';

/** How much of a budget over several runs is used up. Integer nano-dollars. */
export interface BudgetFacts {
  readonly of: 'month' | 'total';
  /** `2026-11`, UTC; null for the total. */
  readonly month: string | null;
  readonly limitNanoUsd: number;
  /** Cost of the answers; requests in flight are reserved in addition. */
  readonly spentNanoUsd: number;
  /** When it resets; null for the total. */
  readonly beginsAnewAt: string | null;
}

/** The job's budgets over several runs; empty if it has none. */
export function makeBudgetFacts(budget: JobBudget, books: Pick<Books, 'sentNanoUsd' | 'ofMonth'>, now: Date): readonly BudgetFacts[] {
  const month = monthOf(now.toISOString());
  const { nanoUsdPerMonth, nanoUsdTotal } = budget;
  const ofMonth = (limitNanoUsd: number): BudgetFacts => ({
    ...{ of: 'month', month, limitNanoUsd, spentNanoUsd: books.ofMonth(month).nanoUsd },
    beginsAnewAt: nextMonth(month),
  });
  const ofAll = (limitNanoUsd: number): BudgetFacts => ({
    ...{ of: 'total', month: null, limitNanoUsd, spentNanoUsd: books.sentNanoUsd() },
    beginsAnewAt: null,
  });
  return [...(nanoUsdPerMonth === null ? [] : [ofMonth(nanoUsdPerMonth)]), ...(nanoUsdTotal === null ? [] : [ofAll(nanoUsdTotal)])];
}

/** What was recorded of a budget, counted anew. */
export function countBudget(facts: BudgetFacts, books: Pick<Books, 'sentNanoUsd' | 'ofMonth'>, now: Date): BudgetFacts {
  const renewed = renewBudget(facts, now);
  return { ...renewed, spentNanoUsd: renewed.month === null ? books.sentNanoUsd() : books.ofMonth(renewed.month).nanoUsd };
}

/** What was recorded in an earlier month, for the current one: nothing has been announced since. */
export function renewBudget(facts: BudgetFacts, now: Date): BudgetFacts {
  const month = monthOf(now.toISOString());
  return facts.month === null || facts.month === month ? facts : { ...facts, month, spentNanoUsd: 0, beginsAnewAt: nextMonth(month) };
}

/** In one line, for a person. */
export function describeBudget({ month, limitNanoUsd, spentNanoUsd, beginsAnewAt }: BudgetFacts): string {
  const used = `${formatDollars(spentNanoUsd)} spent of the ${formatDollars(limitNanoUsd)}`;
  if (month === null) return `${used} for all runs together`;
  return `${used} for ${month}; it resets on ${beginsAnewAt?.slice(0, 'YYYY-MM-DD'.length)} (UTC)`;
}

/** The warning about a budget that will not suffice; null if it will, as far as can be predicted. */
export function warnOfBudget({ of, month, limitNanoUsd, spentNanoUsd, beginsAnewAt }: BudgetFacts, expectedNanoUsd: number): string | null {
  const left = Math.max(0, limitNanoUsd - spentNanoUsd);
  if (expectedNanoUsd <= left) return null;
  const name = of === 'month' ? `budget.usd_per_month (${month})` : 'budget.usd_total';
  const then = beginsAnewAt === null ? '' : `; it resets on ${beginsAnewAt.slice(0, 'YYYY-MM-DD'.length)} (UTC)`;
  return `${name}: ${formatDollars(left)} of ${formatDollars(limitNanoUsd)} is left, and this is expected to cost ${formatDollars(expectedNanoUsd)}: the run will stop before that${then}`;
}

/** In one line, for a person: what is used of the run's budget, and whether it covers all that is to be sent. */
export function describeReach({ limitNanoUsd, committedNanoUsd, reservedNanoUsd }: BudgetReach): string {
  const used = committedNanoUsd === 0 ? '' : `, ${formatDollars(committedNanoUsd)} of it spent or may still be billed`;
  const left = limitNanoUsd - committedNanoUsd;
  const covers = reservedNanoUsd <= left ? ': it covers them' : '';
  return `${formatDollars(limitNanoUsd)} for this run${used}; to send, ${formatDollars(reservedNanoUsd)} is reserved, a token for every byte and the longest answers${covers}`;
}

/** The warnings about budgets that will not suffice for a run, or let its batches out one after another; empty if they will, as far as can be predicted. */
export function warnOfReach(reaches: readonly BudgetReach[], expectedNanoUsd: number, lane: LaneName): readonly string[] {
  const [tightest] = [...reaches].sort((a, b) => a.leftNanoUsd - b.leftNanoUsd);
  const ofRun = reaches.find(({ isOfRun }) => isOfRun);
  const short = ofRun === undefined ? null : warnOfShortage(ofRun, expectedNanoUsd);
  const isParted = lane === 'batch' && tightest !== undefined && tightest.requestsAtATime > 0 && tightest.batches > 1;
  const parted = isParted && tightest.requestsAtATime < tightest.requests ? describeParts(tightest) : null;
  return [short, parted].filter((warning) => warning !== null);
}

function warnOfShortage(reach: BudgetReach, expectedNanoUsd: number): string | null {
  const { name, committedNanoUsd, leftNanoUsd, nextNanoUsd, requestsAtATime, enoughNanoUsd } = reach;
  if (requestsAtATime === 0) {
    const used =
      committedNanoUsd === 0
        ? 'is too small for the first request, which'
        : `is used up: ${formatDollars(committedNanoUsd)} is spent or may still be billed, and the next request`;
    return `${name} ${used} can cost ${formatDollars(nextNanoUsd)}: the run would send nothing (exit 5); ${formatDollars(enoughNanoUsd)} covers what is spent and the most that the rest can cost`;
  }
  if (expectedNanoUsd <= leftNanoUsd) return null;
  const left = committedNanoUsd === 0 ? `${name} is` : `${formatDollars(leftNanoUsd)} is left of ${name},`;
  return `${left} less than the ${formatDollars(expectedNanoUsd)} this is expected to cost: the run will stop before the end (exit 5)`;
}

function describeParts({ name, requestsAtATime, requests, batches, enoughNanoUsd }: BudgetReach): string {
  return `${name} lets about ${formatCount(requestsAtATime)} of ${formatThings(requests, 'request')} out at a time, as each reserves the most it can cost until it is answered: about ${formatCount(batches)} batches, one after another; ${formatDollars(enoughNanoUsd)} lets all out at once`;
}
