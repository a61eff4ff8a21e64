import type { AnomalyCosts, Summary } from '../../core/summary.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import type { Books } from '../open/books.ts';

export interface AnomalyCostsOptions {
  readonly ledger: Ledger;
  readonly books: Books;
  readonly run: string;
  readonly signal: AbortSignal;
}

/** What lines cost that are not separate answers. Foreign ones are read again: they are rare, and in no books. */
export async function readAnomalyCosts({ ledger, books, run, signal }: AnomalyCostsOptions): Promise<Pick<Summary, 'anomalyCosts'>> {
  const anomalies = ledger.anomaliesOfRun(run);
  const costs: { -readonly [Kind in keyof AnomalyCosts]: AnomalyCosts[Kind] } = {};
  const { nanoUsd, unpriced } = books.conflictsOf(run);
  if ((anomalies.get('conflict') ?? 0) > 0) costs.conflict = unpriced > 0 ? null : nanoUsd;
  if ((anomalies.get('foreign') ?? 0) > 0) costs.foreign = await sumForeign({ ledger, books, run, signal });
  return Object.keys(costs).length === 0 ? {} : { anomalyCosts: costs };
}

async function sumForeign({ ledger, books, run, signal }: AnomalyCostsOptions): Promise<number | null> {
  let nanoUsd: number | null = 0;
  for await (const line of ledger.readForeignLines(run, signal)) {
    const cost = books.costOf(line);
    nanoUsd = cost === null || nanoUsd === null ? null : nanoUsd + cost;
  }
  return nanoUsd;
}
