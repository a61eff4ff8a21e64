import type { JobLimits } from '../../core/job.ts';
import { listAccountLimits } from '../../money/account-limits.ts';

/** How long the work takes at least under one set of limits. Null: the limit is not known. */
export interface TimeUnderLimits {
  /** The usage tier whose defaults these are; null: the job's own limits, or those learned. */
  readonly tier: number | null;
  readonly requestsPerMinute: number | null;
  readonly tokensPerMinute: number | null;
  readonly enqueuedTokens: number | null;
  readonly live: { readonly minutes: number; readonly boundBy: 'requests' | 'tokens' } | null;
  /** How often the enqueued-token limit fills up: each round usually takes an hour or a few, and 24 h at most. */
  readonly batch: { readonly rounds: number; readonly atMostHours: number } | null;
}

export interface TimedWork {
  readonly requests: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
}

/** The API's completion window. */
const BATCH_HOURS = 24;

/** Under the job’s own limits, where it has any, and under the defaults of every usage tier. */
export function timeWork(model: string, work: TimedWork, limits: JobLimits): readonly TimeUnderLimits[] {
  if (work.requests === 0) return [];
  const { requestsPerMinute, tokensPerMinute, enqueuedTokens } = limits;
  const own = { tier: null, requestsPerMinute, tokensPerMinute, enqueuedTokens };
  const hasOwn = requestsPerMinute !== null || tokensPerMinute !== null || enqueuedTokens !== null;
  return [...(hasOwn ? [own] : []), ...listAccountLimits(model)].map((set) => ({
    ...set,
    live: timeLive(work, set),
    batch: timeBatch(work, set.enqueuedTokens),
  }));
}

type Limits = Pick<TimeUnderLimits, 'requestsPerMinute' | 'tokensPerMinute'>;

function timeLive({ requests, inputTokens, outputTokens }: TimedWork, limits: Limits): TimeUnderLimits['live'] {
  const byRequests = limits.requestsPerMinute === null ? 0 : requests / limits.requestsPerMinute;
  const byTokens = limits.tokensPerMinute === null ? 0 : (inputTokens + outputTokens) / limits.tokensPerMinute;
  if (byRequests === 0 && byTokens === 0) return null;
  return { minutes: Math.max(byRequests, byTokens), boundBy: byRequests > byTokens ? 'requests' : 'tokens' };
}

function timeBatch({ inputTokens }: TimedWork, enqueuedTokens: number | null): TimeUnderLimits['batch'] {
  if (enqueuedTokens === null) return null;
  const rounds = Math.max(1, Math.ceil(inputTokens / enqueuedTokens));
  return { rounds, atMostHours: rounds * BATCH_HOURS };
}
