import { UsageError } from '../../core/errors.ts';
import { formatThings } from '../../core/wording/format-count.ts';
import { type CsvFault, type CsvRecord, createCsvScanner } from './csv-scanner.ts';
import type { TableFile } from './read-bytes.ts';

/** One file of a CSV or TSV table. `open` streams its text from the first record on, as UTF-8 without a byte order mark. */
export interface CsvSource {
  readonly file: TableFile;
  readonly delimiter: string;
  /** Blank lines are skipped, unless the table has one column: there a blank line is a record with an empty cell. */
  readonly keepBlankLines: boolean;
  /** Whether quotes enclose cells; absent: they do. */
  readonly hasQuotes?: boolean;
  /** The number of the first line of records; absent: 1. */
  readonly firstLine?: number;
  open(): AsyncIterable<Buffer>;
}

/** A longer record is an unclosed quote, or not a table. */
const MAX_RECORD_BYTES = 64 * 1024 * 1024;

/**
 * Streams the records of a CSV file, including the header line, in the chunks in which the bytes arrive. Every record should have as many cells as
 * the first; one that cannot be read is a fault at its place.
 * @throws UsageError if a line is so long that this is not a table
 */
export async function* readCsvRecords(source: CsvSource): AsyncGenerator<readonly CsvRecord[]> {
  const { delimiter, keepBlankLines, hasQuotes = true, firstLine = 1 } = source;
  const scanner = createCsvScanner({ delimiter, keepBlankLines, hasQuotes, firstLine, maxRecordBytes: MAX_RECORD_BYTES });
  for await (const bytes of source.open()) {
    const records = scanner.add(bytes);
    if (records.length > 0) yield records;
    if (scanner.openBytes > MAX_RECORD_BYTES) {
      const place = { file: source.file.shown, line: scanner.line, column: 1 };
      throw new UsageError([{ place, message: 'a record of more than 64 MB; is this a table?' }], { code: 'table' });
    }
  }
  const records = scanner.finish();
  if (records.length > 0) yield records;
}

/** What is wrong with a record, in words that follow its place. */
export function describeFault(fault: CsvFault, delimiter: string): string {
  switch (fault.type) {
    case 'ragged':
      return `${formatThings(fault.cells, 'cell')}, expected ${fault.width} (separated by ${JSON.stringify(delimiter)})`;
    case 'not-closed':
      return 'the quoted cell that starts here is never closed';
    case 'too-long':
      return 'a record of more than 64 MB; is a quote never closed?';
    case 'text-after-quote':
      return `text after a closing quote, in the cell that starts on line ${fault.openLine}; a quote inside a quoted cell is written twice`;
    case 'quote-in-text':
      return 'a quote inside a cell that is not quoted; quote the whole cell and write the quote twice';
    default:
      return fault.type satisfies never;
  }
}
