import type { BatchContext } from '../batch/context.ts';
import { type BatchLane, createBatchLane } from '../batch/lane.ts';
import type { Job } from '../core/job.ts';
import type { Lane } from '../core/lane.ts';
import type { Request } from '../core/request.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { LiveLane } from '../live/lane.ts';
import { createLocalLane, type LocalLaneOptions } from '../live/local-lane.ts';
import type { Effects } from './effects.ts';
import type { StepOf } from './next-step.ts';
import type { RedisLink } from './options.ts';
import type { Preview } from './preview.ts';

/** From this many requests on, `mode: auto` takes the batch lane: below it the day's wait is worth more than the discount. */
const AUTO_BATCH_REQUESTS = 500;

export type LaneName = 'batch' | 'live';

/** The lane a run sends new requests to. */
export function chooseLane(mode: Job['mode'], { rows }: Preview): LaneName {
  if (mode !== 'auto') return mode;
  return rows.new + rows.changed + rows.again >= AUTO_BATCH_REQUESTS ? 'batch' : 'live';
}

/** The lanes of a run: batches an earlier invocation left with the provider are collected whichever lane is sent to. */
export interface Lanes {
  readonly lane: Lane;
  readonly batch: BatchLane;
  /** Null when requests go to the batch lane. */
  readonly live: LiveLane | null;
  /** Requests whose cost is not known yet: being gathered, on their way, or lost from sight after they may have been billed. */
  onItsWay(run: string): { readonly bytes: number; readonly rows: number };
}

export interface LanesOptions {
  readonly name: LaneName;
  readonly job: Job;
  readonly url: string;
  readonly context: BatchContext;
  readonly effects: Effects;
  readonly stepOf: StepOf;
  readonly isAffordable: (request: Request) => boolean;
  readonly redis: RedisLink | null;
}

/** @throws AppError exit 2 when the live lane is to use a Redis that cannot be used */
export async function openLanes(options: LanesOptions): Promise<Lanes> {
  const { context, job, effects, stepOf } = options;
  const batch = createBatchLane(context, { model: job.model, url: options.url, enqueuedTokens: job.limits.enqueuedTokens });
  if (options.name === 'batch') {
    const lanes = { lane: batch, batch, live: null };
    return { ...lanes, onItsWay: (run) => countOnItsWay(context.ledger, lanes, run) };
  }
  const parts: LocalLaneOptions = {
    ...effects,
    ledger: context.ledger,
    provider: context.provider,
    limits: job.limits,
    isDueAgain: (id) => stepOf(id) === 'again',
    isAffordable: options.isAffordable,
    stopping: context.stopping,
    signal: context.signal,
  };
  const live = options.redis === null ? createLocalLane(parts) : await openSharedLane(parts, options.redis, options);
  const lanes = { lane: joinLanes(live, batch), batch, live };
  return { ...lanes, onItsWay: (run) => countOnItsWay(context.ledger, lanes, run) };
}

/** BullMQ is loaded only where it is used. */
async function openSharedLane(parts: LocalLaneOptions, redis: RedisLink, { job, context }: LanesOptions): Promise<LiveLane> {
  const { openRedisLane } = await import('../live/bullmq-lane.ts');
  const { ledger, warn } = context;
  return openRedisLane({ ...parts, redisUrl: redis.url, secret: redis.secret, state: ledger.stateId, model: job.model, warn });
}

function countOnItsWay({ fold }: Ledger, { lane, batch }: Pick<Lanes, 'lane' | 'batch'>, run: string): { bytes: number; rows: number } {
  const unknown = fold.unknownCalls.get(run);
  let bytes = lane.filling.bytes + (unknown?.bodyBytes ?? 0);
  let rows = lane.filling.rows + (unknown?.calls ?? 0);
  for (const { shard } of batch.trips) {
    const state = shard === null ? undefined : fold.shards.get(shard);
    bytes += state?.bytes ?? 0;
    rows += state?.rows ?? 0;
  }
  return { bytes, rows };
}

/** Sends to the live lane and looks after what is under way in both. */
function joinLanes(live: LiveLane, batch: BatchLane): Lane {
  async function nextEnd(): Promise<void> {
    const busy = [live, batch].filter((lane) => lane.trips.length > 0);
    if (busy.length === 0) {
      await live.nextEnd();
      return batch.nextEnd();
    }
    const ends = busy.map((lane) => lane.nextEnd());
    // The one that comes second is told of again by the next call.
    for (const end of ends) end.catch(() => {});
    return Promise.race(ends);
  }
  return {
    async resume() {
      batch.resume();
      await live.resume();
    },
    add: (request, tokens) => live.add(request, tokens),
    flush: () => live.flush(),
    // The live queue gives back what has not left when the run stops; it would not begin again.
    abandon: () => batch.abandon(),
    nextEnd,
    nextChange: () => Promise.race([live.nextChange(), batch.nextChange()]),
    takeGivenBack() {
      const hasLive = live.takeGivenBack();
      return batch.takeGivenBack() || hasLive;
    },
    async settle() {
      await live.settle();
      await batch.settle();
    },
    get trips() {
      return [...live.trips, ...batch.trips];
    },
    get filling() {
      return live.filling;
    },
  };
}
