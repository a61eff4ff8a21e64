import { parseDuration } from '../../openai/retry-after.ts';
import { LEAST_BURST_SECONDS, MOST_TOLD_BURST_SECONDS, TOLD_BURST_SHARE } from './throttle-rules.ts';

/** The provider's limits in the headers of a response (openai-contract section 9, seen 2026-11); null if it sends nothing usable. */
export interface AdvertisedLimits {
  readonly requestsPerMinute: number | null;
  readonly tokensPerMinute: number | null;
  readonly remainingRequests: number | null;
  readonly remainingTokens: number | null;
  /** Until the limit is completely free again: an upper bound of any wait. */
  readonly resetRequestsMs: number | null;
  readonly resetTokensMs: number | null;
  /** The burst, derived from what is left and when it is full again, in seconds of the limit; in steps of a quarter. */
  readonly requestBurstSeconds: number | null;
  readonly tokenBurstSeconds: number | null;
}

/**
 * Reads `x-ratelimit-*`, also in Azure's spelling `x-rate-limit-*`. Limits of -1, 0 or garbage are unknown (Azure sends -1/-1/0), and so is
 * the remainder of an unknown limit.
 */
export function readAdvertisedLimits(headers: Headers): AdvertisedLimits {
  const read = (name: string) => headers.get(`x-ratelimit-${name}`) ?? headers.get(`x-rate-limit-${name}`);
  const readLimit = (of: 'requests' | 'tokens'): ToldLimit => {
    const perMinute = readCount(read(`limit-${of}`), 1);
    const remaining = perMinute === null ? null : readCount(read(`remaining-${of}`), 0);
    return { perMinute, remaining, resetMs: parseDuration(read(`reset-${of}`) ?? '') };
  };
  const requests = readLimit('requests');
  const tokens = readLimit('tokens');
  return {
    requestsPerMinute: requests.perMinute,
    tokensPerMinute: tokens.perMinute,
    remainingRequests: requests.remaining,
    remainingTokens: tokens.remaining,
    resetRequestsMs: requests.resetMs,
    resetTokensMs: tokens.resetMs,
    requestBurstSeconds: tellBurst(requests),
    tokenBurstSeconds: tellBurst(tokens),
  };
}

interface ToldLimit {
  readonly perMinute: number | null;
  readonly remaining: number | null;
  readonly resetMs: number | null;
}

/** What is left, plus what refills until it is full again, is the provider's burst. */
function tellBurst({ perMinute, remaining, resetMs }: ToldLimit): number | null {
  if (perMinute === null || remaining === null || resetMs === null) return null;
  const seconds = ((remaining / perMinute) * 60 + resetMs / 1000) * TOLD_BURST_SHARE;
  return Math.min(MOST_TOLD_BURST_SECONDS, Math.max(LEAST_BURST_SECONDS, Math.floor(seconds * 4) / 4));
}

function readCount(text: string | null, least: number): number | null {
  if (text === null || !/^\d+(\.\d+)?$/.test(text.trim())) return null;
  const count = Math.floor(Number(text));
  return count >= least && Number.isSafeInteger(count) ? count : null;
}
