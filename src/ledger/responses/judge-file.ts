import { createHash, hash } from 'node:crypto';
import fs from 'node:fs';
import type { DecideLine } from '../../core/response-line.ts';
import type { SettledRecord } from '../../core/settled.ts';
import type { AnswerLocation } from '../answer-location.ts';
import { openForReading, readBytesAt } from '../disk/durable-files.ts';
import { forEachLine, readLineChunks } from '../disk/read-lines.ts';
import { KeyIndex } from '../key-index.ts';
import type { ResponseFile } from '../response-file.ts';
import { judgeLine, trimLine } from './judge-line.ts';
import { createJudgedRecords, type JudgedRecords } from './judged-records.ts';
import { type Anomaly, type Repeat, resolveRepeats } from './repeats.ts';

/** The meaning of the lines of a response file; small compared with the file, and mostly outside the heap. */
export interface JudgedFile {
  /** Further calls for a request of which another line of the file counts. */
  readonly repeats: readonly SettledRecord[];
  /** The number of keys: each has one record. */
  readonly keys: number;
  /** The records of all keys. */
  readonly records: JudgedRecords;
  readonly anomalies: ReadonlyMap<Anomaly, number>;
  readonly bytes: number;
  readonly lines: number;
  readonly sha256: string;
}

export interface JudgeFileOptions {
  readonly path: string;
  readonly file: ResponseFile;
  readonly decide: DecideLine;
  readonly signal: AbortSignal;
}

/**
 * Judges every line of a response file, read in chunks. A broken line affects no other: it is counted by kind.
 * The result does not depend on the order of the lines, except for the order of the records. The lines of a live part are calls in the
 * order in which they ended, so that each has its own record.
 */
export async function judgeFile(options: JudgeFileOptions): Promise<JudgedFile> {
  const { file, decide } = options;
  const anomalies = new Map<Anomaly, number>();
  const count = (anomaly: Anomaly, lines: number) => lines > 0 && anomalies.set(anomaly, (anomalies.get(anomaly) ?? 0) + lines);
  const digest = createHash('sha256');
  const seen = new KeyIndex();
  const repeated = new Map<number, AnswerLocation[]>();
  const records = createJudgedRecords();
  let bytes = 0;
  let lines = 0;
  const isLive = file.lane === 'live';
  const range = isLive ? { startBytes: file.offsetBytes, endBytes: file.offsetBytes + file.bytes } : {};
  for await (const chunk of readLineChunks(options.path, { ...range, signal: options.signal })) {
    digest.update(chunk.bytes);
    bytes += chunk.bytes.length;
    forEachLine(chunk.bytes, (lineStart, lineEnd) => {
      lines += 1;
      const { start, end } = trimLine(chunk.bytes, lineStart, lineEnd, chunk.offsetBytes + lineStart === 0);
      if (start === end) return;
      const judged = judgeLine({ bytes: chunk.bytes, start, end, bytesAt: chunk.offsetBytes }, file, decide);
      if (judged.status === 'anomaly') {
        count(judged.anomaly, 1);
        return;
      }
      const { record, shortAnswer } = judged;
      if (isLive) {
        records.add(record, shortAnswer);
        return;
      }
      const location: AnswerLocation = { file: 1, offsetBytes: record.location.offsetBytes, lengthBytes: record.location.lengthBytes };
      const position = seen.add(judged.key);
      const first = seen.location(position);
      if (first === null) {
        seen.setOutcome(position, record.outcome, location);
        records.add(record, shortAnswer);
        return;
      }
      const locations = repeated.get(position) ?? [first];
      locations.push(location);
      repeated.set(position, locations);
    });
  }
  const { repeats, replaced } = resolveRepeated(options, repeated, count);
  records.replace(replaced);
  return { repeats, keys: seen.size, records, anomalies, bytes, lines, sha256: digest.digest('hex') };
}

/** Reads the lines of repeated keys again, all of them together. */
function resolveRepeated(
  options: JudgeFileOptions,
  repeated: ReadonlyMap<number, readonly AnswerLocation[]>,
  count: (anomaly: Anomaly, lines: number) => void,
): { repeats: SettledRecord[]; replaced: Map<number, SettledRecord> } {
  const repeats: SettledRecord[] = [];
  const replaced = new Map<number, SettledRecord>();
  if (repeated.size === 0) return { repeats, replaced };
  const descriptor = openForReading(options.path);
  try {
    for (const [position, locations] of repeated) {
      const resolved = resolveRepeats(locations.map((location) => readRepeat(options, descriptor, location)));
      replaced.set(position, resolved.winner);
      repeats.push(...resolved.others);
      count('duplicate', resolved.duplicates);
      count('conflict', resolved.conflicts);
    }
  } finally {
    fs.closeSync(descriptor);
  }
  return { repeats, replaced };
}

function readRepeat({ file, path, decide }: JudgeFileOptions, descriptor: number, location: AnswerLocation): Repeat {
  const bytes = readBytesAt(descriptor, location);
  const judged = judgeLine({ bytes, start: 0, end: bytes.length, bytesAt: location.offsetBytes }, file, decide);
  if (judged.status === 'anomaly') throw new Error(`${path} changed while it was read`);
  return { record: judged.record, lineId: judged.lineId, lineHash: hash('sha256', bytes, 'hex') };
}
