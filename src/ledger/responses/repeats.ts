import { parseCustomId } from '../../core/request.ts';
import type { SettledRecord } from '../../core/settled.ts';

/**
 * Kinds of lines that are counted but are not separate answers.
 * `malformed`: not a response line. `foreign`: its custom_id is not ours. `duplicate`: one call recorded again, without cost.
 * `conflict`: a second call for the same custom_id, with its cost. `unasked`: one of ours that nobody was waiting for; it is used.
 */
export type Anomaly = 'malformed' | 'foreign' | 'duplicate' | 'conflict' | 'unasked';

/** A line of a file about the same key as another one. */
export interface Repeat {
  readonly record: SettledRecord;
  readonly lineId: string;
  /** Of the line's bytes. */
  readonly lineHash: string;
}

/** The result of several lines about one key. */
export interface Resolved {
  /** The one that counts. */
  readonly winner: SettledRecord;
  /** Further calls: attempts and cost. */
  readonly others: readonly SettledRecord[];
  readonly duplicates: number;
  readonly conflicts: number;
}

/**
 * Decides between the lines of one file about the same key: the same line id is one call recorded twice, different line ids are
 * different calls. One line counts: success before failure, then the latest re-ask among failures, the smallest line id, the smallest hash.
 */
export function resolveRepeats(repeats: readonly Repeat[]): Resolved {
  const candidates = repeats.toSorted(compareRepeats);
  const calls = new Map<string, SettledRecord>();
  for (const candidate of candidates) {
    const call = callOf(candidate);
    if (!calls.has(call)) calls.set(call, candidate.record);
  }
  const [winner, ...others] = calls.values();
  return {
    winner: winner as SettledRecord,
    others,
    duplicates: candidates.length - calls.size,
    conflicts: calls.size - new Set(candidates.map(({ record }) => record.customId)).size,
  };
}

/** A call is identified by its line id; lines without one are the same call if their bytes are the same. */
function callOf({ record, lineId, lineHash }: Repeat): string {
  return `${record.customId}\n${lineId === '' ? `#${lineHash}` : lineId}`;
}

function compareRepeats(a: Repeat, b: Repeat): number {
  const isOk = a.record.outcome === 'ok';
  return (
    Number(b.record.outcome === 'ok') - Number(isOk) ||
    (isOk ? 0 : reaskOf(b.record) - reaskOf(a.record)) ||
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
