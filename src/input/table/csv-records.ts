import { CsvError, Parser } from 'csv-parse';
import { UsageError } from '../../core/errors.ts';
import { describeQuoteFault, findQuoteFault } from './csv-quotes.ts';
import type { TableFile } from './read-bytes.ts';

/** A record and the line it starts on, from 1. */
export interface CsvRecord {
  readonly cells: readonly string[];
  readonly line: number;
}

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
 * Streams the records of a CSV file, the header line included, in the chunks in which the bytes arrive.
 * Line ends may be LF, CRLF or CR, mixed. Every record must have as many cells as the first.
 * @throws UsageError with file, line and column where the text is no CSV; records before it have been yielded
 */
export async function* readCsvRecords(source: CsvSource): AsyncGenerator<readonly CsvRecord[]> {
  const parser = new RecordParser(source);
  let bytesSinceRecord = 0;
  try {
    for await (const chunk of source.open()) {
      await parser.feed(chunk);
      const records = parser.takeRecords();
      bytesSinceRecord = records.length > 0 ? 0 : bytesSinceRecord + chunk.length;
      if (records.length > 0) yield records;
      if (bytesSinceRecord > MAX_RECORD_BYTES)
        throw damaged(source, parser.nextLine, 1, 'a record of more than 64 MB; is a quote never closed?');
    }
    await parser.finish();
    const records = parser.takeRecords();
    if (records.length > 0) yield records;
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    const before = parser.takeRecords();
    if (before.length > 0) yield before;
    throw await explain(error, source, parser.nextLine);
  }
}

/** Takes records out of csv-parse as they are found, past the stream's buffer: a table of a million rows is a million calls. */
class RecordParser extends Parser {
  #records: CsvRecord[] = [];
  #endLine = 0;
  #seenLines = 0;
  #seenBlankLines = 0;

  constructor({ delimiter, keepBlankLines }: CsvSource) {
    super({ delimiter, record_delimiter: ['\r\n', '\n', '\r'], skip_empty_lines: !keepBlankLines });
    // Its errors come back through the callbacks of write and end.
    this.on('error', () => {});
  }

  /** The line on which the next record starts. */
  get nextLine(): number {
    return this.#endLine + 1 + this.info.empty_lines - this.#seenBlankLines;
  }

  /** csv-parse counts a CRLF inside quotes twice; so lines inside cells are counted again, in the few records that have any. */
  override push(record: string[] | null): boolean {
    if (record === null) return super.push(null);
    const line = this.nextLine;
    const { lines, empty_lines: blankLines } = this.info;
    const hasBreaks = lines - this.#seenLines > 1 + blankLines - this.#seenBlankLines;
    this.#endLine = hasBreaks ? line + countLineBreaks(record) : line;
    this.#seenLines = lines;
    this.#seenBlankLines = blankLines;
    this.#records.push({ cells: record, line });
    return true;
  }

  takeRecords(): readonly CsvRecord[] {
    const records = this.#records;
    this.#records = [];
    return records;
  }

  feed(chunk: Buffer): Promise<void> {
    return new Promise((resolve, reject) => {
      this.write(chunk, (error) => (error ? reject(error) : resolve()));
    });
  }

  finish(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.once('error', reject);
      this.end(() => (this.errored === null ? resolve() : reject(this.errored)));
    });
  }
}

function countLineBreaks(cells: readonly string[]): number {
  let count = 0;
  for (const cell of cells) count += cell.match(/\r\n|\r|\n/g)?.length ?? 0;
  return count;
}

async function explain(error: CsvError, source: CsvSource, line: number): Promise<UsageError> {
  if (error.code === 'CSV_RECORD_INCONSISTENT_FIELDS_LENGTH') {
    const found = (error.record as readonly string[]).length;
    const expected = /expect (\d+)/.exec(error.message)?.[1] ?? 'the number of the first line';
    return damaged(source, line, 1, `${found} cells, expected ${expected} (separated by ${JSON.stringify(source.delimiter)})`);
  }
  const fault = await findQuoteFault(source.open(), source.delimiter);
  if (fault === null) return damaged(source, line, 1, error.message);
  return damaged(source, fault.line, fault.column, describeQuoteFault(fault));
}

function damaged({ file }: CsvSource, line: number, column: number, message: string): UsageError {
  return new UsageError([{ place: { file: file.shown, line, column }, message }], { code: 'table' });
}
