import type { WireObject } from '../../core/answer/completion.ts';
import { UsageError } from '../../core/errors.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import type { PreparedJob } from '../../run/open/prepared-job.ts';
import { createRowKeys } from '../../run/open/row-keys.ts';
import { hashContent } from './hash-content.ts';
import type { ForeignRequests } from './read-requests.ts';

/** The requests of a table's rows, by content. */
export interface RowIndex {
  /** Wire ids of the requests with this content: one, or one per row if equal rows are not collapsed. */
  readonly customIds: ReadonlyMap<string, readonly string[]>;
  /** The request of the first row that can be sent; null if there is none. */
  readonly first: { readonly url: string; readonly body: WireObject } | null;
}

/** Renders every row. */
export async function indexRows({ table, compiled }: PreparedJob, ledger: Ledger, signal: AbortSignal): Promise<RowIndex> {
  const customIds = new Map<string, string[]>();
  let first: RowIndex['first'] = null;
  const keyRow = createRowKeys(ledger.keys, { compiled, addsKeys: true, isAnswered: () => false });
  for await (const rows of table.readRows(signal)) {
    for (const row of rows) {
      const keyed = keyRow(row);
      if (keyed.status === 'skipped' || keyed.request === null || keyed.isDuplicate) continue;
      const { url, customId } = keyed.request;
      const body = JSON.parse(keyed.request.body) as WireObject;
      const content = hashContent(url, body);
      const known = customIds.get(content);
      if (known === undefined) customIds.set(content, [customId]);
      else known.push(customId);
      first ??= { url, body };
    }
  }
  return { customIds, first };
}

/**
 * @throws UsageError if no row matches the batch: nothing in it would be of use; names the fields in which the first requests of both
 * differ
 */
export function requireMatch(batch: string, { contents, first: theirs }: ForeignRequests, { customIds, first: ours }: RowIndex): void {
  if ([...contents.values()].some((content) => content !== null && customIds.has(content))) return;
  const why = ours === null ? 'no row of the table can be sent' : describeDifference(theirs, ours);
  throw new UsageError(`${batch}: no row of the table makes a request of this batch: ${why}. Nothing was imported`, { code: 'no_match' });
}

function describeDifference(theirs: NonNullable<RowIndex['first']>, ours: NonNullable<RowIndex['first']>): string {
  if (theirs.url !== ours.url) return `it asked ${theirs.url}, the job asks ${ours.url}`;
  const names = [...new Set([...Object.keys(theirs.body), ...Object.keys(ours.body)])];
  const differing = names.filter((name) => JSON.stringify(theirs.body[name]) !== JSON.stringify(ours.body[name]));
  const describe = (name: string) =>
    !(name in ours.body) ? `${name} (not in the job)` : !(name in theirs.body) ? `${name} (not in the batch)` : name;
  return `the first request of each differs in ${differing.map(describe).join(', ') || 'the order of its fields'}`;
}
