import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { UsageError } from '../../core/errors.ts';
import type { Job } from '../../core/job.ts';
import { showCell } from '../../input/request/cell-text.ts';
import { openTable } from '../../input/table/open-table.ts';
import { GOLD_COLUMN, REF_COLUMN, sheetPath } from '../../output/mark-sheet.ts';

/** A sheet a person may have labelled: its content is never lost. */
export interface Sheet {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly unknown[])[];
  /** Its rows, by their references. */
  readonly refs: ReadonlySet<string>;
  /** Rows with a label. */
  readonly marked: number;
}

/** The sheet of a job: next to its table, or if that goes to standard output, named after the job. */
export function locateSheet({ write, directory, name }: Job): string {
  return sheetPath(write.isStdout === true ? join(directory, `${name}.csv`) : write.path);
}

/**
 * Reads a sheet; null if there is none.
 * @throws UsageError if a file of its name is not a sheet
 */
export async function readSheet(path: string, cwd: string, signal: AbortSignal): Promise<Sheet | null> {
  if (!existsSync(path)) return null;
  const table = await openTable({ path, format: 'csv', delimiter: null, encoding: null, columns: null, id: [] }, { cwd, signal });
  const refIndex = table.columns.indexOf(REF_COLUMN);
  const goldIndex = table.columns.indexOf(GOLD_COLUMN);
  if (refIndex === -1 || goldIndex === -1) {
    throw new UsageError(`${path}: is not a sheet to label: it has no column ${REF_COLUMN} or ${GOLD_COLUMN}; move it away`, {
      code: 'sheet',
    });
  }
  const rows: (readonly unknown[])[] = [];
  const refs = new Set<string>();
  let marked = 0;
  for await (const chunk of table.readRows(signal)) {
    for (const { cells } of chunk) {
      rows.push(cells);
      refs.add(showCell(cells[refIndex]).trim());
      if (showCell(cells[goldIndex]).trim() !== '') marked += 1;
    }
  }
  return { columns: table.columns, rows, refs, marked };
}
