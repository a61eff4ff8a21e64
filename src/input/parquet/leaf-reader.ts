import type { DecodedArray } from 'hyparquet';
import type { Page } from './read-pages.ts';

/** The values of one column of a row group in order, each with its levels: how deep it is defined, and how deep a list is continued by it. */
export interface LeafReader {
  /** Reads pages until a whole row is available. @returns how many are; 0 at the end */
  load(): Promise<number>;
  /** Of the next value. */
  definition(): number;
  /** Of the next value; 0 starts a row, and also marks the end of what is available. */
  repetition(): number;
  /** The next value, null if it is missing. */
  take(): unknown;
}

export interface LeafReaderOptions {
  readonly pages: AsyncIterator<Page>;
  /** The level of a value that is present. */
  readonly maxDefinition: number;
  readonly readCell: (stored: unknown) => unknown;
}

/** Decoded pages are kept, a few at most; cells are made when they are taken. */
export function createLeafReader({ pages, maxDefinition, readCell }: LeafReaderOptions): LeafReader {
  const queue: Page[] = [];
  let at = 0;
  let valueAt = 0;
  /** Rows that start in the queued pages, from the current position. */
  let begun = 0;
  let hasEnded = false;
  const readDictionary = rememberDictionary(readCell);

  const countWhole = () => (hasEnded || queue.at(-1)?.endsRow === true ? begun : begun - 1);
  return {
    async load() {
      while (countWhole() < 1 && !hasEnded) {
        const { value: page, done } = await pages.next();
        if (done) hasEnded = true;
        else if (page.length > 0) {
          queue.push(page);
          begun += page.repetitionLevels.length === 0 ? page.length : page.repetitionLevels.filter((level) => level === 0).length;
        }
      }
      return Math.max(0, countWhole());
    },
    definition: () => queue[0]?.definitionLevels[at] ?? maxDefinition,
    repetition: () => queue[0]?.repetitionLevels[at] ?? 0,
    take() {
      const page = queue[0];
      if (page === undefined) throw new Error('it has fewer values than another column');
      const isThere = (page.definitionLevels[at] ?? maxDefinition) === maxDefinition;
      if ((page.repetitionLevels[at] ?? 0) === 0) begun -= 1;
      const stored = isThere ? page.values[valueAt++] : undefined;
      at += 1;
      if (at === page.length) {
        queue.shift();
        [at, valueAt] = [0, 0];
      }
      if (!isThere) return null;
      return page.dictionary === null ? readCell(stored) : readDictionary(page.dictionary, stored);
    },
  };
}

/** Turns each value of a dictionary into a cell only once. */
function rememberDictionary(readCell: (stored: unknown) => unknown) {
  let known: DecodedArray | null = null;
  let cells: unknown[] = [];
  return (dictionary: DecodedArray, place: number): unknown => {
    if (known !== dictionary) [known, cells] = [dictionary, new Array(dictionary.length)];
    if (!(place < dictionary.length)) throw new Error('a value is not in its dictionary');
    cells[place] ??= readCell(dictionary[place]);
    return cells[place];
  };
}
