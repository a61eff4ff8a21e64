import { rm } from 'node:fs/promises';
import type { FinishedRow } from '../../core/finished-row.ts';
import { listAnswerTypes } from '../../input/answer/added-columns.ts';
import type { RunRowsWriter } from '../../ledger/runs.ts';
import { createFailuresWriter } from '../../output/failures-writer.ts';
import { failuresPath, formatOfTable, partialPath, reportPath } from '../../output/output-paths.ts';
import type { RowCounter } from '../../output/report/count/row-counter.ts';
import type { SummaryCounter } from '../../output/summary-counter.ts';
import { createTableWriter } from '../../output/table-writer.ts';
import type { TableWriter } from '../../output/table-writer-options.ts';
import { hashRowId } from '../open/row-keys.ts';
import { type FinishOptions, finishRows } from './finish-rows.ts';

export interface WriteOptions extends FinishOptions {
  /** A full run that came to its end: the table replaces the one named by the job; otherwise it is written next to it. */
  readonly isFinal: boolean;
  readonly simulated: boolean;
  readonly counter: SummaryCounter;
  readonly reportRows: RowCounter;
  /** As in `KeyedTable`; absent if no row carries a key. */
  readonly wereKeysRight?: () => boolean;
}

/** What was written. Paths are absolute; null if nothing was. */
export interface WrittenOutputs {
  readonly table: string | null;
  readonly tableSha256: string;
  /** Null if no row failed. */
  readonly failures: string | null;
}

/**
 * Writes one output row per input row, the failed ones again in a separate table, and the run's own list of rows and keys.
 * @returns null, with nothing written, if the input changed meanwhile: other bytes were read, or a final table would have rows whose answer
 * was never requested
 */
export async function writeOutputs(options: WriteOptions): Promise<WrittenOutputs | null> {
  const { compiled, table, ledger, counter, reportRows, isFinal } = options;
  const { write } = compiled.job;
  const path = isFinal ? write.path : partialPath(write.path);
  const tableWriter = await createTableWriter({
    path,
    format: formatOfTable(write.path),
    columns: table.columns,
    keep: write.keep,
    prefix: write.prefix,
    answerColumns: compiled.answerColumns,
    excel: write.excel,
    delimiter: write.delimiter,
    simulated: options.simulated,
    stored: table.stored ?? null,
    answerTypes: listAnswerTypes(compiled.job),
  });
  const failuresWriter = createFailuresWriter({ ...write, path: failuresPath(path), readId: compiled.rowId });
  const rowsWriter = await openRunRows(options, tableWriter);
  const writeRow = (row: FinishedRow): Promise<unknown> | null => {
    counter.add(row);
    reportRows.add(row);
    if (isRowOfRun(row)) rowsWriter.add(hashRowId(compiled.rowId(row.row)), row.key);
    const table = tableWriter.write(row);
    const failures = failuresWriter.write(row);
    return table === undefined && failures === undefined ? null : Promise.all([table, failures]);
  };
  try {
    for await (const rows of finishRows(options)) {
      for (const row of rows) {
        // Awaiting a million finished promises costs more than writing the rows.
        const written = writeRow(row);
        if (written !== null) await written;
      }
    }
    if (options.wereKeysRight?.() === false || (isFinal && counter.read().rows.pending > 0)) {
      await Promise.all([tableWriter.abandon(), failuresWriter.abandon(), rowsWriter.abandon()]);
      return null;
    }
    // Who took this run over may be about to write the same files.
    ledger.assertHeld();
    const failures = await failuresWriter.finish();
    rowsWriter.finish();
    const written = await tableWriter.finish();
    if (isFinal) {
      const partial = partialPath(write.path);
      await Promise.all([partial, failuresPath(partial), reportPath(partial)].map((file) => rm(file, { force: true })));
    }
    return { table: path, tableSha256: written.sha256, failures: failures === null ? null : failuresPath(path) };
  } catch (error) {
    await Promise.allSettled([tableWriter.abandon(), failuresWriter.abandon(), rowsWriter.abandon()]);
    throw error;
  }
}

/** Whether a run is about a row: not a record that cannot be read, and not one that does not match `input.where`. */
function isRowOfRun({ disposition }: FinishedRow): boolean {
  return disposition.status !== 'skipped' || (disposition.cause !== 'bad_row' && disposition.cause !== 'where');
}

async function openRunRows({ ledger, run }: WriteOptions, tableWriter: TableWriter): Promise<RunRowsWriter> {
  try {
    return ledger.runFiles.createRunRowsWriter(run);
  } catch (error) {
    await tableWriter.abandon();
    throw error;
  }
}

/** Counts the rows in their current state, and writes nothing. */
export async function countOutputs(options: FinishOptions & Pick<WriteOptions, 'counter'>): Promise<WrittenOutputs> {
  for await (const rows of finishRows(options)) for (const row of rows) options.counter.add(row);
  return { table: null, tableSha256: '', failures: null };
}
