import type { KeyIndex } from '../../ledger/key-index.ts';

/** Rows with the same request as an earlier row of the table: they are answered when that one is. */
export interface DuplicateRows {
  /** @param id the id of the key that a row shares with an earlier one */
  add(id: number): void;
  /** How many have a valid answer. Called often, so it counts again only when `keys.answered` has changed. */
  countAnswered(): number;
}

export function createDuplicateRows(keys: Pick<KeyIndex, 'answered' | 'outcome'>): DuplicateRows {
  const waiting = new Map<number, number>();
  let answered = 0;
  let seen = -1;
  return {
    add(id) {
      waiting.set(id, (waiting.get(id) ?? 0) + 1);
    },
    countAnswered() {
      if (seen === keys.answered) return answered;
      seen = keys.answered;
      for (const [id, count] of waiting) {
        if (keys.outcome(id) !== 'ok') continue;
        answered += count;
        waiting.delete(id);
      }
      return answered;
    },
  };
}
