import { hash } from 'node:crypto';
import { UsageError } from '../../core/errors.ts';
import type { FinishedRow } from '../../core/finished-row.ts';
import { escapeFormula } from '../../output/csv-text.ts';
import { ANSWER_COLUMN_OF_SHEET, OWN_COLUMNS, REF_COLUMN, ROW_COLUMN } from '../../output/mark-sheet.ts';
import { allocateSample } from '../../quality/allocate.ts';
import type { Field } from '../../run/open/answer-field.ts';
import { hashRowId } from '../../run/open/row-keys.ts';

/** The group of rows a row is drawn from. */
export type Stratify = (finished: FinishedRow) => string;

/** A row that may be drawn. */
export interface SampledRow {
  /** Its reference in the sheet. */
  readonly ref: string;
  readonly finished: FinishedRow;
}

export interface RowSample {
  /** In the order of the table. */
  readonly chosen: readonly SampledRow[];
  readonly eligible: number;
  readonly strata: readonly { readonly value: string; readonly rows: number; readonly sampled: number }[];
}

interface Candidate extends SampledRow {
  readonly rank: string;
}

interface Stratum {
  rows: number;
  kept: Candidate[];
}

/** A column with more values than this defines no groups. */
const MAX_STRATA = 1000;

/**
 * Draws rows that were answered or failed, in one pass. A row's rank is a hash of the seed and its id, so the draw does not depend on the
 * order of the table, and a larger sample with the same seed contains the smaller one.
 * @param options.stratify null draws from all rows alike
 */
export function createRowSampler(options: { readonly rows: number; readonly seed: number; readonly stratify: Stratify | null }): {
  add(finished: FinishedRow, rowId: string): void;
  read(): RowSample;
} {
  const strata = new Map<string, Stratum>();
  return {
    add(finished, rowId) {
      const { status } = finished.disposition;
      if (status !== 'ok' && status !== 'failed') return;
      const value = options.stratify?.(finished) ?? '';
      const stratum = strata.get(value) ?? { rows: 0, kept: [] };
      if (stratum.rows === 0 && strata.size === MAX_STRATA)
        throw new UsageError(`--by: more than ${MAX_STRATA} values; name a column with few`);
      strata.set(value, stratum);
      const ref = `r${hashRowId(rowId)}`;
      stratum.rows += 1;
      stratum.kept.push({ ref, finished, rank: hash('sha256', `${options.seed}\n${ref}`) });
      if (stratum.kept.length > options.rows * 2 + 64) stratum.kept = takeFirst(stratum.kept, options.rows);
    },
    read() {
      const sorted = [...strata].toSorted(([a, { rows: m }], [b, { rows: n }]) => n - m || (a < b ? -1 : 1));
      const counts = allocateSample(
        options.rows,
        sorted.map(([, { rows }]) => rows),
      );
      const chosen = sorted.flatMap(([, { kept }], index) => takeFirst(kept, counts[index] ?? 0));
      return {
        chosen: chosen.toSorted((a, b) => a.finished.row.index - b.finished.row.index),
        eligible: sorted.reduce((sum, [, { rows }]) => sum + rows, 0),
        strata: sorted.map(([value, { rows }], index) => ({ value, rows, sampled: counts[index] ?? 0 })),
      };
    },
  };
}

function takeFirst(candidates: readonly Candidate[], count: number): Candidate[] {
  return candidates
    .toSorted((a, b) => (a.rank < b.rank ? -1 : a.rank > b.rank ? 1 : a.finished.row.index - b.finished.row.index))
    .slice(0, count);
}

/** The columns of a row in the sheet; the label is left to a person. */
export function makeSheetRow({ ref, finished }: SampledRow, columns: readonly string[], field: Field): ReadonlyMap<string, unknown> {
  const { row, disposition, answer } = finished;
  const ofTable = columns
    .filter((name) => !OWN_COLUMNS.includes(name))
    .map((name) => [escapeFormula(name), row.cells[columns.indexOf(name)]]);
  return new Map<string, unknown>([
    ...(ofTable as [string, unknown][]),
    [REF_COLUMN, ref],
    [ROW_COLUMN, row.index + 1],
    [ANSWER_COLUMN_OF_SHEET, disposition.status === 'ok' ? field.read(answer).join(' | ') : ''],
  ]);
}
