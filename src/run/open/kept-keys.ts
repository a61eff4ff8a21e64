import type { Row } from '../../core/row.ts';
import type { InputTable } from '../../input/table/read-table.ts';
import type { KeyIndex } from '../../ledger/key-index.ts';

/** A table that a run reads several times. */
export interface KeyedTable {
  /** Its rows carry the keys found by an earlier pass. */
  readonly table: InputTable;
  /** Whether the rows of the last pass had the keys they carried: false if other bytes were read than when these were found. */
  readonly wereKeysRight: () => boolean;
}

/** The keys of a table's rows, by their ids in the index: four bytes per row. */
interface FoundKeys {
  readonly chunks: readonly Int32Array[];
  /** Of the bytes they were found in. */
  readonly sha256: string;
}

const CHUNK_ROWS = 1 << 16;

/**
 * Remembers the keys found by the first whole pass, so that a later one does not render answered rows. Whether the table is still the
 * same is known when a later pass has ended: if not, its rows have to be rendered again.
 */
export function keepKeys(table: InputTable, keys: Pick<KeyIndex, 'find' | 'keyOf' | 'outcome'>): KeyedTable {
  let known: FoundKeys | null = null;
  let lastSha256: string | null = null;
  let wereRight = true;

  async function* readRows(signal: AbortSignal): AsyncGenerator<readonly Row[]> {
    const used = known;
    const found = used === null ? collectKeys(keys) : null;
    let sha256 = '';
    for await (const rows of table.readRows(signal, (hex) => (sha256 = hex))) {
      if (used !== null) for (const row of rows) row.key = readKey(used, row.index, keys);
      yield rows;
      // The reader of the rows renders them: keys are known afterwards.
      found?.add(rows);
    }
    lastSha256 = sha256;
    wereRight = used === null || used.sha256 === sha256;
    if (!wereRight) known = null;
    else if (found?.hasAny()) known = { chunks: found.chunks, sha256 };
  }

  const readSha256 = async (signal: AbortSignal) => lastSha256 ?? table.readSha256(signal);
  return { table: { ...table, readRows, readSha256 }, wereKeysRight: () => wereRight };
}

function collectKeys(keys: Pick<KeyIndex, 'find'>) {
  const chunks: Int32Array[] = [];
  let rowsKept = 0;
  let hasKey = false;
  return {
    chunks,
    /** A pass for another purpose has found none. */
    hasAny: () => hasKey,
    add(rows: readonly Row[]): void {
      for (const { key } of rows) {
        const place = rowsKept % CHUNK_ROWS;
        if (place === 0) chunks.push(new Int32Array(CHUNK_ROWS));
        const id = key === null ? -1 : keys.find(key);
        hasKey ||= id !== -1;
        (chunks.at(-1) as Int32Array)[place] = id;
        rowsKept += 1;
      }
    },
  };
}

/** Null for a row without a key or whose key is of no use yet, and for one beyond those that were read then. */
function readKey({ chunks }: FoundKeys, index: number, keys: Pick<KeyIndex, 'keyOf' | 'outcome'>): string | null {
  const id = chunks[Math.floor(index / CHUNK_ROWS)]?.[index % CHUNK_ROWS] ?? -1;
  return id !== -1 && keys.outcome(id) === 'ok' ? keys.keyOf(id) : null;
}
