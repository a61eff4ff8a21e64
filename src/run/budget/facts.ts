import { monthOf, nextMonth } from '../../core/day.ts';
import type { JobBudget } from '../../core/job.ts';
import type { LaneName } from '../../core/lane.ts';
import { formatDollars } from '../../output/format-numbers.ts';
import type { Books } from '../open/books.ts';

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

/** For everything that would be sent. Integer nano-dollars. */
type WorkCost = Readonly<Record<'expectedNanoUsd' | 'worstNanoUsd', number>>;

/** The warning about the budget of a run that will not suffice, or forces many small batches; null if it will, as far as can be predicted. */
export function warnOfRunBudget({ nanoUsd }: JobBudget, cost: WorkCost | null, lane: LaneName): string | null {
  if (nanoUsd === null || cost === null || cost.worstNanoUsd <= nanoUsd) return null;
  const { expectedNanoUsd, worstNanoUsd } = cost;
  const limit = `budget.usd: ${formatDollars(nanoUsd)}`;
  if (expectedNanoUsd > nanoUsd)
    return `${limit} is less than the ${formatDollars(expectedNanoUsd)} this is expected to cost: the run will stop before the end (exit 5)`;
  if (lane === 'live') return null;
  return `${limit} does not cover the worst case, ${formatDollars(worstNanoUsd)}, which batches reserve: rows are sent in several batches, one after another; a larger budget or a smaller params.max_output_tokens sends them at once`;
}
