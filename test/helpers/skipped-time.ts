import { setTimeout as delay } from 'node:timers/promises';

/**
 * Time that goes at its usual pace but skips sleeps: one of a minute ends after a moment and moves the clock on by that minute. What a machine takes
 * to compute is never stretched, so that a slow one does not run into the program's deadlines.
 */
export interface SkippedTime {
  readonly clock: () => Date;
  readonly monotonicMs: () => number;
  readonly sleep: (milliseconds: number, signal: AbortSignal) => Promise<void>;
  /** Moves the clock on at once. */
  readonly skip: (milliseconds: number) => void;
}

/** `speed`: how many times shorter a sleep is than it says; `startMs`: what the clock says now. */
export function createSkippedTime(speed: number, startMs = Date.now()): SkippedTime {
  const startedAt = performance.now();
  let skippedMs = 0;
  const monotonicMs = () => performance.now() - startedAt + skippedMs;
  return {
    clock: () => new Date(startMs + Math.floor(monotonicMs())),
    monotonicMs,
    async sleep(milliseconds, signal) {
      signal.throwIfAborted();
      const dueMs = monotonicMs() + milliseconds;
      await delay(milliseconds / speed, undefined, { signal }).catch(() => signal.throwIfAborted());
      skippedMs += Math.max(0, dueMs - monotonicMs());
    },
    skip(milliseconds) {
      skippedMs += milliseconds;
    },
  };
}
