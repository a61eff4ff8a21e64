import { createConcurrency } from '../../src/live/limits/concurrency.ts';
import { createThrottle, type Reservation, type ThrottleOptions } from '../../src/live/limits/throttle.ts';
import { LEARNING_HORIZON_MS } from '../../src/live/limits/throttle-rules.ts';
import { createRateLimiter, type RateLimitOptions } from '../../src/simulator/rate-limits.ts';

/** A table of calls over one account, by a throttle of ours and the simulator's own buckets, on a clock that jumps: no connection, no waiting. */
export interface AccountRun {
  readonly account: RateLimitOptions & { readonly requestsPerMinute: number; readonly tokensPerMinute: number };
  readonly throttle?: Partial<ThrottleOptions>;
  readonly calls: number;
  /** Calls in flight at most. */
  readonly ceiling?: number;
  readonly promptTokens: number;
  /** What answers use, and what is reserved for them. */
  readonly outputTokens: number;
  readonly capTokens: number | null;
  readonly latencyMs: number;
  /** Uniform in 0..1. */
  readonly random: () => number;
  /** What the provider's headers say in place of the truth; null leaves them out. */
  readonly tell?: (headers: Readonly<Record<string, string>>) => Readonly<Record<string, string>> | null;
}

export interface AccountUse {
  readonly answered: number;
  readonly refused: number;
  /** Share of the account's tokens that was used from the first call to the last answer. */
  readonly used: number;
  /** The most used in any minute, as a share of the limit: the larger of requests and tokens. */
  readonly fullestMinute: number;
  readonly seconds: number;
}

interface Point {
  readonly atMs: number;
  readonly tokens: number;
}

const MINUTE_MS = 60_000;

export function runAccount(run: AccountRun): AccountUse {
  let nowMs = 0;
  const { account, random } = run;
  const events: { readonly atMs: number; readonly act: () => void }[] = [];
  const monotonicMs = () => nowMs;
  const limiter = createRateLimiter(account, { now: monotonicMs } as Parameters<typeof createRateLimiter>[1]);
  const throttle = createThrottle({ requestsPerMinute: null, tokensPerMinute: null, monotonicMs, random, ...run.throttle });
  const concurrency = createConcurrency({ ceiling: run.ceiling ?? 64, monotonicMs });
  const points: Point[] = [];
  let waiting = run.calls;
  let inFlight = 0;
  let refused = 0;
  let firstMs = -1;
  let lastMs = 0;

  const later = (delayMs: number, act: () => void) => events.push({ atMs: nowMs + delayMs, act });
  const headersOf = (told: Readonly<Record<string, string>>) => {
    const said = run.tell === undefined ? told : run.tell(told);
    return said === null ? null : new Headers(said);
  };

  function begin(): void {
    while (waiting > 0 && inFlight < concurrency.limit) {
      waiting -= 1;
      inFlight += 1;
      reserve();
    }
  }

  function reserve(): void {
    const reservation = throttle.reserve({ promptTokens: run.promptTokens, capTokens: run.capTokens });
    later(reservation.isFarOff ? LEARNING_HORIZON_MS : reservation.waitMs, () => {
      if (reservation.isFarOff) return reserve();
      if (!throttle.isBlocked()) return leave(reservation);
      throttle.cancel(reservation);
      reserve();
    });
  }

  function leave(reservation: Reservation): void {
    const leftAtMs = nowMs;
    if (firstMs < 0) firstMs = nowMs;
    let headers: Headers | null;
    try {
      headers = headersOf(limiter.admit({ model: 'm', promptTokens: run.promptTokens, capTokens: run.capTokens ?? undefined }));
    } catch (error) {
      refuse(reservation, leftAtMs, error as { message: string; headers: Readonly<Record<string, string>> });
      return;
    }
    const outputTokens = Math.max(1, Math.round(run.outputTokens * (0.5 + random())));
    later(run.latencyMs * (0.5 + random()), () => {
      limiter.settle('m', outputTokens);
      points.push({ atMs: nowMs, tokens: run.promptTokens + outputTokens });
      const usage = { inputTokens: run.promptTokens, cachedInputTokens: 0, cacheWriteTokens: 0, outputTokens, reasoningTokens: 0 };
      throttle.correct(reservation, { usage, isBilled: true, headers });
      concurrency.onAnswer(inFlight);
      inFlight -= 1;
      lastMs = nowMs;
      begin();
    });
  }

  function refuse(
    reservation: Reservation,
    leftAtMs: number,
    { message, headers }: { message: string; headers: Readonly<Record<string, string>> },
  ) {
    refused += 1;
    const isAboutTokens = /\btokens\b/.test(message);
    const retryAfterMs = Number(headers['retry-after-ms'] ?? Number.NaN);
    throttle.refuse(reservation, {
      retryAfterMs: Number.isNaN(retryAfterMs) ? null : retryAfterMs,
      isAboutTokens,
      headers: headersOf(headers),
    });
    concurrency.onCongestion(leftAtMs);
    reserve();
  }

  begin();
  while (events.length > 0) {
    let soonest = 0;
    for (let index = 1; index < events.length; index += 1) if ((events[index]?.atMs ?? 0) < (events[soonest]?.atMs ?? 0)) soonest = index;
    const [event] = events.splice(soonest, 1);
    nowMs = Math.max(nowMs, event?.atMs ?? 0);
    event?.act();
  }
  const allTokens = points.reduce((sum, { tokens }) => sum + tokens, 0);
  return {
    answered: points.length,
    refused,
    used: allTokens / (((lastMs - firstMs) / MINUTE_MS) * account.tokensPerMinute),
    fullestMinute: Math.max(
      fullest(points, ({ tokens }) => tokens) / account.tokensPerMinute,
      fullest(points, () => 1) / account.requestsPerMinute,
    ),
    seconds: (lastMs - firstMs) / 1000,
  };
}

function fullest(points: readonly Point[], amountOf: (point: Point) => number): number {
  let [most, inWindow, oldest] = [0, 0, 0];
  for (const point of points) {
    inWindow += amountOf(point);
    for (let old = points[oldest]; old !== undefined && old.atMs <= point.atMs - MINUTE_MS; old = points[oldest]) {
      inWindow -= amountOf(old);
      oldest += 1;
    }
    most = Math.max(most, inWindow);
  }
  return most;
}
