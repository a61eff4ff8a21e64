import type { FinishedRow } from '../core/finished-row.ts';
import type { Summary } from '../core/summary.ts';
import { growUsage, NO_USAGE, type Usage, type UsageSum } from '../core/usage.ts';

/** What can be counted from the rows alone; attempts, orphaned calls and lifetime totals come from the ledger. */
export interface RowTotals {
  readonly rows: Summary['rows'];
  readonly causes: Summary['causes'];
  /** Rows whose answer was read after removing something around it. */
  readonly unwrapped: number;
  /** Ok rows whose answer was not marked as finished. */
  readonly unmarked: number;
  /** Over the rows' attempts in this run. */
  readonly usage: Usage;
  /** The sum of the table's `_cost_usd`; rows of unknown cost are in no sum. */
  readonly rowsNanoUsd: number;
  readonly failedRowsNanoUsd: number;
  readonly unpricedRows: number;
  /** Rows on which something was spent. */
  readonly paidRows: number;
  /** Requests of this run: those it has made, and those it still has to make. */
  readonly requests: number;
  /** Pending rows that are in no batch, and what they still take. */
  readonly unsent: { readonly rows: number; readonly requests: number };
  readonly batchSavedNanoUsd: number;
  readonly reuseSavedNanoUsd: number;
}

/** What a row would have cost otherwise, minus its real cost: 0 if nothing was saved or nothing is known. */
export interface Savings {
  /** Compared with the standard price of the live lane. */
  readonly batchNanoUsd: number;
  /** By an existing answer, from an earlier run or an equal row. */
  readonly reuseNanoUsd: number;
}

/** Folds finished rows, one by one, into their part of the summary. */
export interface SummaryCounter {
  add(row: FinishedRow): void;
  read(): RowTotals;
}

/** Creates a counter; `savingsOf` is asked once per row. */
export function createSummaryCounter(savingsOf: (row: FinishedRow) => Savings): SummaryCounter {
  const rows = { in: 0, ok: 0, failed: 0, skipped: 0, pending: 0, new: 0, reused: 0, duplicate: 0 };
  const causes: Record<string, number> = {};
  const totals = { rowsNanoUsd: 0, failedRowsNanoUsd: 0, unpricedRows: 0, paidRows: 0, batchSavedNanoUsd: 0, reuseSavedNanoUsd: 0 };
  const unsent = { rows: 0, requests: 0 };
  const usage: UsageSum = { ...NO_USAGE };
  let requests = 0;
  let unwrapped = 0;
  let unmarked = 0;
  return {
    add(row) {
      const { disposition, costNanoUsd } = row;
      rows.in++;
      rows[disposition.status]++;
      if (disposition.status === 'ok') rows[disposition.source]++;
      if (row.note !== undefined) unwrapped++;
      if (row.isUnmarked === true) unmarked++;
      if ('cause' in disposition) causes[disposition.cause] = (causes[disposition.cause] ?? 0) + 1;
      growUsage(usage, row.usage);
      if (costNanoUsd === null) totals.unpricedRows++;
      if (costNanoUsd !== null && costNanoUsd > 0) totals.paidRows++;
      const takesRequest = isOfThisRun(row) && row.isDuplicate !== true;
      if (takesRequest) requests++;
      if (row.isUnsent === true) unsent.rows++;
      if (row.isUnsent === true && takesRequest) unsent.requests++;
      totals.rowsNanoUsd += costNanoUsd ?? 0;
      if (disposition.status === 'failed') totals.failedRowsNanoUsd += costNanoUsd ?? 0;
      const savings = savingsOf(row);
      totals.batchSavedNanoUsd += savings.batchNanoUsd;
      totals.reuseSavedNanoUsd += savings.reuseNanoUsd;
    },
    read: () => ({
      ...{ rows: { ...rows }, causes: { ...causes }, unwrapped, unmarked, usage: { ...usage } },
      ...{ requests, unsent: { ...unsent }, ...totals },
    }),
  };
}

/** Whether the run has asked for it, or still will; a row that failed in an earlier run is not asked again. */
function isOfThisRun({ disposition, attempts }: FinishedRow): boolean {
  if (disposition.status === 'ok') return disposition.source === 'new';
  return disposition.status === 'pending' || (disposition.status === 'failed' && attempts > 0);
}
