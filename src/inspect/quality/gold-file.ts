import { UsageError } from '../../core/errors.ts';
import type { Job } from '../../core/job.ts';
import type { Row } from '../../core/row.ts';
import { showCell } from '../../input/request/cell-text.ts';
import { openTable } from '../../input/table/open-table.ts';
import { GOLD_COLUMN, OWN_COLUMNS, REF_COLUMN, ROW_COLUMN } from '../../output/mark-sheet.ts';
import type { Field } from '../../run/open/answer-field.ts';
import { hashRowId } from '../../run/open/row-keys.ts';

/** Gold labels by row, read from a file: a labelled sheet, or any table with the rows' ids. */
export interface GoldFile {
  /** The column with the labels. */
  readonly column: string;
  /** One of its ids, for messages. */
  readonly exampleId: string;
  /** The gold label of a row by the hash of its id; null if it has none. */
  take(idHash: string): readonly string[] | null;
  /** Labelled rows that were not asked for. */
  countUnmatched(): number;
}

export interface GoldFileOptions {
  /** Absolute. */
  readonly path: string;
  readonly shown: string;
  readonly job: Job;
  readonly field: Field;
  readonly cwd: string;
  readonly signal: AbortSignal;
}

interface Mark {
  readonly labels: readonly string[];
  isTaken: boolean;
}

/** @throws UsageError if it has no ids or no column of gold labels, has no labels at all, or labels one row in two ways */
export async function readGoldFile(options: GoldFileOptions): Promise<GoldFile> {
  const { path, shown, field } = options;
  const open = (delimiter: string | null) =>
    openTable({ path, format: null, delimiter, encoding: null, columns: null, id: [] }, { cwd: options.cwd, signal: options.signal });
  const detected = await open(null);
  // A holdout has the delimiter of the job's own table, which may be none that is detected.
  const { delimiter } = options.job.input;
  const table = detected.format === 'csv' && detected.columns.length === 1 && delimiter !== null ? await open(delimiter) : detected;
  const { ids, hashId } = findIds(options, table.columns);
  const column = findGoldColumn(options, table.columns, ids);
  const goldIndex = table.columns.indexOf(column);
  const marks = new Map<string, Mark>();
  let exampleId = '';
  for await (const rows of table.readRows(options.signal)) {
    for (const row of rows) {
      const labels = field.readGold(row.cells[goldIndex]);
      if (labels === null) continue;
      const id = ids.map((name) => showCell(row.cells[table.columns.indexOf(name)]).trim()).join('/');
      if (exampleId === '') exampleId = id;
      const idHash = hashId(id, row);
      const known = marks.get(idHash);
      if (known !== undefined && known.labels.join('|') !== labels.join('|')) {
        const place = { file: shown, line: row.line, column: 1 };
        const message = `the row ${JSON.stringify(id)} is marked twice: ${known.labels.join('|')} and ${labels.join('|')}`;
        throw new UsageError([{ place, message }], { code: 'gold' });
      }
      marks.set(idHash, { labels, isTaken: false });
    }
  }
  if (marks.size === 0) throw new UsageError(`${shown}: nothing is marked in its column ${column}`, { code: 'gold' });
  return {
    column,
    exampleId,
    take(idHash) {
      const mark = marks.get(idHash);
      if (mark === undefined) return null;
      mark.isTaken = true;
      return mark.labels;
    },
    countUnmatched: () => [...marks.values()].filter(({ isTaken }) => !isTaken).length,
  };
}

interface Ids {
  readonly ids: readonly string[];
  readonly hashId: (id: string, row: Row) => string;
}

/** A sheet names rows by a reference no spreadsheet changes; any other file by the job's id columns, or the row's number if it has none. */
function findIds({ shown, job }: GoldFileOptions, columns: readonly string[]): Ids {
  if (columns.includes(REF_COLUMN)) return { ids: [REF_COLUMN], hashId: (id) => id.replace(/^r/, '') };
  const wanted = job.input.id.length > 0 ? job.input.id : [columns.includes(ROW_COLUMN) ? ROW_COLUMN : 'row'];
  const missing = wanted.filter((name) => !columns.includes(name));
  if (missing.length === 0) return { ids: wanted, hashId: hashRowId };
  const why = job.input.id.length > 0 ? 'input.id' : 'the number of the row, from 1, as the job names no input.id';
  throw new UsageError(`${shown}: no column ${missing.map((name) => `"${name}"`).join(', ')} (${why}); columns: ${columns.join(', ')}`, {
    code: 'gold',
  });
}

function findGoldColumn({ shown, field }: GoldFileOptions, columns: readonly string[], ids: readonly string[]): string {
  const named = [GOLD_COLUMN, 'gold', field.name].find((name) => columns.includes(name));
  const others = columns.filter((name) => !ids.includes(name) && !OWN_COLUMNS.includes(name));
  const column = named ?? (others.length === 1 ? others[0] : undefined);
  if (column !== undefined) return column;
  throw new UsageError(`${shown}: which column has the right answers? Name it gold or ${field.name}; columns: ${columns.join(', ')}`, {
    code: 'gold',
  });
}
