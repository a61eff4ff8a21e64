import { hash } from 'node:crypto';
import { isWireObject, type WireObject } from '../../core/answer/completion.ts';

/** Delivery settings, in the lines of any program: not part of what is asked. */
const DELIVERY: ReadonlySet<string> = new Set(['prompt_cache_key', 'prompt_cache_options', 'prompt_cache_retention', 'service_tier']);

/**
 * Identifies what a request asks, whatever program wrote it: the same for bodies that differ in spaces, escapes, the order of their fields or
 * delivery. Keys are derived from bytes; this finds the key of a body with other bytes.
 */
export function hashContent(url: string, body: WireObject): string {
  const content = Object.fromEntries(Object.entries(body).filter(([name]) => !DELIVERY.has(name)));
  return hash('sha256', `${url}\n${JSON.stringify(sortFields(content))}`, 'base64url');
}

function sortFields(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortFields);
  if (!isWireObject(value)) return value;
  // As entries: a field may be called __proto__.
  return Object.entries(value)
    .toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .map(([name, field]) => [name, sortFields(field)]);
}
