import type { FinishedRow } from '../core/finished-row.ts';
import type { Savings } from '../output/summary-counter.ts';
import type { Books } from './open/books.ts';

/** What the batch price and earlier answers saved: the same usage at the live price of the day, less what it did cost. */
export function savingsOf(
  { disposition, model, usage, answerUsage, costNanoUsd }: FinishedRow,
  { costOf }: Pick<Books, 'costOf'>,
): Savings {
  if (disposition.status !== 'ok') return { batchNanoUsd: 0, reuseNanoUsd: 0 };
  if (disposition.source !== 'new') {
    const again = costOf({ usage: answerUsage, isBilled: true, model, tier: null, createdSeconds: null, lane: 'batch' });
    return { batchNanoUsd: 0, reuseNanoUsd: again ?? 0 };
  }
  const asLive = costOf({ usage, isBilled: true, model, tier: 'default', createdSeconds: null, lane: 'live' });
  return { batchNanoUsd: asLive === null || costNanoUsd === null ? 0 : asLive - costNanoUsd, reuseNanoUsd: 0 };
}
