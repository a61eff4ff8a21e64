import type { BatchLane } from '../batch/lane.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { LiveLane } from '../live/lane.ts';

/** Requests without a known cost yet, by the lane that prices them: being gathered, on their way, or lost from sight after they may have been billed. */
export interface OnItsWay {
  readonly batch: Amount;
  readonly live: Amount;
}

interface Amount {
  readonly bytes: number;
  readonly rows: number;
}

export function countOnItsWay(
  { fold }: Ledger,
  lanes: { readonly batch: BatchLane; readonly live: LiveLane | null },
  run: string,
): OnItsWay {
  let { bytes, rows } = lanes.batch.filling;
  for (const { shard } of lanes.batch.trips) {
    const state = shard === null ? undefined : fold.shards.get(shard);
    bytes += state?.bytes ?? 0;
    rows += state?.rows ?? 0;
  }
  const unknown = fold.unknownCalls.get(run);
  const held = lanes.live?.filling;
  return {
    batch: { bytes, rows },
    live: { bytes: (held?.bytes ?? 0) + (unknown?.bodyBytes ?? 0), rows: (held?.rows ?? 0) + (unknown?.calls ?? 0) },
  };
}
