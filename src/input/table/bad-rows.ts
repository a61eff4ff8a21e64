import { clip } from '../../core/bounds/clip.ts';
import { type Place, UsageError } from '../../core/errors.ts';
import type { InputSpec } from '../../core/job.ts';
import type { Row } from '../../core/row.ts';
import { formatCount } from '../../core/wording/format-count.ts';

/** A record of a table that cannot be read. */
export interface BadRecord {
  /** The line on which the record starts. */
  readonly line: number;
  /** Where it goes wrong. */
  readonly place: Place;
  /** In words that follow the place. */
  readonly message: string;
  /** The text of the record, or its beginning. */
  readonly raw: string;
  /** Another way to read the table that may work, in words; absent if there is none. */
  readonly remedy?: string;
}

/** How the bad records of one pass over a table are handled. */
export interface BadRows {
  /** Whether the table is going to be refused: then no further row is needed, and all records are only checked. */
  readonly isRefused: boolean;
  /** @returns the row in its place; null if the table is going to be refused */
  add(index: number, record: BadRecord): Row | null;
  /** All records have been read. @throws UsageError with the first bad ones and their number, unless they are skipped */
  end(): void;
  /** What was skipped, in words without any text of the table; empty if nothing was. */
  describe(): readonly string[];
}

const SHOWN_PROBLEMS = 20;
const SHOWN_LINES = 5;
const RAW_CHARACTERS = 200;

/** By default bad records refuse the table, after all of them were found; with `bad_rows: skip` each becomes a row without cells. */
export function createBadRows({ badRows }: Pick<InputSpec, 'badRows'>): BadRows {
  const first: BadRecord[] = [];
  const remedies = new Set<string>();
  let count = 0;
  const isSkipped = badRows === 'skip';

  return {
    get isRefused() {
      return count > 0 && !isSkipped;
    },
    add(index, record) {
      const { line, place, message, raw, remedy } = record;
      count += 1;
      if (first.length < SHOWN_PROBLEMS) first.push({ ...record, raw: '' });
      if (remedy !== undefined) remedies.add(remedy);
      if (!isSkipped) return null;
      const bad = `line ${line}: ${message}: ${clip(raw, RAW_CHARACTERS)}`;
      return { index, file: place.file, line, cells: [], record: null, key: null, bad };
    },
    end() {
      if (count === 0 || isSkipped) return;
      const problems = first.map(({ place, message }) => ({ place, message }));
      throw new UsageError([...problems, { place: null, message: advise(count, [...remedies]) }], { code: 'table' });
    },
    describe() {
      if (count === 0 || !isSkipped) return [];
      const places = first.slice(0, SHOWN_LINES).map(({ place, line }) => `${place.file}:${line}`);
      const more = count > SHOWN_LINES ? ', …' : '';
      return [
        `${count === 1 ? 'one line is' : `${formatCount(count)} lines are`} no row and skipped (bad_row): ${places.join(', ')}${more}`,
      ];
    },
  };
}

function advise(count: number, remedies: readonly string[]): string {
  const told =
    count === 1
      ? 'one bad line'
      : `${formatCount(count)} bad lines${count > SHOWN_PROBLEMS ? `, of which these are the first ${SHOWN_PROBLEMS}` : ''}`;
  return [told, ...remedies, 'input.bad_rows: skip keeps each at its place in the table and sends nothing for it'].join('; ');
}
