import type { Request } from '../core/request.ts';
import type { KeyIndex } from '../ledger/key-index.ts';

/** A rendered row with its place in the index. */
export interface KeyedRow {
  /** The id of its key; -1 when the ledger does not know the key. */
  readonly id: number;
  readonly request: Request;
  /** An earlier row of this pass asks for the same: it shares that row's request. */
  readonly isDuplicate: boolean;
}

export interface RowKeysOptions {
  /** Whether identical rows share one request; if not, the k-th one gets `-o<k>` and a request of its own. */
  readonly dedupe: boolean;
  /** Whether keys not known yet enter the index; without it repeated unknown keys are not recognised. */
  readonly addsKeys: boolean;
}

/** Begins a pass over the table: each row's request is given, in order, and comes back with its identity. */
export function createRowKeys(keys: KeyIndex, options: RowKeysOptions): (request: Request) => KeyedRow {
  const pass = keys.startPass();
  const repeats = new Map<string, number>();

  function look(request: Request): KeyedRow {
    const id = options.addsKeys ? keys.add(request.key) : keys.find(request.key);
    if (id === -1) return { id, request, isDuplicate: false };
    const isDuplicate = keys.isSeen(id, pass);
    if (!isDuplicate) keys.markSeen(id, pass);
    return { id, request, isDuplicate };
  }

  return (request) => {
    const first = look(request);
    if (!first.isDuplicate || options.dedupe) return first;
    const occurrence = (repeats.get(request.key) ?? 1) + 1;
    repeats.set(request.key, occurrence);
    const key = `${request.key}-o${occurrence}`;
    return look({ ...request, key, customId: key });
  };
}
