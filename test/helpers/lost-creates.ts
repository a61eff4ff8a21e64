import { createBatch } from '../../src/batch/create.ts';
import { createBatchLane } from '../../src/batch/lane.ts';
import { sweepBatches } from '../../src/batch/sweep.ts';
import { uploadShard } from '../../src/batch/upload.ts';
import type { ShardState } from '../../src/ledger/events/fold.ts';
import { type LaneWorld, makeLaneWorld, makeRequest } from './lane-world.ts';
import { createVirtualTime } from './virtual-time.ts';

/** What a series of creates with lost responses came to. */
export interface LostCreates {
  readonly shards: number;
  /** Creates whose response the plan took away. */
  readonly lost: number;
  readonly adopted: number;
  /** Shards of which the provider holds more than one batch. */
  readonly createdTwice: number;
  /** Batches that neither a create nor an extra accounts for: what must never happen. */
  readonly unreported: number;
  /** Shards that ended without any batch. */
  readonly without: number;
  readonly extrasCollected: boolean;
}

/** Half of the create responses are lost, half of these after the provider took them; new batches show in the list up to 30 s late. */
function makePlan(maxLagMs: number) {
  const create = { method: 'POST', path: '/v1/batches' };
  const lags = [1, 0.8, 0.6, 0.4, 0.2].map((part, index) => ({
    match: { share: 1 / (5 - index) },
    do: { listLagMs: Math.round(maxLagMs * part) },
  }));
  return [
    { name: 'lost before', match: { ...create, share: 0.25 }, do: { drop: 'before' } },
    { name: 'lost after', match: { ...create, share: 1 / 3 }, do: { drop: 'after' } },
    { name: 'no metadata', match: { share: 0.2 }, do: { dropMetadata: true } },
    ...(maxLagMs === 0 ? [] : lags),
  ];
}

/** Creates `shards` batches of one request each, `abreast` at a time, and then lets the lane end what it finds to be extra. */
export async function createThroughLosses(options: {
  readonly seed: number;
  readonly shards: number;
  readonly abreast: number;
  readonly maxLagMs: number;
  readonly looksMs?: readonly number[];
}): Promise<LostCreates> {
  const time = createVirtualTime(Date.now());
  const world = await makeLaneWorld({
    time,
    seed: options.seed,
    faults: makePlan(options.maxLagMs),
    ...(options.looksMs === undefined ? {} : { looksMs: options.looksMs }),
  });
  try {
    const { context, ledger } = world;
    const since = context.clock().toISOString();
    const never = new AbortController().signal;
    const waiting: string[] = [];
    for (let n = 1; n <= options.shards; n += 1) waiting.push(await world.writeShard([makeRequest(`Row ${options.seed}/${n}`)]));
    let without = 0;
    const createNext = async (): Promise<void> => {
      for (let id = waiting.pop(); id !== undefined; id = waiting.pop()) {
        const shard = () => ledger.fold.shards.get(id as string) as ShardState;
        await uploadShard(context, shard());
        // Three lost creates in a row leave the shard pending; the next invocation goes on.
        for (let left = 3; left > 0 && shard().batchId === null; left -= 1) await createBatch(context, shard(), never).catch(() => null);
        if (shard().batchId === null) without += 1;
      }
      time.leave();
    };
    time.expect(options.abreast);
    await Promise.all(Array.from({ length: options.abreast }, createNext));
    await context.sleep(60_000 + options.maxLagMs, context.signal);
    await sweepBatches(context, since);
    const lane = createBatchLane(context, { model: 'gpt-4o-mini', url: '/v1/chat/completions', enqueuedTokens: null });
    lane.resume();
    await lane.drain();
    return judge(world, { shards: options.shards, without });
  } finally {
    await world.close();
  }
}

function judge(world: LaneWorld, { shards, without }: { readonly shards: number; readonly without: number }): LostCreates {
  const { fold } = world.ledger;
  const remote = world.readBatches();
  const perShard = new Map<string, number>();
  const shardOf = new Map([...fold.batches.values()].map((batch) => [batch.id, batch.shard]));
  for (const { id } of remote) {
    const shard = shardOf.get(id);
    if (shard !== undefined && shard !== null) perShard.set(shard, (perShard.get(shard) ?? 0) + 1);
  }
  const fired = world.simulator.faultsFired();
  return {
    shards,
    without,
    lost: fired.filter(({ name }) => name.startsWith('lost')).reduce((sum, fault) => sum + fault.fired, 0),
    adopted: [...fold.batches.values()].filter((batch) => batch.adopted).length,
    createdTwice: [...perShard.values()].filter((count) => count > 1).length,
    unreported: remote.filter(({ id }) => !fold.batches.has(id)).length,
    extrasCollected: [...fold.batches.values()].every((batch) => !batch.isExtra || batch.isCollected),
  };
}
