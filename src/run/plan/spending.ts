import type { Ledger } from '../../ledger/ledger.ts';
import { suggestModel } from '../../money/tier-table.ts';
import { formatDollars } from '../../output/format-numbers.ts';
import type { Books } from '../open/books.ts';
import type { Plan, PlanRows } from './plan-result.ts';

/** What a confirmation is about. */
export interface Spending {
  /** Which of the plan's prices applies to the requests. */
  readonly priced: keyof Plan['cost'];
  /** Estimates above this need confirmation. */
  readonly overNanoUsd: number;
  /** More than this cannot be spent; null without a budget that can be kept. */
  readonly budgetNanoUsd: number | null;
  /** The most that live calls may cost next to batches with a deadline; null without one. */
  readonly maxLiveNanoUsd: number | null;
  /** What was guessed about the table before the first run, because the user may know better; null for nothing. */
  readonly guess: string | null;
}

/** How many requests a run would send, including those waiting in shards that are already cut. */
export function countAsked({ rows }: { readonly rows: Pick<PlanRows, 'new' | 'changed' | 'again'> }): number {
  return rows.new + rows.changed + rows.again;
}

/**
 * Why a run has to be confirmed, without a final word; null if it need not: it sends nothing, nothing was guessed that decides what is paid for, and it
 * should not cost more than `confirm_over`.
 * With a budget the expected cost counts, because the budget limits surprises; without one, the upper estimate.
 */
export function findReasonToAsk(plan: Plan, spending: Spending): string | null {
  if (countAsked(plan) === 0) return null;
  const reasons = [spending.guess, findCostReason(plan, spending)].filter((reason) => reason !== null);
  return reasons.length === 0 ? null : reasons.join('. Also, ');
}

function findCostReason(plan: Plan, spending: Spending): string | null {
  const cost = plan.cost[spending.priced];
  if (cost === null) return `the price of ${plan.model} is unknown${suggestModel(plan.model)}`;
  const { overNanoUsd, budgetNanoUsd } = spending;
  const upperNanoUsd = budgetNanoUsd === null ? addLiveRest(plan, spending, cost.upperNanoUsd) : cost.expectedNanoUsd;
  if (upperNanoUsd <= overNanoUsd) return null;
  const over = `above confirm_over (${formatDollars(overNanoUsd)})`;
  if (cost.expectedNanoUsd > overNanoUsd)
    return `this is estimated at ${formatDollars(cost.expectedNanoUsd)}, ${over}${describeMost(budgetNanoUsd, cost.expectedNanoUsd)}`;
  return `this is estimated at ${formatDollars(cost.expectedNanoUsd)}, and may become ${formatDollars(upperNanoUsd)}, ${over}`;
}

function describeMost(budgetNanoUsd: number | null, expectedNanoUsd: number): string {
  if (budgetNanoUsd === null) return '';
  const short = budgetNanoUsd < expectedNanoUsd ? ', less than the estimate, so the run would stop before the end' : '';
  return `; its budget lets it spend ${formatDollars(Math.max(0, budgetNanoUsd))} at most${short}`;
}

/** What batches leave open at a deadline is sent live, within its own limit. */
function addLiveRest({ cost }: Plan, { maxLiveNanoUsd }: Spending, upperNanoUsd: number): number {
  if (maxLiveNanoUsd === null) return upperNanoUsd;
  return Math.min(upperNanoUsd + maxLiveNanoUsd, Math.max(upperNanoUsd, cost.live?.upperNanoUsd ?? Number.POSITIVE_INFINITY));
}

/** The expected cost of a run as a whole: what is to be sent, and for an open one what it has spent and what its batches will cost. */
export function estimateRun(
  plan: Plan,
  priced: keyof Plan['cost'],
  { ledger, books }: { readonly ledger: Pick<Ledger, 'fold'>; readonly books: Pick<Books, 'ofRun'> },
): number | null {
  const { currentRun, batches, shards } = ledger.fold;
  const expectedNanoUsd = plan.cost[priced]?.expectedNanoUsd ?? null;
  if (expectedNanoUsd === null || currentRun === null) return expectedNanoUsd;
  const asked = countAsked(plan);
  let awaited = 0;
  for (const { run, shard, isCollected } of batches.values())
    if (run === currentRun.id && !isCollected && shard !== null) awaited += shards.get(shard)?.rows ?? 0;
  const awaitedNanoUsd = asked === 0 ? 0 : Math.round((expectedNanoUsd / asked) * awaited);
  return books.ofRun(currentRun.id).nanoUsd + expectedNanoUsd + awaitedNanoUsd;
}
