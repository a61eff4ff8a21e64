import type { JobLimits } from '../../core/job.ts';
import { listAccountLimits } from '../../money/account-limits.ts';

/** The minimum duration of the work under one set of limits. Null: the limit is unknown. */
export interface TimeUnderLimits {
  /** The usage tier whose defaults these are; null: the job's own limits, or learned ones. */
  readonly tier: number | null;
  readonly requestsPerMinute: number | null;
  readonly tokensPerMinute: number | null;
  readonly enqueuedTokens: number | null;
  readonly live: { readonly minutes: number; readonly boundBy: 'requests' | 'tokens' } | null;
  /** How often the enqueued-token limit fills up: each round usually takes an hour or a few, and 24 h at most. */
  readonly batch: { readonly rounds: number; readonly atMostHours: number } | null;
}

/** The load of one model: limits are per model. */
export interface TimedWork {
  readonly model: string;
  readonly requests: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
}

/** The API's completion window. */
const BATCH_HOURS = 24;

/**
 * Under the job’s own limits, if it has any, and under the defaults of every usage tier. Several models work at the same time: the slowest
 * counts.
 */
export function timeWork(works: readonly TimedWork[], limitsOf: (model: string) => JobLimits): readonly TimeUnderLimits[] {
  const [first = [], ...others] = works.filter(({ requests }) => requests > 0).map((work) => timeModel(work, limitsOf(work.model)));
  return first.flatMap((time) => {
    const same = others.map((times) => times.find(({ tier }) => tier === time.tier));
    // The limits of one of them are unknown.
    if (same.includes(undefined)) return [];
    return [(same as readonly TimeUnderLimits[]).reduce(chooseSlower, time)];
  });
}

function timeModel(work: TimedWork, limits: JobLimits): readonly TimeUnderLimits[] {
  const { requestsPerMinute, tokensPerMinute, enqueuedTokens } = limits;
  const own = { tier: null, requestsPerMinute, tokensPerMinute, enqueuedTokens };
  const hasOwn = requestsPerMinute !== null || tokensPerMinute !== null || enqueuedTokens !== null;
  return [...(hasOwn ? [own] : []), ...listAccountLimits(work.model)].map((set) => ({
    ...set,
    live: timeLive(work, set),
    batch: timeBatch(work, set.enqueuedTokens),
  }));
}

function chooseSlower(a: TimeUnderLimits, b: TimeUnderLimits): TimeUnderLimits {
  const { tier, live, requestsPerMinute, tokensPerMinute } = (b.live?.minutes ?? 0) > (a.live?.minutes ?? 0) ? b : a;
  const { batch, enqueuedTokens } = (b.batch?.rounds ?? 0) > (a.batch?.rounds ?? 0) ? b : a;
  return { tier, requestsPerMinute, tokensPerMinute, enqueuedTokens, live, batch };
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
