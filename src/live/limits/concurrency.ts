/** The number of calls in flight, learned by additive increase and multiplicative decrease. */
export interface Concurrency {
  /** At least 1. */
  readonly limit: number;
  /** A call was answered while this many (including itself) were in flight. */
  onAnswer(inFlight: number): void;
  /** A call that left at that instant was refused or not answered: too many are in flight. */
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
 * per round trip. Congestion counts once per round trip: calls sent before the limit was lowered say nothing about the lower limit.
 */
export function createConcurrency({ ceiling, monotonicMs }: ConcurrencyOptions): Concurrency {
  let limit = Math.min(FIRST, ceiling);
  let loweredAtMs: number | null = null;
  return {
    get limit() {
      return Math.max(1, Math.floor(limit));
    },
    onAnswer(inFlight) {
      // An unused level cannot be known to be good.
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
