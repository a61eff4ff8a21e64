import type { KeyIndex } from '../../ledger/key-index.ts';

/** Rows with the same request as an earlier row of the table: they are answered when that one is. */
export interface DuplicateRows {
  /** A pass over the table starts. The first complete pass counts; later ones add nothing. */
  begin(): void;
  /** @param id the id of the key that a row shares with an earlier one */
  add(id: number): void;
  /** The pass has met all rows. */
  end(): void;
  /** How many have a valid answer. Called often, so it counts again only when `keys.answered` has changed. */
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
