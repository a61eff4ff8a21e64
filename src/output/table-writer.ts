import type { FinishedRow } from '../core/finished-row.ts';
import { openAtomicFile } from './atomic-file.ts';
import { createCsvFormat } from './csv-format.ts';
import { createJsonlFormat } from './jsonl-format.ts';
import type { RowFormat } from './row-format.ts';
import { makeTableColumns } from './table-columns.ts';
import type { TableWriter, TableWriterOptions } from './table-writer-options.ts';

/** Rows formatted together: enough to hide the cost of a call, few enough not to hold large rows twice. */
const ROWS_PER_FORMAT = 64;
const CHARACTERS_PER_FORMAT = 1 << 22;
/** Characters gathered before a write: so few that a string of them is not a large object for the garbage collector. */
const CHUNK_CHARACTERS = 1 << 15;

/**
 * Opens the writer of a table.
 * @throws DiskError if the file cannot be written; also from all its methods
 */
export async function createTableWriter(options: TableWriterOptions): Promise<TableWriter> {
  if (options.format !== 'parquet') return createRowWriter(options.path, createFormat(options));
  const { createParquetTableWriter } = await import('./parquet/parquet-table-writer.ts');
  return createParquetTableWriter(options);
}

function createFormat(options: TableWriterOptions): RowFormat {
  const columns = makeTableColumns(options);
  const { answerColumns, simulated, excel, delimiter, keep } = options;
  return options.format === 'csv'
    ? createCsvFormat({ columns, answerColumns, simulated, excel, delimiter })
    : createJsonlFormat({ columns, answerColumns, simulated, keepsRecord: keep === 'all' });
}

/** Writes rows of any format in large chunks, one after the other even if the caller does not wait. */
export async function createRowWriter(path: string, format: RowFormat): Promise<TableWriter> {
  const file = await openAtomicFile(path);
  let rows: FinishedRow[] = [];
  let text = format.head;
  let characters = 0;
  let written: Promise<void> = Promise.resolve();

  const formatRows = (): void => {
    text += format.format(rows);
    rows = [];
  };
  /** Starts writing what was gathered. @returns the previous write: one may be in progress while the next chunk is gathered */
  const writeText = (): Promise<void> => {
    const chunk = text;
    text = '';
    const before = written;
    written = before.then(() => file.write(chunk));
    // A failure is reported to whoever waits for this write, the next one or `finish`.
    written.catch(() => undefined);
    return before;
  };
  return {
    write(row) {
      rows.push(row);
      characters += row.answerCharacters ?? 0;
      if (rows.length < ROWS_PER_FORMAT && characters < CHARACTERS_PER_FORMAT) return;
      formatRows();
      characters = 0;
      if (text.length >= CHUNK_CHARACTERS) return writeText();
    },
    async finish() {
      if (rows.length > 0) formatRows();
      writeText();
      await written;
      return file.commit();
    },
    async abandon() {
      await written.catch(() => undefined);
      await file.discard();
    },
  };
}
