import { WireError } from './wire-error.ts';

/** How GET lists are paged: the page size, and the id after which the page starts. */
export interface PageRules {
  readonly defaultLimit: number;
  readonly mostLimit: number;
}

/** Cuts one page out of a list in its final order. Throws WireError 400 for an invalid limit or an unknown `after`. */
export function cutPage<T extends { readonly id: string }>(items: readonly T[], query: URLSearchParams, rules: PageRules) {
  const limit = readLimit(query.get('limit'), rules);
  const after = query.get('after');
  const start = after === null ? 0 : items.findIndex((item) => item.id === after) + 1;
  if (after !== null && start === 0) throw new WireError(400, { message: `No item found with id '${after}'.`, param: 'after' });
  const data = items.slice(start, start + limit);
  return { object: 'list', data, first_id: data[0]?.id ?? null, last_id: data.at(-1)?.id ?? null, has_more: start + limit < items.length };
}

function readLimit(text: string | null, { defaultLimit, mostLimit }: PageRules): number {
  if (text === null) return defaultLimit;
  const limit = Number(text);
  if (!Number.isInteger(limit)) {
    const message = `Invalid type for 'limit': expected an integer, but got '${text}' instead.`;
    throw new WireError(400, { message, param: 'limit', code: 'invalid_type' });
  }
  if (limit < 1) {
    const message = `Invalid 'limit': integer below minimum value. Expected a value >= 1, but got ${limit} instead.`;
    throw new WireError(400, { message, param: 'limit', code: 'integer_below_min_value' });
  }
  if (limit <= mostLimit) return limit;
  const message = `Invalid 'limit': integer above maximum value. Expected a value <= ${mostLimit}, but got ${limit} instead.`;
  throw new WireError(400, { message, param: 'limit', code: 'integer_above_max_value' });
}
