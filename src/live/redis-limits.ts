/** The limits of one model and key as Redis holds them: how far one request and one token push the instant at which all is used up. */
export interface RedisLimits {
  /** 0 where no limit is known. */
  readonly microsecondsPerRequest: number;
  readonly burstRequests: number;
  readonly microsecondsPerToken: number;
  readonly burstTokens: number;
}

/** A little below what is advertised: corrections come after the calls, and may overshoot by the burst. */
const SHARE = 0.98;
/** What may leave at once after a quiet time, as a part of a minute. */
const BURST_SHARE = 0.05;
const MINUTE_MICROSECONDS = 60_000_000;

/** Limits per minute as the script reads them; null where there is none. */
export function makeRedisLimits(perMinute: { readonly requests: number | null; readonly tokens: number | null }): RedisLimits {
  const [requests, tokens] = [perMinute.requests, perMinute.tokens];
  return {
    microsecondsPerRequest: requests === null ? 0 : MINUTE_MICROSECONDS / (requests * SHARE),
    burstRequests: requests === null ? 0 : Math.max(1, Math.floor(requests * BURST_SHARE)),
    microsecondsPerToken: tokens === null ? 0 : MINUTE_MICROSECONDS / (tokens * SHARE),
    burstTokens: tokens === null ? 0 : Math.floor(tokens * BURST_SHARE),
  };
}
