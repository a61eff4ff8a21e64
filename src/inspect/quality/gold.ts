import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { clip } from '../../core/bounds/clip.ts';
import { UsageError } from '../../core/errors.ts';
import type { GoldSource } from '../../core/quality.ts';
import type { Row } from '../../core/row.ts';
import { suggest } from '../../core/wording/suggest.ts';
import type { Field } from '../../run/open/answer-field.ts';
import type { PreparedJob } from '../../run/open/prepared-job.ts';
import { hashRowId } from '../../run/open/row-keys.ts';
import type { ReadOptions } from '../open-state.ts';
import { type GoldFile, readGoldFile } from './gold-file.ts';

const MAX_LABEL_CHARACTERS = 40;

/** The gold labels of a table's rows. */
export interface Gold {
  /** Null if the row has none. */
  read(row: Row): readonly string[] | null;
  /** The same for a row of an earlier table, by the hash of its id; only a file has it. */
  readByHash(idHash: string): readonly string[] | null;
  /** The result after all rows were read. @throws UsageError if nothing fits the table or the field */
  finish(): GoldSource;
}

/** Unknown labels are listed up to this number. */
const MAX_LISTED = 20;

/**
 * Opens the gold labels: a column of the table, or a separate file.
 * @throws UsageError if it is neither, or the file does not identify its rows
 */
export async function openGold(options: ReadOptions, prepared: PreparedJob, field: Field, name: string): Promise<Gold> {
  const { table, compiled } = prepared;
  const column = table.columns.indexOf(name);
  const file = column === -1 ? await openFile(options, prepared, field, name) : null;
  const seen = { matched: 0, known: 0, example: '' };
  const unknownLabels = new Map<string, number>();

  function count(labels: readonly string[] | null): readonly string[] | null {
    if (labels === null) return null;
    seen.matched += 1;
    for (const label of labels) {
      if (field.labels === null || field.labels.includes(label)) seen.known += 1;
      else if (unknownLabels.has(label) || unknownLabels.size < MAX_LISTED) unknownLabels.set(label, (unknownLabels.get(label) ?? 0) + 1);
    }
    return labels;
  }

  return {
    read(row) {
      if (file === null) return count(field.readGold(row.cells[column]));
      const id = compiled.rowId(row);
      if (seen.example === '') seen.example = id;
      return count(file.take(hashRowId(id)));
    },
    readByHash: (idHash) => (file === null ? null : count(file.take(idHash))),
    finish() {
      const unknown = [...unknownLabels.keys()];
      if (seen.matched === 0) throw new UsageError(describeNoMatch(name, file, seen.example), { code: 'gold' });
      if (seen.known === 0 && unknown.length > 0) {
        const labels = field.labels?.join(', ') ?? '';
        throw new UsageError(
          `${name}: none of its values is a label of ${field.name}: ${unknown
            .slice(0, 5)
            .map((label) => clip(label, MAX_LABEL_CHARACTERS))
            .join(', ')}; labels: ${labels}`,
          {
            code: 'gold',
          },
        );
      }
      return {
        type: file === null ? 'column' : 'file',
        name,
        column: file?.column ?? null,
        unmatched: file?.countUnmatched() ?? 0,
        unknownLabels: Object.fromEntries(unknownLabels),
      };
    },
  };
}

async function openFile(options: ReadOptions, prepared: PreparedJob, field: Field, name: string): Promise<GoldFile> {
  const path = resolve(options.cwd, name);
  if (existsSync(path))
    return readGoldFile({ path, shown: name, job: prepared.compiled.job, field, cwd: options.cwd, signal: options.signal });
  const { columns } = prepared.table;
  const message = `--gold ${name}: neither a column of the table nor a file; columns: ${columns.join(', ')}${suggest(name, columns)}`;
  throw new UsageError(message, { code: 'gold' });
}

function describeNoMatch(name: string, file: GoldFile | null, tableId: string): string {
  if (file === null) return `${name}: the column is empty in every row`;
  const ids = `it has ${JSON.stringify(file.exampleId)}, the table has ${JSON.stringify(tableId)}`;
  return `${name}: none of its ids is one of the table (${ids})`;
}
