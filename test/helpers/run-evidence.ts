import * as fs from 'node:fs';
import * as path from 'node:path';
import { type BillLine, readJsonLines, readLines, readStoredLines, type StoredLine, type WireEvent } from '../../src/prove/check/calls.ts';
import { type Cells, type ReadTable, readTable } from '../../src/prove/check/read-table.ts';

export type { Cells };

/** Everything a run leaves behind, whatever it was about and whether it finished; read, like that of a proof, without the program's own code. */
export interface RunEvidence {
  readonly columns: readonly string[];
  /** Input rows as column -> cell; a JSONL value stays what it is. */
  readonly input: readonly Cells[];
  /** What the run wrote: null when there is no table. */
  readonly table: ReadTable | null;
  readonly events: readonly WireEvent[];
  /** Recorded response files, in the order of their events. */
  readonly files: readonly EvidenceFile[];
  /** The lines of those files that answer requests. */
  readonly lines: readonly StoredLine[];
  /** Names in `responses/` that no event records. */
  readonly strayResponses: readonly string[];
  /** Lines the provider was sent, by custom_id: the text of the body. */
  readonly sent: ReadonlyMap<string, SentLine>;
  /** Key per row of the run, in order; null for rows without one. */
  readonly rowKeys: readonly (string | null)[];
  readonly bill: readonly BillLine[];
  // biome-ignore lint/suspicious/noExplicitAny: read as it lies on disk.
  readonly summary: any;
}

export interface EvidenceFile {
  readonly name: string;
  readonly batchId: string;
  readonly bytes: Buffer;
  readonly event: WireEvent;
}

export interface SentLine {
  readonly url: string;
  readonly body: string;
}

/** Where the evidence of a run lies. */
export interface RunPlaces {
  readonly inputPath: string;
  readonly stateDirectory: string;
  /** The simulator's own directory: its bill and the files it was sent. */
  readonly providerDirectory: string;
  /** The table the summary names; absolute. */
  readonly tablePath: string | null;
  readonly summary: unknown;
}

export function readEvidence(places: RunPlaces): RunEvidence {
  const input = readTable(places.inputPath);
  const events = readJsonLines<WireEvent>(path.join(places.stateDirectory, 'events.jsonl'));
  const responses = path.join(places.stateDirectory, 'responses');
  const recorded = events.filter(({ type }) => type === 'response-recorded');
  const names = fs.existsSync(responses) ? fs.readdirSync(responses) : [];
  const { run } = places.summary as { run: string };
  const rowsFile = path.join(places.stateDirectory, 'runs', run, 'rows');
  return {
    columns: input.columns,
    input: input.rows,
    table: places.tablePath === null || !fs.existsSync(places.tablePath) ? null : readTable(places.tablePath),
    events,
    files: recorded.map((event) => ({
      name: event.file,
      batchId: event.batchId,
      bytes: names.includes(event.file) ? fs.readFileSync(path.join(responses, event.file)) : Buffer.alloc(0),
      event,
    })),
    lines: readStoredLines(places.stateDirectory, recorded),
    strayResponses: names.filter((name) => !recorded.some((event) => event.file === name)),
    sent: readSent(path.join(places.providerDirectory, 'files')),
    rowKeys: fs.existsSync(rowsFile) ? readLines(rowsFile).map((line) => keyOf(line.split(' ')[1])) : [],
    bill: readJsonLines<BillLine>(path.join(places.providerDirectory, 'bill.jsonl')),
    summary: places.summary,
  };
}

function keyOf(text: string | undefined): string | null {
  return text === undefined || text === '-' ? null : text;
}

/** Every request line the provider holds, by custom_id. */
function readSent(directory: string): Map<string, SentLine> {
  const sent = new Map<string, SentLine>();
  for (const name of fs.existsSync(directory) ? fs.readdirSync(directory) : []) {
    if (!name.endsWith('.data')) continue;
    for (const line of readLines(path.join(directory, name))) {
      const parts = /^\{"custom_id":"([^"]+)","method":"POST","url":"([^"]+)","body":(\{.*\})\}$/.exec(line);
      if (parts !== null) sent.set(parts[1] as string, { url: parts[2] as string, body: parts[3] as string });
    }
  }
  return sent;
}
