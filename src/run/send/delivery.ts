import { hash } from 'node:crypto';
import type { BatchCache } from '../../batch/cache-carrier.ts';
import type { Job } from '../../core/job.ts';
import type { Request } from '../../core/request.ts';
import { makeCacheOptionKey } from '../../ledger/events/fold.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import type { LiveDelivery } from '../../live/cache-slots.ts';
import { type CacheBeginning, type CacheChoice, chooseCache, takesCacheOptions } from '../../money/prompt-cache.ts';
import type { ModelTokens } from '../../money/tokens/model-tokens.ts';
import { readCacheWish } from '../plan/cache.ts';
import type { LaneCosts } from '../plan/cost.ts';
import type { Plan } from '../plan/plan-result.ts';

/** How a run's requests are delivered in either lane. */
export interface RunDelivery {
  /** Null leaves the prompt cache to the provider. */
  readonly batch: BatchCache | null;
  readonly live: LiveDelivery;
  /** Remembers that live calls do not accept the prompt cache settings. */
  readonly onUndelivered: () => Promise<void>;
}

export interface DeliveryParts {
  readonly job: Job;
  readonly plan: Plan;
  readonly tokens: Pick<ModelTokens, 'own'>;
  readonly ledger: Pick<Ledger, 'fold' | 'append'>;
  readonly warn: (message: string) => void;
}

/** Follows the decision of the plan. */
export function makeDelivery({ job, plan, tokens, ledger, warn }: DeliveryParts): RunDelivery {
  const { model } = job;
  const beginning = tokens.own.findCacheBeginning();
  const liveKey = makeCacheOptionKey('live', model);
  const keyPrefix = `rowmill-${hash('sha256', beginning?.text ?? '', 'base64url').slice(0, 12)}`;
  const calls = plan.promptCache?.requests ?? plan.rows.in;
  const liveChoice = readChoice(job, plan, job.mode === 'flex' ? 'flex' : 'live', beginning);
  const batchChoice = readChoice(job, plan, 'batch', beginning);
  const findEnd = (choice: CacheChoice) => (request: Request) => (choice === 'beginning' ? findEndIn(request, beginning) : null);
  const findLiveEnd = findEnd(liveChoice);
  const findBatchEnd = findEnd(batchChoice);
  let hasLearned = false;
  return {
    batch:
      batchChoice === 'provider'
        ? null
        : {
            insists: readCacheWish(job) === 'explicit',
            of(request) {
              const end = findBatchEnd(request);
              return { end, key: end === null ? null : keyPrefix };
            },
          },
    live: {
      serviceTier: job.mode === 'flex' ? 'flex' : null,
      cache: () =>
        liveChoice === 'provider' || ledger.fold.cacheOptions.get(liveKey) === false ? null : { findEnd: findLiveEnd, keyPrefix, calls },
    },
    async onUndelivered() {
      if (hasLearned) return;
      hasLearned = true;
      warn('this address does not take prompt_cache_options; nothing was billed for it, and calls go without it from now on');
      await ledger.append({ type: 'cache-option-learned', model, lane: 'live', isTaken: false });
    },
  };
}

function readChoice(job: Job, { promptCache }: Plan, name: keyof LaneCosts, beginning: CacheBeginning | null): CacheChoice {
  const planned = promptCache?.lanes[name] ?? null;
  if (planned !== null) return planned.choice;
  const wish = readCacheWish(job);
  if (wish !== 'explicit' || !takesCacheOptions(job.model)) return 'provider';
  // No price is known: the job decides.
  return chooseCache(wish, beginning === null ? null : { nothing: 0, beginning: 0, provider: 0 });
}

/** A request with another beginning than the others has nothing to share. */
function findEndIn({ body }: Request, beginning: CacheBeginning | null): number | null {
  return beginning !== null && body.startsWith(beginning.text) && body.length > beginning.text.length ? beginning.text.length : null;
}
