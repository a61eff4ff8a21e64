import fs from 'node:fs';
import path from 'node:path';
import { priceCall, type Usage } from './prices.ts';

// biome-ignore lint/suspicious/noExplicitAny: events are read as they are on disk.
export type WireEvent = Readonly<Record<string, any>> & { readonly seq: number; readonly type: string };

/** One line of the provider's bill. */
export interface BillLine {
  readonly lane: 'batch' | 'live';
  readonly batchId: string | null;
  readonly customId: string | null;
  readonly model: string;
  readonly usage: Usage;
}

/** A stored line that answers a request of ours: one call. */
export interface StoredLine {
  readonly lane: 'batch' | 'live';
  readonly batchId: string | null;
  readonly customId: string;
  readonly id: string;
  /** The position of its file among all, in the order in which they were recorded. */
  readonly file: number;
  // biome-ignore lint/suspicious/noExplicitAny: read as the provider wrote it.
  readonly value: any;
}

/** Batch files count once they are recorded; a live file counts as it is, because its answers were paid. */
export function readStoredLines(state: string, events: readonly WireEvent[]): readonly StoredLine[] {
  const files = new Map<string, string | null>();
  for (const { type, file, batchId } of events) {
    if (type === 'response-recorded') files.set(file, batchId);
    if (type === 'live-recorded') files.set(file, null);
  }
  const folder = path.join(state, 'responses');
  const names = fs.existsSync(folder) ? fs.readdirSync(folder) : [];
  for (const name of names) if (name.startsWith('live-') && !files.has(name)) files.set(name, null);
  const lines = [...files].flatMap(([name, batchId], file) =>
    readLines(path.join(folder, name)).flatMap((text) => readLine(text, { batchId, file })),
  );
  // A repeated line is one call.
  return [...new Map(lines.map((line) => [`${line.batchId} ${line.customId} ${line.id}`, line])).values()];
}

/** The parts of our custom ids: the key, its occurrence, and the re-ask. */
const CUSTOM_ID = /^[A-Za-z0-9_-]{22}(-o\d+)?(-r\d+)?$/;

/** @returns nothing for a line that answers nobody; whether it was paid is checked against the bill */
function readLine(text: string, { batchId, file }: Pick<StoredLine, 'batchId' | 'file'>): readonly StoredLine[] {
  try {
    const value = JSON.parse(text);
    if (!CUSTOM_ID.test(value.custom_id)) return [];
    return [{ lane: batchId === null ? 'live' : 'batch', batchId, customId: value.custom_id, id: String(value.id ?? ''), file, value }];
  } catch {
    return [];
  }
}

/** Of several lines for a request the first counts: the one recorded first, of one file the one with the smallest id. */
export function compareLines(a: StoredLine, b: StoredLine): number {
  return a.file - b.file || (a.id < b.id ? -1 : 1);
}

/** Executed, whatever the answer is worth. */
export function isAnswer({ value }: StoredLine): boolean {
  return value.response?.status_code === 200 && typeof value.response.body === 'object' && value.response.body !== null;
}

/** Nothing without a usable usage, or for a model without a price. */
export function priceLine({ lane, value }: StoredLine): number {
  const { model, usage } = value.response.body;
  const isCount = (count: unknown) => typeof count === 'number' && Number.isInteger(count) && count >= 0;
  if (!isCount(usage?.prompt_tokens) || !isCount(usage?.completion_tokens)) return 0;
  return priceCall(lane, String(model), usage) ?? 0;
}

/** What calls cost, in nano-dollars. */
export function priceBill(bill: readonly BillLine[]): number {
  return bill.reduce((total, { lane, model, usage }) => total + (priceCall(lane, model, usage) ?? 0), 0);
}

/** Compares what was billed and what is stored, call by call. @returns calls that are billed and not stored, and in words those that are stored and not billed */
export function compareCalls(bill: readonly BillLine[], lines: readonly StoredLine[]) {
  const billed = countBy(bill, callOf);
  const stored = countBy(lines.filter(isAnswer), callOf);
  const lacking = [...billed].map(([call, count]) => Math.max(0, count - (stored.get(call) ?? 0)));
  const unbilled = [...stored].filter(([call, count]) => count > (billed.get(call) ?? 0));
  return {
    lacking: lacking.reduce((sum, count) => sum + count, 0),
    unbilled: unbilled.map(([call, count]) => `${call} is stored ${count} times and billed ${billed.get(call) ?? 0} times`),
  };
}

function callOf({ batchId, customId }: { readonly batchId: string | null; readonly customId: string | null }): string {
  return `${batchId ?? 'live'} ${customId}`;
}

export function countBy<T>(values: readonly T[], nameOf: (value: T) => string): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(nameOf(value), (counts.get(nameOf(value)) ?? 0) + 1);
  return counts;
}

/** The lines of a file that is there; none of one that is not. */
export function readLines(file: string): string[] {
  const text = fs.existsSync(file) ? fs.readFileSync(file, 'utf8').replace(/^\uFEFF/, '') : '';
  return text.split('\n').filter((line) => line.trim() !== '');
}

export function readJsonLines<T = unknown>(file: string): readonly T[] {
  return readLines(file).map((line) => JSON.parse(line) as T);
}
