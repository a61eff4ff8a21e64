import type { KeyIndex } from '../../ledger/key-index.ts';

/** Rows that ask what an earlier row of the table asks: they are answered when that one is. */
export interface DuplicateRows {
  /** A pass over the table begins. The first one that meets all rows tells: what later ones meet is known. */
  begin(): void;
  /** @param id that of the key a row shares with an earlier one */
  add(id: number): void;
  /** The pass has met all rows. */
  end(): void;
  /** How many are answered well. Asked for often, so it looks again only when `keys.answered` has changed. */
  countAnswered(): number;
}

export function createDuplicateRows(keys: Pick<KeyIndex, 'answered' | 'outcome'>): DuplicateRows {
  const waiting = new Map<number, number>();
  let rows = 0;
  let answered = 0;
  let isWhole = false;
  let seen = { answered: -1, rows: -1 };
  return {
    begin() {
      if (isWhole) return;
      waiting.clear();
      rows = 0;
      answered = 0;
      seen = { answered: -1, rows: -1 };
    },
    end() {
      isWhole = true;
    },
    add(id) {
      if (isWhole) return;
      waiting.set(id, (waiting.get(id) ?? 0) + 1);
      rows += 1;
    },
    countAnswered() {
      if (seen.answered === keys.answered && seen.rows === rows) return answered;
      seen = { answered: keys.answered, rows };
      for (const [id, count] of waiting) {
        if (keys.outcome(id) !== 'ok') continue;
        answered += count;
        waiting.delete(id);
      }
      return answered;
    },
  };
}
