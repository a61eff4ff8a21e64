import type { AppError } from '../core/errors.ts';
import type { Request } from '../core/request.ts';
import type { ResponseLine } from '../core/response-line.ts';
import type { MeterView, WaitingFor } from './limits/meter.ts';
import type { ThrottleView } from './limits/throttle.ts';

/** One request to be made now, repeated as long as the provider's limits refuse it. */
export interface LiveCall {
  readonly request: Request;
  /** Estimated tokens of the prompt. */
  readonly promptTokens: number;
  /** The call waits this long before its first try: the back-off after a transient fault. */
  readonly delayMs: number;
}

/** The result of a call. All but `refused` are its end: the queue no longer holds it. */
export type CallEnd =
  /** A response line to store, newline excluded: an answer, or an error response of the provider. Its line id is unique per call. */
  | {
      readonly status: 'answered';
      readonly customId: string;
      readonly line: string;
      /** The parsed line, if it was made in this process. */
      readonly read?: ResponseLine;
    }
  /** An announced call that is known to have cost nothing: too fast, or never sent. The queue announces it again before the next try. */
  | { readonly status: 'refused'; readonly customId: string; readonly code: string }
  /** It may have been billed, and no answer will arrive. `why` is for a person; never row text. */
  | {
      readonly status: 'unknown';
      readonly customId: string;
      readonly bodyBytes: number;
      readonly why: string;
      /** It was cut off by the end of one of our processes, not by the provider or the network. */
      readonly isInterruption?: boolean;
    }
  /** Returned without being made, because the queue was stopped. An announced call is refused first. */
  | { readonly status: 'given-back'; readonly customId: string };

/** Hands calls to a queue and keeps the books about them. */
export interface CallOwner {
  /** Makes it durable that these calls may leave from now on; no call is made before it resolves. */
  announce(calls: readonly LiveCall[]): Promise<void>;
  /** Makes the results of calls durable. Only when it has resolved may the queue forget them. */
  record(ends: readonly CallEnd[]): Promise<void>;
  /** No call can succeed now, for example because the key is refused, or the books cannot be kept. The queue has stopped by itself. */
  halt(error: AppError): void;
}

/** What a queue is currently doing. */
export interface QueueView {
  /** Calls that have left and are not answered. */
  readonly inFlight: number;
  /** How long the oldest of them has been in flight; null without any, absent if the queue does not know. */
  readonly oldestMs?: number | null;
  /** Calls in the queue that have not left. */
  readonly waiting: number;
  /** How many may be in flight at once, as learned so far. */
  readonly concurrency: number;
  /** What calls wait for besides limits, in words; absent if the queue does not know. */
  readonly waits?: readonly string[];
  /** The rate of calls; absent if the queue does not know. */
  readonly pace?: PaceView;
}

/** The rate of calls, and what holds them up. */
export interface PaceView extends MeterView, ThrottleView {
  /** What most calls that have not left wait for; null if none waits. */
  readonly waitingFor: WaitingFor | null;
}

/**
 * The one port of the live lane: calls go in, ends come out. In between are the provider's limits and the calls themselves, in this
 * process or in others. Each added call has exactly one end that is not `refused`, unless the process dies.
 */
export interface CallQueue {
  /** Whether other processes make the calls, which then continue when this one ends. */
  readonly isShared?: boolean;
  /** Starts work. @returns custom ids of calls already in the queue, handed over by an earlier process */
  attach(owner: CallOwner): Promise<readonly string[]>;
  /** Takes a call. Resolves when there is room for the next one, so that memory use does not depend on the number of rows. Never after `stop`. */
  add(call: LiveCall): Promise<void>;
  /** Sends nothing more and gives back what has not left; calls in flight end. May be called twice. */
  stop(): void;
  /** Resolves once every call has its end; only useful after `stop`, or when no more are added. */
  drain(): Promise<void>;
  /**
   * Leaves late ends where they are, for the next process that attaches, or collects them again. Resolves when none is being handed to the owner.
   * Absent if none can come late.
   */
  holdEnds?(isHeld: boolean): Promise<void>;
  readonly view: QueueView;
  /** Frees connections. Calls without an end stay announced. */
  close(): Promise<void>;
}
