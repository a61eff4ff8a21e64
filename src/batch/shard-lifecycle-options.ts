import type { ShardState } from '../ledger/events/fold.ts';
import type { RemoteBatch } from '../openai/wire.ts';
import type { ShardBreaker } from './breaker.ts';
import type { ModelQueue } from './queue/model-queues.ts';

/** The stage of a shard, for the person who watches. */
export type Phase = 'uploading' | 'waiting' | 'creating' | 'polling' | 'collecting';

/** The queue of the shard's model. */
export interface ShardLifecycleOptions extends ModelQueue {
  readonly shard: ShardState;
  /** Whether an earlier process wrote its file. */
  readonly isResumed: boolean;
  readonly breaker: ShardBreaker;
  /** Lets one shard upload at a time. */
  readonly inUploadTurn: <T>(work: () => Promise<T>) => Promise<T>;
  /** Fires when the rows are recalled: what is not at the provider is not sent, a batch is cancelled and collected. */
  readonly recalled: AbortSignal;
  readonly onPhase: (phase: Phase) => void;
  readonly onPoll: (batch: RemoteBatch) => void;
}
