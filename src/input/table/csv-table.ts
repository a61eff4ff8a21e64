import { UsageError } from '../../core/errors.ts';
import type { InputSpec } from '../../core/job.ts';
import type { Row } from '../../core/row.ts';
import { findClosest } from '../../core/wording/suggest.ts';
import { readCsvRecords } from './csv-records.ts';
import type { CsvRecord } from './csv-scanner.ts';
import type { TableFile } from './read-bytes.ts';
import type { OpenedFormat, TextFiles } from './table-format.ts';

/** The delimiters looked for in the header line, the first winning a tie. */
const DELIMITERS = [',', ';', '\t'];

/** How the first line of a CSV table is meant. */
interface Header {
  readonly columns: readonly string[];
  /** Whether the first record is the header, and no row. */
  readonly isInFile: boolean;
  readonly delimiter: string;
}

/**
 * Opens CSV or TSV files, all with the same header. One column may have no name (its name is then empty); names may not repeat.
 * `input.columns` names columns that must be there; when the first line holds none of them, nor anything like them, and is as long, the table has no header.
 */
export async function openCsvTable(text: TextFiles, spec: InputSpec, signal: AbortSignal): Promise<OpenedFormat> {
  const headers = new Map<TableFile, Header>();
  for (const file of text.files) headers.set(file, await readHeader(text, file, spec, signal));
  const [first] = headers.values();
  const [firstFile] = headers.keys();
  const columns = first?.columns ?? [];
  for (const [file, header] of headers) {
    const isSame = header.columns.length === columns.length && header.columns.every((name, index) => name === columns[index]);
    if (!isSame) throw refused(file, `its header is not that of ${firstFile?.shown}: ${show(header.columns)}; expected ${show(columns)}`);
  }
  const headless = [...headers].filter(([, header]) => !header.isInFile).map(([file]) => file.shown);
  const warnings = headless.map((file) => `${file}: has no header line; its first line is a row, and input.columns names the cells`);
  return { columns, warnings, readRows: (rowText, rowSignal) => readRows(rowText, headers, rowSignal) };
}

async function* readRows(text: TextFiles, headers: ReadonlyMap<TableFile, Header>, signal: AbortSignal): AsyncGenerator<readonly Row[]> {
  let index = 0;
  for (const [file, header] of headers) {
    let isBeforeRows = header.isInFile;
    const keepBlankLines = header.columns.length === 1;
    for await (const records of readCsvRecords({
      file,
      delimiter: header.delimiter,
      keepBlankLines,
      open: () => text.openText(file, signal),
    })) {
      const rows: Row[] = [];
      for (const { cells, line } of records) {
        if (isBeforeRows) isBeforeRows = keepBlankLines && cells[0] === '' && header.columns[0] !== '';
        else rows.push({ index: index++, file: file.shown, line, cells, record: null, key: null });
      }
      if (rows.length > 0) yield rows;
    }
  }
}

async function readHeader(text: TextFiles, file: TableFile, spec: InputSpec, signal: AbortSignal): Promise<Header> {
  const delimiter = spec.delimiter ?? (spec.format === 'tsv' ? '\t' : await sniffDelimiter(text.openText(file, signal)));
  const first = await readFirst(readCsvRecords({ file, delimiter, keepBlankLines: false, open: () => text.openText(file, signal) }));
  if (first === null) throw new UsageError(`${file.shown}: no rows`, { code: 'table' });
  const header = readColumns(first, file, spec.columns);
  return { ...header, delimiter };
}

async function readFirst(chunks: AsyncIterable<readonly CsvRecord[]>): Promise<CsvRecord | null> {
  for await (const records of chunks) return records[0] ?? null;
  return null;
}

function readColumns({ cells, line }: CsvRecord, file: TableFile, promised: readonly string[] | null): Omit<Header, 'delimiter'> {
  if (promised !== null && isHeadless(cells, promised)) return { columns: promised, isInFile: false };
  const seen = new Map<string, number>();
  for (const [index, name] of cells.entries()) {
    const before = seen.get(name);
    if (before !== undefined) {
      const what = name === '' ? 'have no name' : `are both called "${name}"`;
      throw refused(file, `columns ${before + 1} and ${index + 1} ${what}; every column needs a name of its own`, line);
    }
    seen.set(name, index);
  }
  return { columns: cells, isInFile: true };
}

/** Nothing in the line is like a promised name, and every cell gets one. */
function isHeadless(cells: readonly string[], promised: readonly string[]): boolean {
  return cells.length === promised.length && promised.every((name) => !cells.includes(name) && findClosest(name, cells) === null);
}

/** The delimiter that occurs most often in the first line, outside of quotes. */
async function sniffDelimiter(chunks: AsyncIterable<Buffer>): Promise<string> {
  const counts = new Map(DELIMITERS.map((delimiter) => [delimiter, 0]));
  let isQuoted = false;
  let hasText = false;
  scan: for await (const chunk of chunks) {
    for (const character of chunk.toString('latin1')) {
      if (character === '"') isQuoted = !isQuoted;
      const isBreak = !isQuoted && (character === '\n' || character === '\r');
      if (isBreak && hasText) break scan;
      if (!isBreak) hasText = true;
      const count = counts.get(character);
      if (!isQuoted && count !== undefined) counts.set(character, count + 1);
    }
  }
  const [best] = [...counts].reduce((a, b) => (b[1] > a[1] ? b : a));
  return best;
}

function show(names: readonly string[]): string {
  return names.slice(0, 20).join(', ') + (names.length > 20 ? ', …' : '');
}

function refused(file: TableFile, message: string, line = 1): UsageError {
  return new UsageError([{ place: { file: file.shown, line, column: 1 }, message }], { code: 'table' });
}
