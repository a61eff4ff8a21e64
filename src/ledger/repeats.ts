import { hash } from 'node:crypto';
import fs from 'node:fs';
import { parseCustomId } from '../core/request.ts';
import { readResponseLine } from '../core/response-line.ts';
import type { SettledRecord } from '../core/settled.ts';
import { openForReading, readBytesAt } from './durable-files.ts';

/**
 * Kinds of lines that are counted but are no answers of their own.
 * `malformed`: not a response line. `foreign`: its custom_id is not one of ours. `duplicate`: one call recorded again, no money.
 * `conflict`: a second call for the same custom_id, which is money. `unasked`: one of ours, but nobody was waiting for it; it is taken.
 */
export type Anomaly = 'malformed' | 'foreign' | 'duplicate' | 'conflict' | 'unasked';

/** A line of a group, with what decides between lines. */
interface Candidate {
  readonly record: SettledRecord;
  readonly lineId: string;
  readonly lineHash: string;
}

/**
 * Decides between the lines of one file that speak of the same key: the same line id is one call recorded twice, several line ids are
 * several calls. One line counts: success before failure, then the latest re-ask among failures, the smallest line id, the smallest line hash.
 */
export function resolveRepeats(
  path: string,
  byKey: ReadonlyMap<string, SettledRecord | SettledRecord[]>,
  anomalies: Map<Anomaly, number>,
): { repeats: SettledRecord[]; records: SettledRecord[]; anomalies: Map<Anomaly, number> } {
  const repeats: SettledRecord[] = [];
  const records: SettledRecord[] = [];
  const count = (anomaly: Anomaly, lines: number) => {
    if (lines > 0) anomalies.set(anomaly, (anomalies.get(anomaly) ?? 0) + lines);
  };
  let descriptor: number | null = null;
  try {
    for (const group of byKey.values()) {
      if (!Array.isArray(group)) {
        records.push(group);
        continue;
      }
      descriptor ??= openForReading(path);
      const candidates = readCandidates(descriptor, group).sort(compareCandidates);
      const calls = new Map<string, SettledRecord>();
      for (const candidate of candidates) if (!calls.has(callOf(candidate))) calls.set(callOf(candidate), candidate.record);
      const [winner, ...others] = calls.values();
      count('duplicate', candidates.length - calls.size);
      count('conflict', calls.size - new Set(group.map((record) => record.customId)).size);
      if (winner !== undefined) records.push(winner);
      repeats.push(...others);
    }
  } finally {
    if (descriptor !== null) fs.closeSync(descriptor);
  }
  return { repeats, records, anomalies };
}

function readCandidates(descriptor: number, group: readonly SettledRecord[]): Candidate[] {
  return group.map((record) => {
    const bytes = readBytesAt(descriptor, record.location);
    const reading = readResponseLine(bytes.toString('utf8'));
    return { record, lineId: reading.status === 'line' ? reading.line.id : '', lineHash: hash('sha256', bytes, 'hex') };
  });
}

/** A call is known by its line id; lines without one are the same call when they are the same bytes. */
function callOf({ record, lineId, lineHash }: Candidate): string {
  return `${record.customId}\n${lineId === '' ? `#${lineHash}` : lineId}`;
}

function compareCandidates(a: Candidate, b: Candidate): number {
  return (
    Number(b.record.outcome === 'ok') - Number(a.record.outcome === 'ok') ||
    (a.record.outcome === 'ok' ? 0 : reaskOf(b.record) - reaskOf(a.record)) ||
    compareText(a.lineId, b.lineId) ||
    compareText(a.lineHash, b.lineHash)
  );
}

function reaskOf(record: SettledRecord): number {
  return parseCustomId(record.customId)?.reask ?? 0;
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
