import { parseDuration } from '../../openai/retry-after.ts';

/** What the provider says about its limits beside an answer (openai-contract section 9, seen 2026-11); null where it says nothing usable. */
export interface AdvertisedLimits {
  readonly requestsPerMinute: number | null;
  readonly tokensPerMinute: number | null;
  readonly remainingRequests: number | null;
  readonly remainingTokens: number | null;
  /** Until the limit is wholly free again: an upper bound of any wait. */
  readonly resetRequestsMs: number | null;
  readonly resetTokensMs: number | null;
}

/**
 * Reads `x-ratelimit-*`, in Azure's spelling `x-rate-limit-*` too. Limits of -1, 0 or garbage are unknown (Azure sends -1/-1/0), and what is
 * said to remain of an unknown limit is unknown as well.
 */
export function readAdvertisedLimits(headers: Headers): AdvertisedLimits {
  const read = (name: string) => headers.get(`x-ratelimit-${name}`) ?? headers.get(`x-rate-limit-${name}`);
  const requestsPerMinute = readCount(read('limit-requests'), 1);
  const tokensPerMinute = readCount(read('limit-tokens'), 1);
  return {
    requestsPerMinute,
    tokensPerMinute,
    remainingRequests: requestsPerMinute === null ? null : readCount(read('remaining-requests'), 0),
    remainingTokens: tokensPerMinute === null ? null : readCount(read('remaining-tokens'), 0),
    resetRequestsMs: parseDuration(read('reset-requests') ?? ''),
    resetTokensMs: parseDuration(read('reset-tokens') ?? ''),
  };
}

function readCount(text: string | null, least: number): number | null {
  if (text === null || !/^\d+(\.\d+)?$/.test(text.trim())) return null;
  const count = Math.floor(Number(text));
  return count >= least && Number.isSafeInteger(count) ? count : null;
}
