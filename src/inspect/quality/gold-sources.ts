import { existsSync } from 'node:fs';
import { chooseField, type Field } from '../../run/open/answer-field.ts';
import type { PreparedJob } from '../../run/open/prepared-job.ts';
import { findState, prepareForReading, type ReadOptions } from '../open-state.ts';
import { locateSheet } from './read-sheet.ts';

/** Where gold labels may be, for a person who named none. */
export interface GoldSources {
  /** The columns of the table. */
  readonly columns: readonly string[];
  /** Those whose first values are all labels of the field; empty if the field has no closed set of them. */
  readonly labelled: readonly string[];
  /** The sheet of `sample`; absolute; null if there is none. */
  readonly sheet: string | null;
}

/** As many rows are looked at. */
const MAX_ROWS = 1000;

/** Looks for gold labels. @throws UsageError if the job was not run yet, or has no such field */
export async function findGoldSources(options: ReadOptions, field: string | null): Promise<GoldSources> {
  const prepared = await prepareForReading(options, await findState(options));
  const { job } = prepared.compiled;
  const sheet = locateSheet(job);
  return {
    columns: prepared.table.columns,
    labelled: await findLabelled(prepared, chooseField(job, field), options.signal),
    sheet: existsSync(sheet) ? sheet : null,
  };
}

async function findLabelled({ table }: PreparedJob, field: Field, signal: AbortSignal): Promise<readonly string[]> {
  const { labels } = field;
  if (labels === null) return [];
  const [seen, others] = [new Set<number>(), new Set<number>()];
  let read = 0;
  for await (const rows of table.readRows(signal)) {
    for (const { cells } of rows.slice(0, MAX_ROWS - read)) {
      for (const column of table.columns.keys()) {
        const gold = field.readGold(cells[column]);
        if (gold !== null) (gold.every((label) => labels.includes(label)) ? seen : others).add(column);
      }
    }
    read += rows.length;
    if (read >= MAX_ROWS) break;
  }
  return table.columns.filter((_, column) => seen.has(column) && !others.has(column));
}
