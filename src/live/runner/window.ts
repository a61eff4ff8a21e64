import type { LiveCall } from '../queue.ts';

/** At most this much is in Redis at once, whatever the size of the table. */
export interface WindowLimits {
  readonly calls: number;
  readonly bodyBytes: number;
}

export const WINDOW_LIMITS: WindowLimits = { calls: 10_000, bodyBytes: 64_000_000 };

/** The memory of a call in Redis besides its body: the fields of its job, and its answer until it is collected. */
const CALL_BYTES = 2_000;
/** The part of Redis's remaining memory that may be filled: the rest is for answers, for others, and for Redis itself. */
const SHARE_OF_ROOM = 0.25;

/** One call between `add` and its end. */
export interface HeldCall {
  readonly customId: string;
  /** Null if an earlier process handed it over. */
  readonly call: LiveCall | null;
  readonly bodyBytes: number;
  /** Its id in Redis; empty before its job is added, and another one after Redis has lost that. */
  callId: string;
  /** Whether Redis has confirmed the job. */
  isAdded: boolean;
}

/** The calls without an end, and the room that is left for more. */
export class CallWindow {
  readonly held = new Map<string, HeldCall>();
  /** Job ids being added to Redis, not confirmed yet. */
  readonly adding = new Set<string>();
  /** Ids of calls whose row was answered by an earlier one, but which may have been made as well. */
  readonly #strays = new Set<string>();
  readonly #limits: WindowLimits;
  #bodyBytes = 0;
  #fittingBytes = Number.POSITIVE_INFINITY;
  #waiting: (() => void)[] = [];
  #isClosed = false;

  constructor(limits: WindowLimits) {
    this.#limits = limits;
  }

  hold(call: HeldCall): void {
    this.held.set(call.customId, call);
    this.#bodyBytes += call.bodyBytes;
  }

  /** A call has its end. Its row may have been added again meanwhile, under the same id: that one stays. */
  release(call: HeldCall): void {
    if (this.held.get(call.customId) === call) this.held.delete(call.customId);
    this.#bodyBytes -= call.bodyBytes;
    this.#wake();
  }

  get strays(): readonly string[] {
    return [...this.#strays];
  }

  stray(callId: string): void {
    this.#strays.add(callId);
  }

  /** A stray has its end, or was never called. @returns whether it was one */
  endStray(callId: string): boolean {
    const wasStray = this.#strays.delete(callId);
    if (wasStray) this.#wake();
    return wasStray;
  }

  /** Holds no more than fits into the memory that Redis has left, in bytes; null if that has no limit. */
  fit(roomBytes: number | null): void {
    this.#fittingBytes = roomBytes === null ? Number.POSITIVE_INFINITY : this.#takenBytes + roomBytes * SHARE_OF_ROOM;
    this.#wake();
  }

  get #takenBytes(): number {
    return this.#bodyBytes + this.held.size * CALL_BYTES;
  }

  get #isFull(): boolean {
    if (this.held.size >= this.#limits.calls || this.#bodyBytes >= this.#limits.bodyBytes) return true;
    return this.held.size > 0 && this.#takenBytes >= this.#fittingBytes;
  }

  /** Resolves when another call may be held. */
  async waitForRoom(): Promise<void> {
    while (!this.#isClosed && this.#isFull) await this.#nextChange();
  }

  /** Resolves when nothing is held. */
  async waitUntilEmpty(): Promise<void> {
    while (!this.#isClosed && this.held.size + this.#strays.size > 0) await this.#nextChange();
  }

  /** Nobody handles the calls any more: waiting callers continue. */
  close(): void {
    this.#isClosed = true;
    this.#wake();
  }

  #nextChange(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
    });
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}
