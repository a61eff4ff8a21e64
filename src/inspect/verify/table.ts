import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import type { FinishedRow } from '../../core/finished-row.ts';
import type { Job } from '../../core/job.ts';
import { formatUsd } from '../../core/summary.ts';
import { formatThings } from '../../core/wording/format-count.ts';
import { listAnswerTypes } from '../../input/answer/added-columns.ts';
import { openTable } from '../../input/table/open-table.ts';
import { createCsvFormat } from '../../output/csv-format.ts';
import { createJsonlFormat } from '../../output/jsonl-format.ts';
import { formatOfTable } from '../../output/output-paths.ts';
import { makeTableColumns } from '../../output/table-columns.ts';
import type { PreparedJob } from '../../run/open/prepared-job.ts';
import { type Check, decideCheck } from './files.ts';

/** Writes a table into a hash: what its file must be, without writing one. */
export interface TableDigest {
  add(rows: readonly FinishedRow[]): void;
  /** Hex. */
  read(): string;
}

export async function createTableDigest({ compiled, table }: PreparedJob, simulated: boolean): Promise<TableDigest> {
  const { write } = compiled.job;
  const { answerColumns } = compiled;
  const format = formatOfTable(write.path);
  if (format === 'parquet') return createParquetDigest({ compiled, table }, simulated);
  const columns = makeTableColumns({ ...write, columns: table.columns, answerColumns, simulated });
  const shared = { columns, answerColumns, simulated };
  const writing =
    format === 'jsonl'
      ? createJsonlFormat({ ...shared, keepsRecord: write.keep === 'all' })
      : createCsvFormat({ ...shared, excel: write.excel, delimiter: write.delimiter });
  const digest = createHash('sha256').update(writing.head);
  return { add: (rows) => void digest.update(writing.format(rows)), read: () => digest.digest('hex') };
}

async function createParquetDigest({ compiled, table }: Pick<PreparedJob, 'compiled' | 'table'>, simulated: boolean): Promise<TableDigest> {
  const { createParquetEncoder } = await import('../../output/parquet/encoder.ts');
  const { keep, prefix } = compiled.job.write;
  const encoder = createParquetEncoder({
    columns: table.columns,
    keep,
    prefix,
    answerColumns: compiled.answerColumns,
    simulated,
    stored: table.stored ?? null,
    answerTypes: listAnswerTypes(compiled.job),
  });
  const digest = createHash('sha256');
  return {
    add(rows) {
      for (const row of rows) {
        const bytes = encoder.add(row);
        if (bytes !== null) digest.update(bytes);
      }
    },
    read: () => digest.update(encoder.finish()).digest('hex'),
  };
}

/** Reads the table on disk like any other reader, and adds up its rows and their cost. */
export async function checkTableOnDisk(
  path: string,
  expected: { readonly rows: number; readonly nanoUsd: number; readonly job: Job },
  signal: AbortSignal,
): Promise<Check> {
  const name = 'table';
  if (!existsSync(path)) return { name, status: 'skipped', detail: `${path} no longer exists` };
  const format = formatOfTable(path);
  const { prefix, delimiter = null } = expected.job.write;
  const table = await openTable({ path, format, delimiter, encoding: null, columns: null, id: [] }, { signal });
  const column = table.columns.indexOf(`${prefix}_cost_usd`);
  if (column === -1) return decideCheck(name, false, `${path} has no column ${prefix}_cost_usd`);
  let rows = 0;
  let nanoUsd = 0;
  let unknown = 0;
  for await (const chunk of table.readRows(signal)) {
    for (const { cells } of chunk) {
      rows += 1;
      const cost = cells[column] ?? '';
      if (cost === '') unknown += 1;
      else nanoUsd += Math.round(Number(cost) * 1e9);
    }
  }
  const sum = nanoUsd === 0 && unknown > 0 ? 'is unknown' : `sums to $${formatUsd(nanoUsd)}`;
  const detail = `${formatThings(rows, 'row')}, _cost_usd ${sum}${unknown === 0 ? '' : `, without a value in ${unknown} of them`}`;
  const isSame = rows === expected.rows && nanoUsd === expected.nanoUsd;
  return decideCheck(
    name,
    isSame,
    isSame ? detail : `${detail}; the ledger has ${formatThings(expected.rows, 'row')} and $${formatUsd(expected.nanoUsd)}`,
  );
}
