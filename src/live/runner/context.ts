import type { Queue } from 'bullmq';
import type { Request } from '../../core/request.ts';
import type { CallOwner } from '../queue.ts';
import type { QueueLink } from '../redis/calls.ts';
import type { QueueIdentity, SharedKeys, StateKeys } from '../redis/keys.ts';
import type { SharedLimits } from '../redis/limits.ts';
import type { RedisWatch } from '../redis/watch.ts';
import type { SharedPace } from './pace.ts';
import type { CallWindow } from './window.ts';

/** Shared by the runner's steps. */
export interface RunnerContext {
  readonly link: QueueLink;
  readonly queue: Queue;
  readonly state: string;
  readonly identity: QueueIdentity;
  readonly limits: SharedLimits;
  readonly shared: SharedKeys;
  readonly keys: StateKeys;
  readonly window: CallWindow;
  readonly pace: SharedPace;
  readonly owner: CallOwner;
  readonly watch: RedisWatch;
  /** For a person; never row text. */
  readonly warn: (message: string) => void;
  readonly sleep: (milliseconds: number, signal: AbortSignal) => Promise<void>;
  /** Uniform in 0..1. */
  readonly random: () => number;
  readonly nowMs: () => number;
  /** The body a worker sends for a request. */
  readonly deliver: (request: Request) => string;
  /** A different number for every job, over restarts too. */
  readonly nextJobNumber: () => number;
  /** The most calls in one job. */
  readonly groupCalls: () => number;
  /** A worker that is silent for this long counts as dead. */
  readonly workerSilenceMs: number;
  /** Fires when the queue is closed. */
  readonly closed: AbortSignal;
}
