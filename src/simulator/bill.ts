import { openAppendLog } from './append-log.ts';

/** One attempt that the provider charges for: every 200, whatever happened to its answer. */
export interface BillLine {
  /** When it was executed, ISO 8601. */
  readonly at: string;
  readonly lane: 'batch' | 'live';
  /** Null on a live call. */
  readonly batchId: string | null;
  /** For a live call from its X-Client-Request-Id header; null without one. */
  readonly customId: string | null;
  /** Of the exact bytes of the request's body. */
  readonly bodySha256: string;
  /** The snapshot that answered. */
  readonly model: string;
  /** `batch`, or the service tier of a live answer. */
  readonly tier: string;
  /** As on the wire of its endpoint, even if a fault hid it from the answer. */
  readonly usage: Readonly<Record<string, unknown>>;
}

/** What one batch was already billed for: by custom_id, the usage of each of its attempts. */
export type BilledRows = ReadonlyMap<string, readonly BillLine['usage'][]>;

/** The provider's own books: append-only, written before the billed answer can be seen. */
export interface Bill {
  readonly path: string;
  append(lines: readonly BillLine[]): void;
  read(): readonly BillLine[];
  /** What is on the bill for batches that a restart found unfinished. */
  readBilledRows(batchIds: ReadonlySet<string>): ReadonlyMap<string, BilledRows>;
  close(): void;
}

/** Opens a bill, cutting a partial last line: its answer cannot have been seen. */
export function openBill(path: string): Bill {
  const log = openAppendLog(path);
  return {
    path,
    append: (lines) => log.append(lines.map((line) => JSON.stringify(line))),
    read: () => [...log.lines()].map((line) => JSON.parse(line) as BillLine),
    readBilledRows(batchIds) {
      const billed = new Map<string, Map<string, BillLine['usage'][]>>();
      if (batchIds.size === 0) return billed;
      for (const text of log.lines()) {
        const line = JSON.parse(text) as BillLine;
        if (line.batchId === null || line.customId === null || !batchIds.has(line.batchId)) continue;
        const rows = billed.get(line.batchId) ?? new Map<string, BillLine['usage'][]>();
        billed.set(line.batchId, rows.set(line.customId, [...(rows.get(line.customId) ?? []), line.usage]));
      }
      return billed;
    },
    close: () => log.close(),
  };
}
