import { hash } from 'node:crypto';
import type { Row } from '../../core/row.ts';
import type { InputTable } from '../../input/table/read-table.ts';
import type { KeyIndex } from '../../ledger/key-index.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import type { PreparedJob } from './prepared-job.ts';

/** A table that a run reads several times. */
export interface KeyedTable {
  /** Its rows carry the keys found by an earlier pass. */
  readonly table: InputTable;
  /** Whether the rows of the last pass had the keys they carried: false if other bytes were read than when these were found. */
  readonly wereKeysRight: () => boolean;
}

/** The keys of a table's rows, by their ids in the index. */
interface FoundKeys {
  readonly ids: RowIds;
  /** Of the bytes they were found in. */
  readonly sha256: string;
}

/**
 * Remembers the keys found by the first whole pass of a run, so that a later one, in this process or in one that continues, does not render
 * answered rows. Whether the table is still the same is known when a later pass has ended: if not, its rows have to be rendered again.
 */
export function keepKeys(
  prepared: Pick<PreparedJob, 'compiled' | 'table' | 'customPricesSha256'>,
  ledger: Pick<Ledger, 'keys' | 'rowKeys'>,
): KeyedTable {
  const { table } = prepared;
  const { keys, rowKeys } = ledger;
  const job = markRequests(prepared);
  let known: FoundKeys | null = null;
  let lastSha256: string | null = null;
  let wereRight = true;
  let isFirst = true;

  /** Those of an earlier process; null if there are none, or the table or the job has changed. */
  async function loadKeys(signal: AbortSignal): Promise<FoundKeys | null> {
    const stored = rowKeys.open();
    if (stored?.job !== job || stored.input !== (await table.readSha256(signal))) return null;
    const ids = new RowIds(keys);
    return stored.read((key) => ids.add(key)) ? { ids, sha256: stored.input } : null;
  }

  async function* readRows(signal: AbortSignal): AsyncGenerator<readonly Row[]> {
    if (isFirst) known = await loadKeys(signal);
    isFirst = false;
    const used = known;
    const found = used === null ? new RowIds(keys) : null;
    const writer = used === null ? rowKeys.createWriter() : null;
    let sha256 = '';
    try {
      for await (const rows of table.readRows(signal, (hex) => (sha256 = hex))) {
        if (used !== null) for (const row of rows) row.key = readKey(used, row.index, keys);
        yield rows;
        // The reader of the rows renders them: keys are known afterwards.
        for (const { key } of found === null ? [] : rows) {
          found?.add(key);
          writer?.add(key);
        }
      }
      lastSha256 = sha256;
      wereRight = used === null || used.sha256 === sha256;
      if (!wereRight) known = null;
      else if (found?.hasAny) {
        known = { ids: found, sha256 };
        writer?.finish({ input: sha256, job });
      }
    } finally {
      writer?.abandon();
    }
  }

  const readSha256 = async (signal: AbortSignal) => lastSha256 ?? table.readSha256(signal);
  return { table: { ...table, readRows, readSha256 }, wereKeysRight: () => wereRight };
}

/**
 * Identifies everything besides the table's bytes that determines the request of the row at an index: any change of the job counts, except of
 * where it is and writes, and how the bytes are divided into files, whose names say how they are read.
 */
function markRequests({ compiled, table, customPricesSha256 }: Pick<PreparedJob, 'compiled' | 'table' | 'customPricesSha256'>): string {
  const { write: _write, file: _file, directory: _directory, examples: _examples, ...others } = compiled.job;
  const examples = compiled.examples.map(({ user, assistant }) => [user, assistant]);
  return hash('sha256', JSON.stringify([others, table.files, table.fileBytes, examples, customPricesSha256]));
}

/** Consecutive rows. */
interface Chunk {
  readonly first: number;
  /** Null while each id is one more than the last, as in a table without duplicates. */
  ids: Int32Array | null;
}

const CHUNK_ROWS = 1 << 12;

/** The ids of a table's rows in the index, -1 for a row that has none: four bytes per row, and next to none where they are consecutive. */
class RowIds {
  readonly #chunks: Chunk[] = [];
  readonly #keys: Pick<KeyIndex, 'find'>;
  #rows = 0;
  /** False after a pass for another purpose, which finds no keys. */
  hasAny = false;

  constructor(keys: Pick<KeyIndex, 'find'>) {
    this.#keys = keys;
  }

  /** For the next row. */
  add(key: string | null): void {
    const id = key === null ? -1 : this.#keys.find(key);
    this.hasAny ||= id !== -1;
    const place = this.#rows % CHUNK_ROWS;
    if (place === 0) this.#chunks.push({ first: id, ids: null });
    const chunk = this.#chunks.at(-1) as Chunk;
    if (id !== chunk.first + place) chunk.ids ??= new Int32Array(CHUNK_ROWS).map((_, row) => chunk.first + row);
    if (chunk.ids !== null) chunk.ids[place] = id;
    this.#rows += 1;
  }

  /** -1 also for a row beyond those that were added. */
  at(row: number): number {
    if (row >= this.#rows) return -1;
    const { first, ids } = this.#chunks[Math.floor(row / CHUNK_ROWS)] as Chunk;
    const place = row % CHUNK_ROWS;
    return ids === null ? first + place : (ids[place] as number);
  }
}

/** Null for a row without a key or whose key is of no use yet, and for one beyond those that were read then. */
function readKey({ ids }: FoundKeys, row: number, keys: Pick<KeyIndex, 'keyOf' | 'outcome'>): string | null {
  const id = ids.at(row);
  return id !== -1 && keys.outcome(id) === 'ok' ? keys.keyOf(id) : null;
}
