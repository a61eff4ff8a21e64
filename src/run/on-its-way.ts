import type { BatchLane } from '../batch/lane.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { LiveLane } from '../live/lane.ts';
import type { Amount } from '../money/cost-bound.ts';
import { amountOfUnknownCalls } from './send/possibly-billed.ts';

/** Requests without a known cost yet, by the lane that prices them: being gathered, on their way, or lost from sight after they may have been billed. */
export interface OnItsWay {
  readonly batch: Amount;
  readonly live: Amount;
}

export function countOnItsWay(ledger: Ledger, lanes: { readonly batch: BatchLane; readonly live: LiveLane | null }, run: string): OnItsWay {
  let { bytes, rows, answerCaps } = lanes.batch.filling;
  for (const { shard } of lanes.batch.trips) {
    const state = shard === null ? undefined : ledger.fold.shards.get(shard);
    bytes += state?.bytes ?? 0;
    rows += state?.rows ?? 0;
    answerCaps += state?.answerCaps ?? 0;
  }
  const unknown = amountOfUnknownCalls(ledger, run);
  const held = lanes.live?.filling ?? NOTHING;
  return { batch: { bytes, rows, answerCaps }, live: addAmounts(unknown, held) };
}

const NOTHING: Amount = { bytes: 0, rows: 0, answerCaps: 0 };

function addAmounts(a: Amount, b: Amount): Amount {
  return { bytes: a.bytes + b.bytes, rows: a.rows + b.rows, answerCaps: a.answerCaps + b.answerCaps };
}
