import type { SimulatorClock } from './clock.ts';
import { WireError } from './wire-error.ts';

/** The limits of live calls. Absent numbers mean no limit, and then no header either. */
export interface RateLimitOptions {
  readonly requestsPerMinute?: number | undefined;
  readonly tokensPerMinute?: number | undefined;
  /**
   * `actual` (default): a call is charged its prompt when admitted and its answer when it ends. `reserved`: it is charged its prompt and the
   * larger of its output cap and its estimate when admitted, and nothing is returned.
   */
  readonly accounting?: 'actual' | 'reserved' | undefined;
  /** How many seconds of a minute's limit may be used at once; 60 (default) is the whole. */
  readonly burstSeconds?: number | undefined;
  /** Which waiting times a 429 gives besides its text; `both` by default. */
  readonly retryAfter?: 'both' | 'ms' | 'seconds' | 'date' | 'none' | undefined;
}

/** The load of one live call on the limits. */
export interface RateRequest {
  readonly model: string;
  readonly promptTokens: number;
  /** The output cap times the number of choices; undefined without a cap. */
  readonly capTokens: number | undefined;
}

/** The limits of one simulator: per model, requests and tokens. */
export interface RateLimiter {
  /** Admits a call and returns the headers of its response. Throws WireError 429; a refused call still counts as a request. */
  admit(request: RateRequest): Readonly<Record<string, string>>;
  /** Charges the usage of an admitted call's answer. */
  settle(model: string, completionTokens: number): void;
}

/** The output assumed by `reserved` accounting without a cap. */
const ASSUMED_OUTPUT_TOKENS = 16;

/** A bucket that fills steadily. `level` may be negative after an answer exceeded what was left. */
interface Bucket {
  readonly perMinute: number;
  readonly capacity: number;
  level: number;
  atMs: number;
}

interface Buckets {
  readonly requests: Bucket | undefined;
  readonly tokens: Bucket | undefined;
}

/** Makes the limits; time comes from the simulator's clock. */
export function createRateLimiter(options: RateLimitOptions, clock: SimulatorClock): RateLimiter {
  const perModel = new Map<string, Buckets>();

  function makeBucket(perMinute: number | undefined): Bucket | undefined {
    if (perMinute === undefined) return undefined;
    const capacity = Math.max(1, (perMinute * (options.burstSeconds ?? 60)) / 60);
    return { perMinute, capacity, level: capacity, atMs: clock.now() };
  }

  function refill(bucket: Bucket | undefined): void {
    if (bucket === undefined) return;
    const nowMs = clock.now();
    bucket.level = Math.min(bucket.capacity, bucket.level + ((nowMs - bucket.atMs) * bucket.perMinute) / 60_000);
    bucket.atMs = nowMs;
  }

  function bucketsOf(model: string): Buckets {
    const buckets = perModel.get(model) ?? { requests: makeBucket(options.requestsPerMinute), tokens: makeBucket(options.tokensPerMinute) };
    perModel.set(model, buckets);
    refill(buckets.requests);
    refill(buckets.tokens);
    return buckets;
  }

  return {
    admit({ model, promptTokens, capTokens }) {
      const { requests, tokens } = bucketsOf(model);
      const reserved = options.accounting === 'reserved' ? Math.max(capTokens ?? 0, ASSUMED_OUTPUT_TOKENS) : 0;
      const wanted = promptTokens + reserved;
      if (tokens !== undefined && wanted > tokens.perMinute) throw tooLarge(model, tokens, wanted);
      const waitMs = Math.max(waitFor(requests, 1), waitFor(tokens, Math.min(wanted, tokens?.capacity ?? 0)));
      const isRequestBound = waitFor(requests, 1) > 0;
      // A refused call counts as a request too, but cannot push the bucket below empty.
      if (requests !== undefined) requests.level = Math.max(0, requests.level - 1);
      if (waitMs > 0)
        throw tooFast(
          { model, bucket: isRequestBound ? requests : tokens, wanted, waitMs, isRequestBound },
          renderHeaders(requests, tokens),
        );
      if (tokens !== undefined) tokens.level -= wanted;
      return renderHeaders(requests, tokens);
    },
    settle(model, completionTokens) {
      const { tokens } = bucketsOf(model);
      if (tokens !== undefined && options.accounting !== 'reserved') tokens.level -= completionTokens;
    },
  };

  function tooFast(
    refusal: {
      readonly model: string;
      readonly bucket: Bucket | undefined;
      readonly wanted: number;
      readonly waitMs: number;
      readonly isRequestBound: boolean;
    },
    headers: Readonly<Record<string, string>>,
  ): WireError {
    const { model, bucket, wanted, waitMs, isRequestBound } = refusal;
    const limit = bucket?.perMinute ?? 0;
    const used = Math.ceil(limit - Math.max(0, (bucket?.level ?? 0) * (limit / (bucket?.capacity ?? 1))));
    const kind = isRequestBound ? 'requests per min (RPM)' : 'tokens per min (TPM)';
    const message = `Rate limit reached for ${model} in organization org-simulated on ${kind}: Limit ${limit}, Used ${used}, Requested ${isRequestBound ? 1 : wanted}. Please try again in ${formatDuration(waitMs)}. Visit https://platform.openai.com/account/rate-limits to learn more.`;
    return new WireError(429, {
      message,
      type: isRequestBound ? 'requests' : 'tokens',
      code: 'rate_limit_exceeded',
      headers: { ...headers, ...renderRetryAfter(waitMs) },
    });
  }

  function renderRetryAfter(waitMs: number): Readonly<Record<string, string>> {
    const milliseconds = { 'retry-after-ms': String(Math.ceil(waitMs)) };
    const seconds = { 'retry-after': String(Math.ceil(waitMs / 1000)) };
    switch (options.retryAfter ?? 'both') {
      case 'both':
        return { ...milliseconds, ...seconds };
      case 'ms':
        return milliseconds;
      case 'seconds':
        return seconds;
      case 'date':
        return { 'retry-after': new Date(clock.now() + waitMs + 999).toUTCString() };
      default:
        return {};
    }
  }
}

function tooLarge(model: string, { perMinute }: Bucket, wanted: number): WireError {
  const message = `Request too large for ${model} in organization org-simulated on tokens per min (TPM): Limit ${perMinute}, Requested ${wanted}. The input or output tokens must be reduced in order to run successfully. Visit https://platform.openai.com/account/rate-limits to learn more.`;
  return new WireError(429, { message, type: 'tokens', code: 'rate_limit_exceeded' });
}

/** Milliseconds until the bucket holds this much. */
function waitFor(bucket: Bucket | undefined, amount: number): number {
  if (bucket === undefined || bucket.level >= amount) return 0;
  return ((amount - bucket.level) * 60_000) / bucket.perMinute;
}

function renderHeaders(requests: Bucket | undefined, tokens: Bucket | undefined): Readonly<Record<string, string>> {
  return { ...renderBucket('requests', requests), ...renderBucket('tokens', tokens) };
}

function renderBucket(kind: 'requests' | 'tokens', bucket: Bucket | undefined): Readonly<Record<string, string>> {
  if (bucket === undefined) return {};
  return {
    [`x-ratelimit-limit-${kind}`]: String(bucket.perMinute),
    [`x-ratelimit-remaining-${kind}`]: String(Math.max(0, Math.floor(bucket.level))),
    [`x-ratelimit-reset-${kind}`]: formatDuration(waitFor(bucket, bucket.capacity)),
  };
}

/** A duration in the API's format: 17ms, 8.64s, 6m0s, 1h0m30s. */
export function formatDuration(durationMs: number): string {
  const milliseconds = Math.ceil(durationMs);
  if (milliseconds < 1000) return `${milliseconds}ms`;
  const seconds = (milliseconds % 60_000) / 1000;
  const minutes = Math.floor(milliseconds / 60_000) % 60;
  const hours = Math.floor(milliseconds / 3_600_000);
  return `${hours > 0 ? `${hours}h` : ''}${hours > 0 || minutes > 0 ? `${minutes}m` : ''}${seconds}s`;
}
