import { dayOf } from '../core/day.ts';
import type { PriceTerms } from '../core/event.ts';
import type { LaneName } from '../core/settled.ts';
import { type Amount, boundByTerms, type CostBound, type CostBoundOptions, listPriceTerms } from './cost-bound.ts';

/** Requests that were announced and whose cost is not known. */
export interface Sent {
  readonly lane: LaneName;
  readonly amount: Amount;
  /** Of the largest body among them, or more. */
  readonly longestBytes: number;
  /** As they were announced with; null where that was not kept. */
  readonly terms: PriceTerms | null;
  /** When that was; null while it is still to be. */
  readonly at: string | null;
}

export interface SentBoundOptions extends Pick<CostBoundOptions, 'job' | 'sets' | 'findPrice'> {
  /** A day whose prices count; null for the day on which they were announced. */
  readonly priceAsOf: string | null;
  readonly now: string;
}

/**
 * Bounds what announced requests can cost by what was sent, at the prices of that day: later changes of the job have no influence. The current
 * job is used only if no terms were recorded.
 * @returns the most they can have cost, in nano-dollars; null if unknown
 */
export function createSentBound({ job, sets, findPrice, priceAsOf, now }: SentBoundOptions): (sent: Sent) => number | null {
  const termsOfNow = listPriceTerms(job, sets);
  const known = new Map<PriceTerms, Map<string, CostBound | null>>();
  return ({ lane, amount, longestBytes, terms, at }) => {
    const day = dayOf(priceAsOf ?? at ?? now);
    const name = `${lane} ${day}`;
    const bounds = known.get(terms ?? termsOfNow) ?? new Map<string, CostBound | null>();
    known.set(terms ?? termsOfNow, bounds);
    const bound =
      bounds.get(name) ?? boundByTerms(terms ?? termsOfNow, { lane, at: day, ...(findPrice === undefined ? {} : { findPrice }) });
    bounds.set(name, bound);
    return bound?.of(amount, longestBytes) ?? null;
  };
}
