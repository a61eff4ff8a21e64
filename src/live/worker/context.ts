import type { StartTimer } from '../../core/timer.ts';
import type { MakeCall } from '../call.ts';
import type { LearnedTokens } from '../limits/learned-tokens.ts';
import type { CallReference, QueueLink } from '../redis/calls.ts';
import type { CallSlots } from './call-slots.ts';
import type { DailyAllowance } from './daily-allowance.ts';
import type { HeldReservations } from './held-reservations.ts';
import type { AloneGate } from './isolate.ts';
import type { WorkerPresence } from './presence.ts';
import type { WorkerCeilings } from './read-job.ts';

/** One line of a worker's log: never row text, never a key. */
export type WorkerLog = (level: 'info' | 'warn' | 'error', event: string, facts?: Readonly<Record<string, unknown>>) => void;

/** What the jobs of one queue share in this process. */
export interface WorkerContext {
  readonly link: QueueLink;
  readonly presence: WorkerPresence;
  readonly makeCall: MakeCall;
  readonly ceilings: WorkerCeilings;
  readonly allowance: DailyAllowance;
  readonly learned: LearnedTokens;
  readonly held: HeldReservations;
  readonly alone: AloneGate;
  readonly slots: CallSlots;
  /** Results of calls for the concurrency: an answer, or a refusal or silence after leaving at that instant of `monotonicMs`. */
  readonly onAnswer: () => void;
  readonly onCongestion: (leftAtMs: number) => void;
  readonly log: WorkerLog;
  /** Called for everything that goes wrong with Redis; what cannot pass makes the worker end. */
  readonly onRedisFailure: (error: unknown) => void;
  readonly random: () => number;
  readonly monotonicMs: () => number;
  readonly sleep: (milliseconds: number, signal: AbortSignal) => Promise<void>;
  /** Fires when nothing new may leave. */
  readonly draining: AbortSignal;
  /** Fires when what is under way must end as well. */
  readonly ending: AbortSignal;
}

/** A call of a job from BullMQ; `signal` fires when the job's calls were given up, or this process must end. */
export interface HandedCall extends CallReference {
  readonly data: unknown;
  readonly queuedAt: Date;
  readonly signal: AbortSignal;
}

/** The configuration of a worker: it keeps no state, so any number may run anywhere, and each may be killed. */
export interface WorkerOptions {
  readonly redisUrl: string;
  /** Calls in flight at once, per model. Also how many calls may be paid twice when this process is killed. */
  readonly concurrency: number;
  /** The key and the base URL, from this process's environment only; they decide whose calls are served. */
  readonly keyFingerprint: string;
  readonly baseUrl: string;
  readonly makeCall: MakeCall;
  readonly ceilings: WorkerCeilings;
  readonly allowance: DailyAllowance;
  /** `ROWMILL_QUEUE_SECRET`; null if none is set. */
  readonly secret: string | null;
  readonly log: WorkerLog;
  /** Random; identifies the worker. */
  readonly workerId: string;
  readonly clock: () => Date;
  readonly random: () => number;
  readonly monotonicMs: () => number;
  readonly sleep: (milliseconds: number, signal: AbortSignal) => Promise<void>;
  readonly startTimer: StartTimer;
  /** Fires on SIGTERM: nothing new is taken, calls in flight end and are delivered. */
  readonly draining: AbortSignal;
  /** Fires when calls in flight must end too. */
  readonly ending: AbortSignal;
  /** How soon a dead worker's jobs are found; shorter in tests. */
  readonly lockMs?: number;
}
