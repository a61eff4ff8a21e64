import { createHash } from 'node:crypto';
import type { CheckAnswer } from '../core/outcome.ts';
import { parseCustomId } from '../core/request.ts';
import { decideOutcome, readResponseLine } from '../core/response-line.ts';
import type { SettledRecord } from '../core/settled.ts';
import { forEachLine, readLineChunks } from './read-lines.ts';
import { type Anomaly, resolveRepeats } from './repeats.ts';
import type { ResponseFile } from './response-file.ts';

/** A longer line is counted as malformed unread: nothing we send could be answered by it. */
const MAX_LINE_BYTES = 64 * 2 ** 20;

/** What the lines of a response file mean. */
export interface SettledFile {
  /** Further calls for a request of which another line of the file counts: attempts and money. */
  readonly repeats: readonly SettledRecord[];
  /** One record per key. */
  readonly records: readonly SettledRecord[];
  readonly anomalies: ReadonlyMap<Anomaly, number>;
}

/** What a file is, bytes only. */
export interface FileFacts {
  readonly bytes: number;
  readonly lines: number;
  readonly sha256: string;
}

/**
 * Judges every line of a response file, read in chunks. A broken line costs only itself: it is counted by kind.
 * The result does not depend on the order of the lines, except for the order of `records`.
 */
export async function settleFile(options: {
  readonly path: string;
  readonly file: ResponseFile;
  readonly checkAnswer: CheckAnswer;
  readonly signal: AbortSignal;
}): Promise<SettledFile & FileFacts> {
  const anomalies = new Map<Anomaly, number>();
  const digest = createHash('sha256');
  const byKey = new Map<string, SettledRecord | SettledRecord[]>();
  let bytes = 0;
  let lines = 0;
  for await (const chunk of readLineChunks(options.path, { signal: options.signal })) {
    digest.update(chunk.bytes);
    bytes += chunk.bytes.length;
    forEachLine(chunk.bytes, (lineStart, lineEnd) => {
      lines += 1;
      const { start, end } = trimLine(chunk.bytes, lineStart, lineEnd, chunk.offsetBytes === 0);
      if (start === end) return;
      const settled = settleLine(chunk.bytes, start, end, options);
      if (typeof settled === 'string') return void anomalies.set(settled, (anomalies.get(settled) ?? 0) + 1);
      const record: SettledRecord = {
        ...settled.meaning,
        location: { file: options.file.name, offsetBytes: chunk.offsetBytes + start, lengthBytes: end - start },
      };
      const known = byKey.get(settled.key);
      if (known === undefined) byKey.set(settled.key, record);
      else if (Array.isArray(known)) known.push(record);
      else byKey.set(settled.key, [known, record]);
    });
  }
  return { ...resolveRepeats(options.path, byKey, anomalies), bytes, lines, sha256: digest.digest('hex') };
}

type Meaning = Omit<SettledRecord, 'location'>;

function settleLine(
  bytes: Buffer,
  start: number,
  end: number,
  options: { readonly file: ResponseFile; readonly checkAnswer: CheckAnswer },
): { readonly key: string; readonly meaning: Meaning } | Anomaly {
  if (end - start > MAX_LINE_BYTES) return 'malformed';
  const reading = readResponseLine(bytes.toString('utf8', start, end));
  if (reading.status === 'malformed') return 'malformed';
  const parts = parseCustomId(reading.line.custom_id);
  if (parts === null) return 'foreign';
  const outcome = decideOutcome(reading.line, options.checkAnswer);
  const meaning = {
    customId: reading.line.custom_id,
    outcome: outcome.status,
    isBilled: outcome.isBilled,
    usage: outcome.usage,
    model: outcome.model,
    tier: outcome.tier,
    createdSeconds: outcome.createdSeconds ?? options.file.createdSeconds,
    lane: options.file.lane,
    run: options.file.run,
  };
  return { key: parts.key, meaning };
}

/** Leaves out a byte order mark at the file's beginning, a carriage return at the line's end, and lines of blanks altogether. */
function trimLine(bytes: Buffer, lineStart: number, lineEnd: number, isFirstChunk: boolean): { start: number; end: number } {
  let start = lineStart;
  let end = lineEnd;
  if (isFirstChunk && start === 0 && end >= 3 && bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) start = 3;
  while (end > start && isBlank(bytes[end - 1])) end -= 1;
  while (start < end && isBlank(bytes[start])) start += 1;
  return { start, end };
}

function isBlank(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x0d || byte === 0x09;
}
