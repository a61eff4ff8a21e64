import { hash } from 'node:crypto';
import type { RowSelection, Table } from '../../core/row.ts';

/** A selection prepared for one table. */
export interface SelectedRows {
  readonly isAll: boolean;
  has(index: number): boolean;
  /** No row at or beyond this index is selected. */
  readonly end: number;
}

/** Resolves a selection. A sample is the same for the same seed and number of rows; it reads the table once to count them. */
export async function selectRows(selection: RowSelection, table: Table, signal: AbortSignal): Promise<SelectedRows> {
  switch (selection.type) {
    case 'all':
      return { isAll: true, has: () => true, end: Number.POSITIVE_INFINITY };
    case 'first':
      return { isAll: false, has: (index) => index < selection.rows, end: selection.rows };
    case 'sample': {
      const chosen = await chooseSample(selection, table, signal);
      return { isAll: false, has: (index) => chosen.has(index), end: Math.max(-1, ...chosen) + 1 };
    }
    default:
      return selection satisfies never;
  }
}

/** Keeps the rows with the smallest hashes, so that one pass in constant memory is enough. */
async function chooseSample(selection: { rows: number; seed: number }, table: Table, signal: AbortSignal): Promise<ReadonlySet<number>> {
  let kept: { index: number; rank: string }[] = [];
  for await (const rows of table.readRows(signal)) {
    for (const { index } of rows) kept.push({ index, rank: hash('sha256', `${selection.seed}\n${index}`) });
    if (kept.length > selection.rows * 2 + 10_000) kept = smallest(kept, selection.rows);
  }
  return new Set(smallest(kept, selection.rows).map(({ index }) => index));
}

function smallest(candidates: { index: number; rank: string }[], count: number) {
  return candidates.toSorted((a, b) => (a.rank < b.rank ? -1 : 1)).slice(0, count);
}
