import type { MakeCall } from '../call.ts';
import type { LearnedTokens } from '../limits/learned-tokens.ts';
import type { JobReference, QueueLink } from '../redis/calls.ts';
import type { DailyAllowance } from './daily-allowance.ts';
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
  readonly alone: AloneGate;
  /** How calls fare: an answer, or a refusal or silence after leaving at that instant of `monotonicMs`. */
  readonly onAnswer: () => void;
  readonly onCongestion: (leftAtMs: number) => void;
  readonly log: WorkerLog;
  readonly random: () => number;
  readonly monotonicMs: () => number;
  readonly sleep: (milliseconds: number, signal: AbortSignal) => Promise<void>;
  /** Fires when nothing new may leave. */
  readonly draining: AbortSignal;
  /** Fires when what is under way must end as well. */
  readonly ending: AbortSignal;
}

/** A job as BullMQ hands it over; `signal` fires when the call was given up, or this process must end. */
export interface HandedJob extends JobReference {
  readonly data: unknown;
  readonly queuedAt: Date;
  readonly signal: AbortSignal;
}
