import { createHash } from 'node:crypto';
import { countImageTokens } from './images.ts';
import { isRecord, readImage, type WireBody } from './prompt.ts';
import { countTokens } from './tokens.ts';

/** A prefix of a prompt that may be cached: everything up to a mark, or to the end of the last message. */
interface Beginning {
  readonly digest: string;
  readonly tokens: number;
}

/** What a request read from the cache and what it wrote there; parts of its prompt tokens. */
export interface CacheUse {
  readonly cachedTokens: number;
  readonly cacheWriteTokens: number;
}

/** The prompt cache of gpt-5.6 and later. */
export interface PromptCache {
  /**
   * Processes one request. Prefixes match exactly at a mark, under the same key, once the request that wrote them was answered.
   * @param call `keeps` is false in a batch: what its lines write is not found by others
   */
  use(call: { readonly body: WireBody; readonly arrivedAtMs: number; readonly nowMs: number; readonly keeps: boolean }): CacheUse;
}

/** The shortest prefix that is cached, and for how long after its last use (OpenAI's guide to prompt caching, seen 2026-11-29). */
const LEAST_TOKENS = 1_024;
const KEPT_MS = 1_800_000;
/** One machine handles this many requests of a prefix and a key per minute; the next goes to another one, which has not seen it (cookbook, seen 2026-11-29). */
const REQUESTS_PER_MINUTE = 15;
const MINUTE_MS = 60_000;
/** The most marks one request writes. */
const MOST_MARKS = 4;

interface Entry {
  readonly fromMs: number;
  untilMs: number;
  readonly usedAtMs: number[];
}

export function createPromptCache(): PromptCache {
  const entries = new Map<string, Entry>();
  return {
    use({ body, arrivedAtMs, nowMs, keeps }) {
      const kept = readBeginnings(body).filter(({ tokens }) => tokens >= LEAST_TOKENS);
      const key = typeof body.prompt_cache_key === 'string' ? body.prompt_cache_key : null;
      const nameOf = ({ digest }: Beginning) => `${key}\n${digest}`;
      const find = (beginning: Beginning) => {
        const entry = key === null ? undefined : entries.get(nameOf(beginning));
        return entry !== undefined && entry.fromMs <= arrivedAtMs && entry.untilMs > nowMs && takePlace(entry, nowMs) ? entry : null;
      };
      const found = kept.findLast((beginning) => find(beginning) !== null);
      const written = kept.filter(({ tokens }) => tokens > (found?.tokens ?? 0));
      if (keeps) {
        for (const beginning of written) {
          const known = entries.get(nameOf(beginning));
          // A request sent to another machine does not affect the cache of the first.
          if (known === undefined || known.untilMs <= nowMs) {
            entries.set(nameOf(beginning), { fromMs: nowMs, untilMs: nowMs + KEPT_MS, usedAtMs: [arrivedAtMs] });
          }
        }
      }
      const cachedTokens = found?.tokens ?? 0;
      return { cachedTokens, cacheWriteTokens: (written.at(-1)?.tokens ?? cachedTokens) - cachedTokens };
    },
  };
}

function takePlace(entry: Entry, nowMs: number): boolean {
  while (entry.usedAtMs.length > 0 && (entry.usedAtMs[0] as number) <= nowMs - MINUTE_MS) entry.usedAtMs.shift();
  if (entry.usedAtMs.length >= REQUESTS_PER_MINUTE) return false;
  entry.usedAtMs.push(nowMs);
  entry.untilMs = nowMs + KEPT_MS;
  return true;
}

/** The prefixes marked by a request, shortest first: those it names, and its whole prompt unless it wants only those. */
function readBeginnings(body: WireBody): readonly Beginning[] {
  const isExplicit = isRecord(body.prompt_cache_options) && body.prompt_cache_options.mode === 'explicit';
  const hash = createHash('sha256').update(String(body.model));
  const marked: Beginning[] = [];
  let tokens = 3;
  const mark = () => marked.push({ digest: hash.copy().digest('hex'), tokens });
  const takeIn = (role: unknown, content: unknown) => {
    hash.update(`\n${String(role)}\n`);
    tokens += 4;
    for (const part of Array.isArray(content) ? content : [{ text: content }]) {
      if (!isRecord(part)) continue;
      const text = typeof part.text === 'string' ? part.text : '';
      const images = readImage(part);
      hash.update(text).update(images.map(({ url }) => url).join('\n'));
      tokens += countTokens(text) + images.reduce((sum, image) => sum + countImageTokens(String(body.model), image), 0);
      if (isRecord(part.prompt_cache_breakpoint)) mark();
    }
  };
  if (typeof body.instructions === 'string') takeIn('developer', body.instructions);
  const input = body.messages ?? body.input;
  for (const message of Array.isArray(input) ? input : [{ role: 'user', content: input }]) {
    if (isRecord(message)) takeIn(message.role, message.content);
  }
  if (isExplicit) return marked.slice(-MOST_MARKS);
  const named = marked.slice(1 - MOST_MARKS);
  mark();
  return [...named, marked.at(-1) as Beginning];
}
