import fs from 'node:fs';
import path from 'node:path';
import { type ReadTable, readTable } from './read-table.ts';

/** What is on the disk after a run, and the provider's bill: read with nothing but the formats of the files. */
export interface Evidence {
  readonly input: ReadTable;
  readonly table: ReadTable;
  readonly events: readonly WireEvent[];
  /** Stored answers, in the order in which their files were recorded. */
  readonly lines: readonly StoredLine[];
  readonly bill: readonly BillLine[];
  /** Batches at the provider with our metadata. */
  readonly batches: readonly { readonly id: string; readonly shard: string; readonly attempt: string }[];
  /** The key of each row of the run; null for rows without one. */
  readonly rowKeys: readonly (string | null)[];
  // biome-ignore lint/suspicious/noExplicitAny: read as it is on disk.
  readonly summary: any;
  /** Files below the folder, except the provider's. */
  readonly files: readonly string[];
}

// biome-ignore lint/suspicious/noExplicitAny: events are read as they are on disk.
export type WireEvent = Readonly<Record<string, any>> & { readonly seq: number; readonly type: string };

export interface StoredLine {
  readonly lane: 'batch' | 'live';
  readonly batchId: string | null;
  readonly customId: string;
  readonly id: string;
  // biome-ignore lint/suspicious/noExplicitAny: read as the provider wrote it.
  readonly value: any;
}

export interface BillLine {
  readonly lane: 'batch' | 'live';
  readonly batchId: string | null;
  readonly customId: string | null;
  readonly model: string;
  readonly usage: Usage;
}

export interface Usage {
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
}

/** Of the small job; others may use the same account. */
const MODEL = 'gpt-4o-mini';

/** The paths of all of it. */
export interface Places {
  readonly folder: string;
  readonly input: string;
  readonly table: string;
  readonly state: string;
  readonly provider: string;
}

/** @param summary what the last life printed; null if it printed none @throws if a file is incomplete */
export function readEvidence(places: Places, summary: unknown): Evidence {
  const events = readJsonLines(path.join(places.state, 'events.jsonl')) as WireEvent[];
  const run = events.findLast(({ type }) => type === 'run-started')?.run as string;
  const folder = path.join(places.state, 'runs', run);
  const kept = JSON.parse(fs.readFileSync(path.join(folder, 'summary.json'), 'utf8')).summary;
  const isOfRun = (summary as { attempts?: { total: number } } | null)?.attempts?.total;
  return {
    input: readTable(places.input),
    table: readTable(places.table),
    events,
    lines: readStoredLines(places.state, events),
    bill: (readJsonLines(path.join(places.provider, 'bill.jsonl')) as BillLine[]).filter(({ model }) => model.startsWith(MODEL)),
    batches: readBatches(path.join(places.provider, 'batches')),
    rowKeys: readLines(path.join(folder, 'rows')).map((line) => (line.split(' ')[1] === '-' ? null : (line.split(' ')[1] as string))),
    // If it ended before it was killed, the next life only reads it: what was spent is in the summary it stored.
    summary: isOfRun ? summary : kept,
    files: listFiles(places),
  };
}

function listFiles({ folder, provider }: Places): readonly string[] {
  return fs
    .readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => path.join(folder, name))
    .filter((file) => !file.startsWith(`${provider}/`) && fs.statSync(file).isFile());
}

/** Batch files count once they are recorded; a live file counts as it is, because its answers were paid. */
function readStoredLines(state: string, events: readonly WireEvent[]): readonly StoredLine[] {
  const files = new Map<string, string | null>();
  for (const { type, file, batchId } of events) {
    if (type === 'response-recorded') files.set(file, batchId);
    if (type === 'live-recorded') files.set(file, null);
  }
  const folder = path.join(state, 'responses');
  for (const name of fs.readdirSync(folder)) if (name.startsWith('live-') && !files.has(name)) files.set(name, null);
  const lines = [...files].flatMap(([name, batchId]) => readLines(path.join(folder, name)).flatMap((text) => readLine(text, batchId)));
  // A repeated line is one call.
  return [...new Map(lines.map((line) => [`${line.batchId} ${line.customId} ${line.id}`, line])).values()];
}

/** The parts of our custom ids: the key, its occurrence, and the re-ask. */
const CUSTOM_ID = /^[A-Za-z0-9_-]{22}(-o\d+)?(-r\d+)?$/;

/** @returns nothing for a line that answers nobody; whether it was paid is checked against the bill */
function readLine(text: string, batchId: string | null): readonly StoredLine[] {
  try {
    const value = JSON.parse(text);
    if (!CUSTOM_ID.test(value.custom_id)) return [];
    return [{ lane: batchId === null ? 'live' : 'batch', batchId, customId: value.custom_id, id: String(value.id), value }];
  } catch {
    return [];
  }
}

function readBatches(folder: string): Evidence['batches'] {
  if (!fs.existsSync(folder)) return [];
  return fs.readdirSync(folder).flatMap((name) => {
    const { wire } = JSON.parse(fs.readFileSync(path.join(folder, name), 'utf8'));
    return wire.metadata?.shard === undefined ? [] : [{ id: wire.id, shard: wire.metadata.shard, attempt: wire.metadata.attempt ?? '' }];
  });
}

function readLines(file: string): string[] {
  const text = fs.existsSync(file) ? fs.readFileSync(file, 'utf8').replace(/^\uFEFF/, '') : '';
  return text.split('\n').filter((line) => line.trim() !== '');
}

function readJsonLines(file: string): unknown[] {
  return readLines(file).map((line) => JSON.parse(line));
}
