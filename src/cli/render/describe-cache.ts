import type { CacheChoice, CachePlan } from '../../money/prompt-cache.ts';
import { formatCount, formatDollars } from '../../output/format-numbers.ts';
import type { Plan } from '../../run/plan/plan-result.ts';

/** What a run writes to the prompt cache, what that saves, and what the other choices would cost; no line if writing costs nothing. */
export function describeCache({ promptCache }: Pick<Plan, 'promptCache'>): readonly string[] {
  const plan = promptCache?.lanes[promptCache.priced] ?? null;
  if (promptCache === null || plan === null || promptCache.requests === 0) return [];
  const { requests, beginningTokens, setting } = promptCache;
  const words: Readonly<Record<CacheChoice, string>> = {
    nothing: 'nothing is written',
    beginning: `the first ${formatCount(beginningTokens)} tokens are written once and read again`,
    provider: 'the provider decides what to write',
  };
  const count = `${formatCount(requests)} ${requests === 1 ? 'prompt is' : 'prompts are'} long enough to be written`;
  return [`${words[plan.choice]} (prompt_cache: ${setting}; ${count})`, ...describeOthers(plan)];
}

const NAMES: Readonly<Record<CacheChoice, string>> = {
  nothing: 'with nothing written',
  beginning: 'with the beginning written',
  provider: 'left to the provider',
};

function describeOthers({ choice, addsNanoUsd }: CachePlan): readonly string[] {
  const chosen = addsNanoUsd[choice] ?? 0;
  const others = (['nothing', 'beginning', 'provider'] as const).flatMap((other) => {
    const adds = addsNanoUsd[other];
    if (other === choice || adds === null) return [];
    const more = adds - chosen;
    const difference = more === 0 ? 'the same' : `${formatDollars(Math.abs(more))} ${more > 0 ? 'more' : 'less'}`;
    return [`${NAMES[other]} it would cost ${difference}`];
  });
  return others.length === 0 ? [] : [others.join('; ')];
}
