import type { ListFault } from '../faults/fault-plan.ts';
import { hashDigits } from '../hash.ts';
import type { WireAnswer } from '../http-types.ts';

type Entry = Readonly<Record<string, unknown>>;

const ENDLESS_PAGE = 100;
/** Long before anything a client could look for. */
const OLD_SECONDS = 1_600_000_000;

/**
 * A page of the list of batches as sent by other servers (fixtures/world/batch-lists.json has the sources). `makePage` returns the page of the API
 * for a query.
 */
export async function distortList(
  kind: ListFault,
  query: URLSearchParams,
  makePage: (query: URLSearchParams) => Promise<WireAnswer>,
): Promise<WireAnswer> {
  const after = query.get('after');
  const isFirst = after === null || kind === 'same_page' || kind === 'endless';
  const answer = await makePage(isFirst ? withoutAfter(query) : query);
  if (answer.type !== 'json' || answer.status !== 200) return answer;
  const page = answer.body as { readonly data: readonly Entry[] };
  return { ...answer, body: distort(kind, page, after) };
}

function distort(kind: ListFault, page: { readonly data: readonly Entry[] }, after: string | null): unknown {
  const { data } = page;
  switch (kind) {
    case 'bare_array':
      return data;
    case 'null_data':
      return { ...page, data: data.length === 0 ? null : data };
    case 'no_created_at':
      return { ...page, data: data.map(({ created_at: _, ...rest }) => rest) };
    case 'no_metadata':
      return { ...page, data: data.map(({ metadata: _, ...rest }) => rest) };
    case 'empty':
      return { ...page, data: [], has_more: false };
    case 'same_page':
      return { ...page, has_more: true };
    case 'endless':
      return { ...page, data: [...(after === null ? data : []), ...makeStrangers(after ?? '')], has_more: true };
    default:
      return kind satisfies never;
  }
}

function withoutAfter(query: URLSearchParams): URLSearchParams {
  const first = new URLSearchParams(query);
  first.delete('after');
  return first;
}

/** Batches of other users, different ones after every id, and unordered. */
function makeStrangers(after: string): readonly Entry[] {
  return Array.from({ length: ENDLESS_PAGE }, (_, index) => ({
    id: `batch_${hashDigits('stranger', after, index)}`,
    object: 'batch',
    status: 'completed',
    input_file_id: 'file-of-somebody-else',
    created_at: OLD_SECONDS + ((index * 7919) % 1000),
    metadata: null,
  }));
}
