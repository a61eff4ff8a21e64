/** How many calls may be in flight at once: learned by additive increase and multiplicative decrease. */
export interface Concurrency {
  /** At least 1. */
  readonly limit: number;
  /** A call was answered, while so many (itself included) were in flight. */
  onAnswer(inFlight: number): void;
  /** A call that left at that instant met a refusal or no answer: too many are on their way. */
  onCongestion(leftAtMs: number): void;
}

export interface ConcurrencyOptions {
  readonly ceiling: number;
  readonly monotonicMs: () => number;
}

const FIRST = 16;
const DECREASE = 0.6;

/**
 * Before the first congestion every answer allows one call more, so that a fast account is used within a few round trips; after it, one more
 * per round trip. One congestion counts once per round trip: what left before the limit was lowered says nothing about the lower limit.
 */
export function createConcurrency({ ceiling, monotonicMs }: ConcurrencyOptions): Concurrency {
  let limit = Math.min(FIRST, ceiling);
  let loweredAtMs: number | null = null;
  return {
    get limit() {
      return Math.max(1, Math.floor(limit));
    },
    onAnswer(inFlight) {
      // What is not used cannot be known to be good.
      if (inFlight < Math.floor(limit)) return;
      limit = Math.min(ceiling, limit + (loweredAtMs === null ? 1 : 1 / limit));
    },
    onCongestion(leftAtMs) {
      if (loweredAtMs !== null && leftAtMs <= loweredAtMs) return;
      loweredAtMs = monotonicMs();
      limit = Math.max(1, limit * DECREASE);
    },
  };
}
