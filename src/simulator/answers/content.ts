import { sha256 } from '../hash.ts';
import { isRecord, type WireBody } from './prompt.ts';

/** The delivery of a request, which changes its place and price, not its answer. */
const DELIVERY = ['service_tier', 'prompt_cache_options', 'prompt_cache_key', 'prompt_cache_retention'] as const;

/** Identifies what a request asks, however it is delivered: requests that ask the same are answered alike. @param bodySha256 of its exact bytes */
export function nameContent(body: WireBody, bodySha256: string): string {
  if (!DELIVERY.some((name) => body[name] !== undefined)) return bodySha256;
  const content = Object.fromEntries(Object.entries(body).filter(([name]) => !(DELIVERY as readonly string[]).includes(name)));
  return sha256(JSON.stringify(unmark(content)));
}

/** Messages whose text was split for a mark are joined again. */
function unmark(value: unknown): unknown {
  if (Array.isArray(value))
    return value.some(isMarked) ? value.map((part) => (isRecord(part) ? String(part.text) : '')).join('') : value.map(unmark);
  return isRecord(value) ? Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, unmark(inner)])) : value;
}

function isMarked(part: unknown): boolean {
  return isRecord(part) && part.prompt_cache_breakpoint !== undefined;
}
