import type { ShardState } from '../ledger/events/fold.ts';
import type { RemoteBatch } from '../openai/wire.ts';
import type { Admission } from './admission.ts';
import type { ShardBreaker } from './breaker.ts';
import type { CutSize } from './cut-size.ts';

/** The stage a shard is in, for the person who watches. */
export type Phase = 'uploading' | 'waiting' | 'creating' | 'polling' | 'collecting';

export interface ShardLifecycleOptions {
  readonly shard: ShardState;
  /** In estimated tokens. */
  readonly admission: Admission;
  /** In requests. */
  readonly requestAdmission: Admission;
  readonly cutSize: CutSize;
  readonly breaker: ShardBreaker;
  /** Lets one shard upload at a time: each holds a good part of its file in memory. */
  readonly inUploadTurn: <T>(work: () => Promise<T>) => Promise<T>;
  /** Fires when the rows are wanted back: what is not with the provider is not sent, a batch is cancelled and collected. */
  readonly recalled: AbortSignal;
  readonly onPhase: (phase: Phase) => void;
  readonly onPoll: (batch: RemoteBatch) => void;
}
