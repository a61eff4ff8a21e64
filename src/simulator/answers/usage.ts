import { hashFraction } from '../hash.ts';
import type { ModelRules } from '../model-rules.ts';
import { WireError } from '../wire-error.ts';
import type { Completion } from './completion.ts';
import type { PromptMessage } from './prompt.ts';
import type { CacheUse } from './prompt-cache.ts';
import { countTokens } from './tokens.ts';

/** What one request consumed. Cached and written tokens are part of the prompt's, reasoning tokens part of the completion's. */
export interface TokenCounts {
  readonly promptTokens: number;
  readonly cachedTokens: number;
  readonly cacheWriteTokens: number | undefined;
  readonly completionTokens: number;
  readonly reasoningTokens: number;
}

/** The shortest prefix the provider caches, and its step size. */
const CACHE_LEAST_TOKENS = 1_024;
const CACHE_STEP_TOKENS = 128;
/** One prompt in ten writes its prefix instead of reading it, by a draw, so that a repeated request reports the same usage. */
const CACHE_MISS_SHARE = 0.1;

/** Counts the prompt: 3 per message, its role and text, 3 for the reply. A schema or a tool adds nothing here. */
export function countPromptTokens(prompt: readonly PromptMessage[]): number {
  let tokens = 3;
  for (const message of prompt) tokens += countMessage(message);
  return tokens;
}

/** Counts a request and its answers. `useCache` is called for models that charge for cache writes; for others `drawSeed` decides. */
export function countUsage(
  prompt: readonly PromptMessage[],
  completions: readonly Completion[],
  rules: ModelRules,
  { drawSeed, useCache }: { readonly drawSeed: string; readonly useCache: () => CacheUse },
): TokenCounts {
  return {
    promptTokens: countPromptTokens(prompt),
    ...(rules.reportsCacheWrites ? useCache() : drawCacheUse(prompt, rules, drawSeed)),
    completionTokens: completions.reduce((sum, completion) => sum + completion.tokens, 0),
    reasoningTokens: completions.reduce((sum, completion) => sum + completion.reasoningTokens, 0),
  };
}

/** Before gpt-5.6 writes are free, and long constant prefixes are mostly found. */
function drawCacheUse(prompt: readonly PromptMessage[], rules: ModelRules, drawSeed: string) {
  const prefixTokens = rules.hasPromptCache ? cacheableTokens(prompt) : 0;
  return { cachedTokens: hashFraction(drawSeed, 'cache') < CACHE_MISS_SHARE ? 0 : prefixTokens, cacheWriteTokens: undefined };
}

/** Refuses a prompt longer than the model's context, in the API's words. */
export function checkContext(prompt: readonly PromptMessage[], rules: ModelRules, param: string): void {
  // A text has no more tokens than letters, times three for the rarest scripts: most prompts need no count.
  const letters = prompt.reduce((sum, { text, imageTokens }) => sum + text.length + imageTokens + 10, 0);
  if (letters * 3 < rules.contextTokens) return;
  const tokens = countPromptTokens(prompt);
  if (tokens <= rules.contextTokens) return;
  throw new WireError(400, {
    message: `This model's maximum context length is ${rules.contextTokens} tokens. However, your ${param} resulted in ${tokens} tokens. Please reduce the length of the ${param}.`,
    param,
    code: 'context_length_exceeded',
  });
}

/** The constant part of a prompt: every message but the last, in the provider's steps. */
function cacheableTokens(prompt: readonly PromptMessage[]): number {
  const earlier = prompt.slice(0, -1);
  if (earlier.reduce((sum, { text }) => sum + text.length, 0) < CACHE_LEAST_TOKENS) return 0;
  const tokens = earlier.reduce((sum, message) => sum + countMessage(message), 0);
  return tokens < CACHE_LEAST_TOKENS ? 0 : Math.floor(tokens / CACHE_STEP_TOKENS) * CACHE_STEP_TOKENS;
}

function countMessage({ text, imageTokens }: PromptMessage): number {
  return 4 + countTokens(text) + imageTokens;
}
