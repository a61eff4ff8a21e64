import type { Request } from '../../core/request.ts';
import type { Row } from '../../core/row.ts';
import type { CompiledJob } from '../../input/compile-job.ts';
import type { KeyIndex } from '../../ledger/key-index.ts';

/** What a row asks for, with its place in the index. */
export interface KeyedRow {
  readonly status: 'keyed';
  /** The id of its key; -1 when the ledger does not know the key. */
  readonly id: number;
  readonly key: string;
  /** Null for a row whose kept key has an answer that counts: nobody needs to send it. */
  readonly request: Request | null;
  /** An earlier row of this pass asks for the same: it shares that row's request. */
  readonly isDuplicate: boolean;
}

export type SkippedRow = Extract<ReturnType<CompiledJob['render']>, { readonly status: 'skipped' }>;

export interface RowKeysOptions {
  readonly compiled: Pick<CompiledJob, 'render' | 'job'>;
  /** Whether keys not known yet enter the index; without it repeated unknown keys are not recognised. */
  readonly addsKeys: boolean;
  /** Whether a key has an answer that counts; as the index has it, unless told otherwise. */
  readonly isAnswered?: (id: number) => boolean;
}

/** What a row asks for; rows are given in the order of the table. */
export type KeyRow = (row: Row) => KeyedRow | SkippedRow;

/** Begins a pass over the table: rows are given in order, and each comes back with what it asks for. */
export function createRowKeys(keys: KeyIndex, options: RowKeysOptions): KeyRow {
  const { compiled, addsKeys, isAnswered = (id) => keys.outcome(id) === 'ok' } = options;
  const { dedupe } = compiled.job;
  const pass = keys.startPass();
  const repeats = new Map<string, number>();

  function take(id: number, key: string, request: Request | null): KeyedRow {
    const isDuplicate = id !== -1 && keys.isSeen(id, pass);
    if (id !== -1 && !isDuplicate) keys.markSeen(id, pass);
    return { status: 'keyed', id, key, request, isDuplicate };
  }

  const look = (request: Request) => take(addsKeys ? keys.add(request.key) : keys.find(request.key), request.key, request);

  return (row) => {
    if (dedupe && row.key !== null) {
      const id = keys.find(row.key);
      if (id !== -1 && isAnswered(id)) return take(id, row.key, null);
    }
    const rendered = compiled.render(row);
    if (rendered.status === 'skipped') return rendered;
    row.key = rendered.request.key;
    const first = look(rendered.request);
    if (!first.isDuplicate || dedupe) return first;
    const occurrence = (repeats.get(first.key) ?? 1) + 1;
    repeats.set(first.key, occurrence);
    const key = `${first.key}-o${occurrence}`;
    return look({ ...rendered.request, key, customId: key });
  };
}

/** Identifies a row over runs without keeping what it says: 14 hex digits of two 32-bit FNV-1a hashes, a tenth of the time of a sha256. */
export function hashRowId(rowId: string): string {
  let low = 0x811c9dc5;
  let high = 0x050c5d1f;
  for (let position = 0; position < rowId.length; position += 1) {
    const code = rowId.charCodeAt(position);
    low = Math.imul(low ^ code, 0x01000193);
    high = Math.imul(high ^ (code + position), 0x01000193);
  }
  return (low >>> 0).toString(16).padStart(8, '0') + (high >>> 8).toString(16).padStart(6, '0');
}
