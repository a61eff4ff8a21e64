import { parseCustomId } from '../../core/request.ts';
import type { CostOf, SettledRecord } from '../../core/settled.ts';
import type { Ledger } from '../../ledger/ledger.ts';

export interface OrphanedOptions {
  readonly ledger: Ledger;
  readonly costOf: CostOf;
  readonly run: string;
  /** Whether a row of the table asks for this key. */
  readonly hasRow: (key: string) => boolean;
}

/**
 * Cost of a run, in nano-dollars, that belongs to no row: calls whose row has left the table or asks differently now, extra batches, and the known part of rows whose whole
 * cost is unknown.
 */
export async function sumOrphaned(options: OrphanedOptions): Promise<number> {
  const { costOf } = options;
  const unknown = new Set<string>();
  let nanoUsd = 0;
  for await (const { record, rowKey } of readPlaced(options)) {
    const cost = costOf(record);
    if (rowKey === null) nanoUsd += cost ?? 0;
    else if (cost === null) unknown.add(rowKey);
  }
  if (unknown.size === 0) return nanoUsd;
  for await (const { record, rowKey } of readPlaced(options)) {
    if (rowKey !== null && unknown.has(rowKey)) nanoUsd += costOf(record) ?? 0;
  }
  return nanoUsd;
}

interface PlacedRecord {
  readonly record: SettledRecord;
  /** The key whose row it is booked on; null without one. */
  readonly rowKey: string | null;
}

async function* readPlaced({ ledger, run, hasRow }: OrphanedOptions): AsyncGenerator<PlacedRecord> {
  const files = new Map(ledger.files.map((file) => [file.name, file]));
  for await (const records of ledger.recordsOfRun(run)) {
    for (const record of records) {
      const file = files.get(record.location.file);
      const key = parseCustomId(record.customId)?.key;
      const counts = file !== undefined && !file.isExtra && file.generation === ledger.fold.generation;
      yield { record, rowKey: counts && key !== undefined && hasRow(key) ? key : null };
    }
  }
}
