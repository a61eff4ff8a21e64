import fs from 'node:fs';
import path from 'node:path';
import { type BillLine, readJsonLines, readLines, readStoredLines, type StoredLine, type WireEvent } from './calls.ts';
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
  const events = readJsonLines<WireEvent>(path.join(places.state, 'events.jsonl'));
  const run = events.findLast(({ type }) => type === 'run-started')?.run as string;
  const folder = path.join(places.state, 'runs', run);
  const kept = JSON.parse(fs.readFileSync(path.join(folder, 'summary.json'), 'utf8')).summary;
  const isOfRun = (summary as { attempts?: { total: number } } | null)?.attempts?.total;
  return {
    input: readTable(places.input),
    table: readTable(places.table),
    events,
    lines: readStoredLines(places.state, events),
    bill: readJsonLines<BillLine>(path.join(places.provider, 'bill.jsonl')).filter(({ model }) => model.startsWith(MODEL)),
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

function readBatches(folder: string): Evidence['batches'] {
  if (!fs.existsSync(folder)) return [];
  return fs.readdirSync(folder).flatMap((name) => {
    const { wire } = JSON.parse(fs.readFileSync(path.join(folder, name), 'utf8'));
    return wire.metadata?.shard === undefined ? [] : [{ id: wire.id, shard: wire.metadata.shard, attempt: wire.metadata.attempt ?? '' }];
  });
}
