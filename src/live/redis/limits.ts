import type { Redis } from 'ioredis';
import type { AdvertisedLimits } from '../limits/rate-headers.ts';
import type { TokenCharging } from '../limits/throttle.ts';
import { writeHash } from './presence-scripts.ts';

/** The job's limits for its model; null if it sets none. */
export interface SharedLimits {
  readonly requestsPerMinute: number | null;
  readonly tokensPerMinute: number | null;
  /** How the provider charges, if known. Over Redis `header` means: like `actual`, and never beyond what the headers report as left. */
  readonly tokenCharging?: TokenCharging;
}

/** Writes the job's limits for all workers; what they learned from headers and refusals stays. */
export async function writeJobLimits(redis: Redis, limitsKey: string, limits: SharedLimits): Promise<void> {
  const fields = { requestsPerMinute: limits.requestsPerMinute ?? '', tokensPerMinute: limits.tokensPerMinute ?? '' };
  const tokenCharging = limits.tokenCharging ?? (await redis.hget(limitsKey, 'tokenCharging')) ?? 'actual';
  await writeHash(redis, limitsKey, { ...fields, tokenCharging });
}

/** Writes what the provider's headers report, for all workers. */
export async function writeToldLimits(redis: Redis, limitsKey: string, told: AdvertisedLimits): Promise<void> {
  const fields = {
    toldRequests: told.requestsPerMinute,
    toldTokens: told.tokensPerMinute,
    requestBurst: told.requestBurstSeconds,
    tokenBurst: told.tokenBurstSeconds,
  };
  for (const [name, value] of Object.entries(fields)) if (value !== null) await redis.hset(limitsKey, name, value);
}
