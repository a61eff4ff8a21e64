import type { RunRow } from '../../ledger/runs.ts';

/** The rows of a run, in sixteen bytes each: a table of a million rows takes 16 MB. */
export interface KnownRows {
  readonly count: number;
  has(idHash: string): boolean;
  /** Whether a row of the run had this request. */
  hasKey(key: string): boolean;
}

/** Hex digits an exact integer holds, and characters of a key; of a million rows two share them once in ten thousand tables. */
const DIGITS = 13;
const CHARACTERS = 8;

export function createKnownRows(rows: Iterable<RunRow>): KnownRows {
  const ids = createNumberSet();
  const keys = createNumberSet();
  for (const { idHash, key } of rows) {
    ids.add(readHash(idHash));
    if (key !== null) keys.add(readKey(key));
  }
  const hasId = ids.finish();
  const hasKey = keys.finish();
  return { count: ids.count, has: (idHash) => hasId(readHash(idHash)), hasKey: (key) => hasKey(readKey(key)) };
}

/** Eight bytes per number; a Set would take forty. */
function createNumberSet() {
  let held = new Float64Array(1024);
  let count = 0;

  function makeLookUp(sorted: Float64Array): (wanted: number) => boolean {
    return (wanted) => {
      let low = 0;
      let high = sorted.length;
      while (low < high) {
        const middle = (low + high) >>> 1;
        if ((sorted[middle] as number) < wanted) low = middle + 1;
        else high = middle;
      }
      return sorted[low] === wanted;
    };
  }

  return {
    add(number: number): void {
      if (count === held.length) {
        const larger = new Float64Array(held.length * 2);
        larger.set(held);
        held = larger;
      }
      held[count++] = number;
    },
    get count() {
      return count;
    },
    /** No more can be added. */
    finish: () => makeLookUp(held.subarray(0, count).sort()),
  };
}

function readHash(idHash: string): number {
  return Number.parseInt(idHash.slice(0, DIGITS), 16);
}

function readKey(key: string): number {
  return Buffer.from(key.slice(0, CHARACTERS), 'base64url').readUIntBE(0, (CHARACTERS * 3) / 4);
}
