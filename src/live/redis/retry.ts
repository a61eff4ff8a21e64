/** How a caller waits for Redis. */
export interface RetryOptions {
  readonly sleep: (milliseconds: number, signal: AbortSignal) => Promise<void>;
  /** Ends the wait; the promise rejects with its reason. */
  readonly signal: AbortSignal;
  /** Called for each failure; it may throw to give up. */
  readonly onFailure?: (error: unknown) => void;
}

const PAUSE_MS = 200;

/** Repeats an idempotent step until Redis has answered it. */
export async function retryUntilAnswered<T>(attempt: () => Promise<T>, patience: RetryOptions): Promise<T> {
  for (;;) {
    patience.signal.throwIfAborted();
    try {
      return await attempt();
    } catch (error) {
      patience.onFailure?.(error);
      await patience.sleep(PAUSE_MS, patience.signal);
    }
  }
}
