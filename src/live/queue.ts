import type { AppError } from '../core/errors.ts';
import type { Request } from '../core/request.ts';
import type { ResponseLine } from '../core/response-line.ts';
import type { MeterView, WaitingFor } from './limits/meter.ts';
import type { ThrottleView } from './limits/throttle.ts';

/** One request to be made now, as often as the provider's limits refuse it. */
export interface LiveCall {
  readonly request: Request;
  /** Estimated tokens of the prompt. */
  readonly promptTokens: number;
  /** The call waits this long before it is first tried: the back-off after a passing fault. */
  readonly delayMs: number;
}

/** What came of a call. All but `refused` are its end: the queue holds it no longer. */
export type CallEnd =
  /** A response line to keep, newline excluded: an answer, or a failure the provider answered with. Its line id is unique per call. */
  | {
      readonly status: 'answered';
      readonly customId: string;
      readonly line: string;
      /** The line read, where it was made in this process. */
      readonly read?: ResponseLine;
    }
  /** An announced call that is known to have cost nothing: too fast, or never sent. The queue announces it again before it tries again. */
  | { readonly status: 'refused'; readonly customId: string; readonly code: string }
  /** It may have been billed, and no answer will come. `why` is for a person; never row text. */
  | {
      readonly status: 'unknown';
      readonly customId: string;
      readonly bodyBytes: number;
      readonly why: string;
      /** An end of a process of ours ended it, not the provider or the way to it. */
      readonly isInterruption?: boolean;
    }
  /** Let go of unmade, because the queue was stopped. An announced call is refused first. */
  | { readonly status: 'given-back'; readonly customId: string };

/** Who hands calls to a queue and keeps the books about them. */
export interface CallOwner {
  /** Makes it durable that these calls may leave from now on; no call is made before it has resolved. */
  announce(calls: readonly LiveCall[]): Promise<void>;
  /** Makes durable what came of calls. Only when it has resolved may the queue forget them. */
  record(ends: readonly CallEnd[]): Promise<void>;
  /** No call can succeed now, for example because the key is refused, or the books cannot be kept. The queue has stopped by itself. */
  halt(error: AppError): void;
}

/** What a queue is busy with, at this moment. */
export interface QueueView {
  /** Calls that have left and are not answered. */
  readonly inFlight: number;
  /** How long the oldest of them has been under way; null without any, absent where the queue cannot tell. */
  readonly oldestMs?: number | null;
  /** Calls the queue holds that have not left. */
  readonly waiting: number;
  /** How many may be in flight at once, as learned so far. */
  readonly concurrency: number;
  /** What calls wait for beside limits, in words; absent where the queue cannot tell. */
  readonly waits?: readonly string[];
  /** How fast calls go; absent where the queue cannot tell. */
  readonly pace?: PaceView;
}

/** How fast calls go, and what holds them up. */
export interface PaceView extends MeterView, ThrottleView {
  /** What most calls that have not left wait for; null when none waits. */
  readonly waitingFor: WaitingFor | null;
}

/**
 * The one port of the live lane: calls go in, ends come out. Between them stand the provider's limits and the calls themselves, in this
 * process or in others. Each added call has exactly one end that is not `refused`, unless the process dies.
 */
export interface CallQueue {
  /** Whether other processes make the calls, which then go on when this one ends. */
  readonly isShared?: boolean;
  /** Begins work. @returns custom ids of calls the queue holds already, handed over by an earlier process */
  attach(owner: CallOwner): Promise<readonly string[]>;
  /** Takes a call in. Resolves when there is room for the next one, so that memory stays flat for any number of rows. Never after `stop`. */
  add(call: LiveCall): Promise<void>;
  /** Lets nothing more leave and gives back what has not left; calls under way come to their end. May be called twice. */
  stop(): void;
  /** Resolves once every call has its end; only useful after `stop`, or when no more are added. */
  drain(): Promise<void>;
  /**
   * Leaves ends that come late where they are, for whoever attaches next, or takes them again. Resolves when none is on its way to the owner.
   * Absent where none can come late.
   */
  holdEnds?(isHeld: boolean): Promise<void>;
  readonly view: QueueView;
  /** Frees connections. Calls without an end stay as they are announced. */
  close(): Promise<void>;
}
