import type { Job } from '../../core/job.ts';
import type { CachePlan, CacheWish } from '../../money/prompt-cache.ts';
import { CACHE_WISHES } from '../../money/prompt-cache.ts';
import type { LaneCaches, LaneCosts, Work } from './cost.ts';

/** What a run writes to the prompt cache of a model that charges for writes. */
export interface PlannedCache {
  readonly setting: CacheWish;
  /** Which price applies to the requests. */
  readonly priced: keyof LaneCosts;
  /** Prompts long enough to be written, and tokens of their shared prefix that can be cached separately (0: too short). */
  readonly requests: number;
  readonly beginningTokens: number;
  /** By price; null if the model is not sold so. */
  readonly lanes: LaneCaches;
  /** What the choice saves compared with the provider's default; negative: it costs more. */
  readonly savedNanoUsd: number;
}

/** The prompt cache setting of a job; null if it controls the cache itself, and for vectors. */
export function readCacheWish({ params, endpoint }: Job): CacheWish | null {
  if (endpoint === '/v1/embeddings' || steersItself(params)) return null;
  return CACHE_WISHES.find((wish) => wish === params.prompt_cache) ?? 'auto';
}

/** Cache options in `params.extra` are content. */
function steersItself({ extra }: Readonly<Record<string, unknown>>): boolean {
  return typeof extra === 'object' && extra !== null && Object.keys(extra).some((name) => name.startsWith('prompt_cache_'));
}

/** @returns null if writing costs nothing, or no prompt is long enough */
export function describeCache(job: Job, work: Work, lanes: LaneCaches, priced: keyof LaneCosts): PlannedCache | null {
  const setting = readCacheWish(job);
  const plan = lanes[priced];
  if (setting === null || plan === null) return null;
  const { requests } = work.writable;
  return { setting, priced, requests, beginningTokens: work.beginningTokens, lanes, savedNanoUsd: savedBy(plan) };
}

function savedBy({ choice, addsNanoUsd }: CachePlan): number {
  return addsNanoUsd.provider - (addsNanoUsd[choice] ?? 0);
}
