import { UsageError } from '../core/errors.ts';

/** Rows with the same gold label and the same answer. */
export interface Cell {
  /** Labels: one, or several for a list of labels, sorted. */
  readonly gold: readonly string[];
  /** Null if the rows have no answer. */
  readonly given: readonly string[] | null;
  count: number;
}

/** Counts rows by gold label and answer: all scores are derived from it, whatever the number of rows. */
export interface Tally {
  add(gold: readonly string[], given: readonly string[] | null): void;
  readonly cells: readonly Cell[];
}

/** With this many different pairs the values are not labels. */
const MAX_CELLS = 50_000;

/** @throws UsageError from `add` if the field has too many values to be labels */
export function createTally(field: string): Tally {
  const cells = new Map<string, Cell>();
  return {
    add(gold, given) {
      const key = JSON.stringify([gold, given]);
      const cell = cells.get(key);
      if (cell !== undefined) cell.count += 1;
      else if (cells.size < MAX_CELLS) cells.set(key, { gold, given, count: 1 });
      else throw new UsageError(`${field}: it has too many values to be labels; compare a field with a closed set of answers`);
    },
    get cells() {
      return [...cells.values()];
    },
  };
}

/** Whether an answer is correct; of a list, the whole list. */
export function isCorrect(gold: readonly string[], given: readonly string[] | null): boolean {
  return given !== null && gold.length === given.length && gold.every((label, index) => label === given[index]);
}
