import { UsageError } from '../../core/errors.ts';
import { type CsvRecord, createCsvScanner, type QuoteFault } from './csv-scanner.ts';
import type { TableFile } from './read-bytes.ts';

/** One file of a CSV or TSV table. `open` streams its text from the start, as UTF-8 without a byte order mark. */
export interface CsvSource {
  readonly file: TableFile;
  readonly delimiter: string;
  /** Blank lines are skipped, unless the table has one column: there a blank line is a record with an empty cell. */
  readonly keepBlankLines: boolean;
  open(): AsyncIterable<Buffer>;
}

/** A record above this is a quote that was never closed, or no table. */
const MAX_RECORD_BYTES = 64 * 1024 * 1024;

/**
 * Streams the records of a CSV file, the header line included, in the chunks in which the bytes arrive. Every record must have as many cells as
 * the first.
 * @throws UsageError with file, line and column where the text is no CSV; records before it have been yielded
 */
export async function* readCsvRecords(source: CsvSource): AsyncGenerator<readonly CsvRecord[]> {
  const { delimiter, keepBlankLines } = source;
  const scanner = createCsvScanner({ delimiter, keepBlankLines, maxRecordBytes: MAX_RECORD_BYTES });
  let width: number | null = null;

  function* checkRecords(records: readonly CsvRecord[]): Generator<readonly CsvRecord[]> {
    width ??= records[0]?.cells.length ?? null;
    const bad = records.findIndex(({ cells }) => cells.length !== width);
    const good = bad === -1 ? records : records.slice(0, bad);
    if (good.length > 0) yield good;
    const ragged = records[bad];
    if (ragged !== undefined) {
      const message = `${ragged.cells.length} cells, expected ${width} (separated by ${JSON.stringify(delimiter)})`;
      throw damaged(source, ragged.line, 1, message);
    }
    if (scanner.fault !== null) throw damaged(source, scanner.fault.line, scanner.fault.column, describeFault(scanner.fault));
  }

  for await (const bytes of source.open()) {
    yield* checkRecords(scanner.add(bytes));
    if (scanner.openBytes > MAX_RECORD_BYTES)
      throw damaged(source, scanner.line, 1, 'a record of more than 64 MB; is a quote never closed?');
  }
  yield* checkRecords(scanner.finish());
}

function describeFault(fault: QuoteFault): string {
  switch (fault.type) {
    case 'not-closed':
      return 'the quoted cell that starts here is never closed';
    case 'text-after-quote':
      return `text after a closing quote, in the cell that starts on line ${fault.openLine}; a quote inside a quoted cell is written twice`;
    case 'quote-in-text':
      return 'a quote inside a cell that is not quoted; quote the whole cell and write the quote twice';
    default:
      return fault.type satisfies never;
  }
}

function damaged({ file }: CsvSource, line: number, column: number, message: string): UsageError {
  return new UsageError([{ place: { file: file.shown, line, column }, message }], { code: 'table' });
}
