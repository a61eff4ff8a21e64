import type { Event } from '../../core/event.ts';
import type { LedgerFold, ShardState, ShardStatus } from './fold.ts';

/**
 * Every transition of a shard, by the type of its event; `batch-failed` is a batch-collected whose batch was refused as a whole. `to` is the
 * resulting status, `from` the statuses in which the event may be written. docs/states.md has the diagram.
 */
export const SHARD_TRANSITIONS = {
  'shard-written': { from: [], to: 'written' },
  'upload-intent': { from: ['written', 'uploading', 'uploaded'], to: 'uploading' },
  'upload-done': { from: ['uploading'], to: 'uploaded' },
  'create-intent': { from: ['uploaded'], to: 'creating' },
  'create-unknown': { from: ['creating'], to: 'create-unknown' },
  'create-absent': { from: ['creating', 'create-unknown'], to: 'uploaded' },
  'create-refused': { from: ['creating'], to: 'uploaded' },
  'create-done': { from: ['creating', 'create-unknown'], to: 'submitted' },
  'batch-failed': { from: ['submitted'], to: 'uploaded' },
  'batch-collected': { from: ['submitted'], to: 'collected' },
  'shard-retired': { from: ['written', 'uploading', 'uploaded'], to: 'retired' },
} as const satisfies Readonly<Record<string, { readonly from: readonly ShardStatus[]; readonly to: ShardStatus }>>;

export type ShardTransition = keyof typeof SHARD_TRANSITIONS;

type ShardEvent = Extract<Event, { readonly type: ShardTransition; readonly shard: string }>;

/** Whether a shard cannot get this event in its current status: writing it would be a bug. Events already on disk are folded as they are. */
export function isMisplaced(event: Event, { batches, shards }: LedgerFold): boolean {
  if (event.type === 'batch-collected') {
    const batch = batches.get(event.batchId);
    // A batch that reappeared no longer moves its shard.
    if (batch === undefined || batch.shard === null || batch.isExtra || batch.hasReturned) return false;
    return isForbidden(event.status === 'failed' ? 'batch-failed' : event.type, shards.get(batch.shard));
  }
  return isShardEvent(event) && isForbidden(event.type, shards.get(event.shard));
}

function isShardEvent(event: Event): event is ShardEvent {
  return Object.hasOwn(SHARD_TRANSITIONS, event.type);
}

function isForbidden(transition: ShardTransition, shard: ShardState | undefined): boolean {
  const from: readonly ShardStatus[] = SHARD_TRANSITIONS[transition].from;
  return shard !== undefined && !from.includes(shard.status);
}
