import type { Rates } from './rates.ts';

/** The prompt cache setting of a job. */
export const CACHE_WISHES = ['auto', 'explicit', 'provider'] as const;

export type CacheWish = (typeof CACHE_WISHES)[number];

/** What may be written: nothing; the constant prefix of the prompts, to be read by later ones; or what the provider chooses, everything. */
export type CacheChoice = 'nothing' | 'beginning' | 'provider';

/** Shorter prompts are never written (OpenAI’s guide to prompt caching, seen 2026-11-29). */
export const CACHED_FROM_TOKENS = 1024;

/** About fifteen requests a minute can use one key; each key is written separately (cookbook, seen 2026-11-29). */
const REQUESTS_PER_KEY = 14;

/** Requests as far as the cache is concerned. */
export interface CacheWork {
  /** Prompts that are long enough to be written. */
  readonly requests: number;
  /** Their tokens, all together. */
  readonly tokens: number;
  /** Tokens of their shared prefix, up to where it can be marked. */
  readonly beginningTokens: number;
}

/** The decision for a lane, and what each choice adds to the price of the same input without a cache; negative: saves. */
export interface CachePlan {
  readonly choice: CacheChoice;
  /** Integer nano-dollars; null if there is nothing to cache. */
  readonly addsNanoUsd: { readonly nothing: 0; readonly beginning: number | null; readonly provider: number };
}

/** Whether the API accepts cache settings, and charges for writes: gpt-5.6 and later (OpenAI’s guide and models.dev, seen 2026-11-29). */
export function takesCacheOptions(model: string): boolean {
  return /^(ft:)?gpt-(5\.[6-9]|[6-9]|daybreak)/i.test(model);
}

/**
 * Decides what is written. In live calls the prefix is written once per key and read by the others; within a batch no hits are
 * assumed, so every write there is wasted.
 */
export function planCache(
  wish: CacheWish,
  work: CacheWork,
  { rates, lane }: { readonly rates: Rates; readonly lane: 'batch' | 'live' },
): CachePlan {
  const { requests, tokens, beginningTokens } = work;
  const writeMore = rates.cacheWritePicoUsd - rates.inputPicoUsd;
  const readLess = rates.inputPicoUsd - rates.cachedInputPicoUsd;
  const writes = lane === 'batch' ? requests : Math.ceil(requests / REQUESTS_PER_KEY);
  const beginningPicoUsd = beginningTokens * (writes * writeMore - (requests - writes) * readLess);
  const addsNanoUsd = {
    nothing: 0,
    beginning: beginningTokens < CACHED_FROM_TOKENS ? null : Math.round(beginningPicoUsd / 1000),
    provider: Math.round((tokens * writeMore) / 1000),
  } as const;
  return { choice: chooseCache(wish, addsNanoUsd), addsNanoUsd };
}

/** Without a known price the job's setting decides. */
export function chooseCache(wish: CacheWish, adds: CachePlan['addsNanoUsd'] | null): CacheChoice {
  if (wish === 'provider' || (wish === 'auto' && adds === null)) return 'provider';
  if (wish === 'explicit') return adds?.beginning == null ? 'nothing' : 'beginning';
  return adds?.beginning != null && adds.beginning < 0 ? 'beginning' : 'nothing';
}

/** The prefix shared by all prompts, as in their bodies. */
export interface CacheBeginning {
  readonly text: string;
  readonly tokens: number;
}

/** A smaller part of the prefix than this is given up for the sake of a whole message. */
const ENOUGH_OF_IT = 0.9;
const NEXT_MESSAGE = '"},{"role":"';

/**
 * Where the constant prefix of all bodies can be marked: at the end of its last whole message, else between two words of the message it ends in.
 * An assistant's message is not marked.
 * @returns null if it is too short to be cached
 */
export function findCacheBeginning({ text, tokens }: CacheBeginning): CacheBeginning | null {
  const cutAt = (end: number): CacheBeginning | null => {
    const kept = text.length === 0 ? 0 : Math.round((tokens * end) / text.length);
    return end > 0 && kept >= CACHED_FROM_TOKENS ? { text: text.slice(0, end), tokens: kept } : null;
  };
  const whole = cutAt(findWholeMessage(text));
  const within = cutAt(findWordEnd(text));
  return whole !== null && (within === null || whole.tokens >= within.tokens * ENOUGH_OF_IT) ? whole : within;
}

const LAST_ROLE = /"role":"(\w+)","content":"(?=(?:[^"\\]|\\.)*$)/s;

/** The closing quote of the text of the last whole message that is not the assistant's; -1 without one. */
function findWholeMessage(text: string): number {
  for (let end = text.lastIndexOf(NEXT_MESSAGE); end > 0; end = text.lastIndexOf(NEXT_MESSAGE, end - 1)) {
    const role = LAST_ROLE.exec(text.slice(0, end))?.[1];
    if (role !== undefined && role !== 'assistant') return end;
  }
  return -1;
}

/** After the last line break, else before the last blank, of the message the text ends in; -1 if it ends elsewhere. */
function findWordEnd(text: string): number {
  const open = LAST_ROLE.exec(text);
  if (open === null || open[1] === 'assistant') return -1;
  const start = open.index + open[0].length;
  const lineBreak = text.lastIndexOf('\\n');
  const blank = text.lastIndexOf(' ');
  // An escaped backslash before an n is not a line break.
  const end = lineBreak >= start && text[lineBreak - 1] !== '\\' ? lineBreak + 2 : blank;
  return end > start ? end : -1;
}
