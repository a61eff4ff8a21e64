import { UsageError } from '../../core/errors.ts';
import type { InputSpec } from '../../core/job.ts';
import { findClosest } from '../../core/wording/suggest.ts';
import { describeFault, readCsvRecords } from './csv-records.ts';
import type { CsvRecord } from './csv-scanner.ts';
import { dropLines } from './drop-lines.ts';
import type { TableFile } from './read-bytes.ts';
import type { TextFiles } from './table-format.ts';

/** The beginning of a CSV file. */
export interface CsvHeader {
  /** A name for each cell of a record; empty if the header line has none. */
  readonly names: readonly string[];
  /** Whether the first record is the header, not a row. */
  readonly isInFile: boolean;
  readonly delimiter: string;
  /** Lines before the first record, which are not part of the table. */
  readonly droppedLines: number;
}

/** The delimiters to look for in the header line; the first one wins a tie. */
const DELIMITERS = [',', ';', '\t'];

/** A spreadsheet program's line before the table that names the delimiter; another program may have turned it into a row of empty cells. */
const SEPARATOR_LINE = /^"?sep=([^"\r\n])\1*"?\1* *$/iu;
const SEPARATOR_BYTES = 64;

/** @throws UsageError if the first record is neither a header nor a row */
export async function readCsvHeader(text: TextFiles, file: TableFile, spec: InputSpec, signal: AbortSignal): Promise<CsvHeader> {
  const openFrom = (lines: number) => dropLines(text.openText(file, signal), lines);
  const skippedLines = spec.skipLines ?? 0;
  const separator = SEPARATOR_LINE.exec(await readFirstLine(openFrom(skippedLines)))?.[1] ?? null;
  const droppedLines = skippedLines + (separator === null ? 0 : 1);
  const hasQuotes = spec.quote !== 'none';
  const delimiter = spec.delimiter ?? separator ?? (spec.format === 'tsv' ? '\t' : await sniffDelimiter(openFrom(droppedLines), hasQuotes));
  const source = { file, delimiter, hasQuotes, firstLine: droppedLines + 1, keepBlankLines: false, open: () => openFrom(droppedLines) };
  const first = await readFirst(readCsvRecords(source));
  if (first === null) throw new UsageError(`${file.shown}: no rows`, { code: 'table' });
  if (first.fault !== null) {
    const { line, column } = first.fault;
    const advice = hasQuotes ? '; with input.quote: none every quote is a character like others' : '';
    throw refuseHeader(file, `${describeFault(first.fault, delimiter)}${advice}`, line, column);
  }
  return { ...nameCells(first, file, spec), delimiter, droppedLines };
}

/** Its beginning, if it is long. */
async function readFirstLine(chunks: AsyncIterable<Buffer>): Promise<string> {
  let text = '';
  for await (const chunk of chunks) {
    text += chunk.toString('utf8', 0, SEPARATOR_BYTES);
    if (text.length >= SEPARATOR_BYTES || /[\r\n]/.test(text)) break;
  }
  return text.split(/[\r\n]/, 1)[0] as string;
}

async function readFirst(chunks: AsyncIterable<readonly CsvRecord[]>): Promise<CsvRecord | null> {
  for await (const records of chunks) return records[0] ?? null;
  return null;
}

function nameCells({ cells, line }: CsvRecord, file: TableFile, spec: InputSpec): Pick<CsvHeader, 'names' | 'isInFile'> {
  const { columns: given, hasHeader = null } = spec;
  if (hasHeader === false) {
    const names = given ?? cells.map((_, index) => nameByPlace(index));
    if (names.length === cells.length) return { names, isInFile: false };
    throw refuseHeader(file, `${cells.length} cells, but input.columns has ${names.length} names for them`, line);
  }
  if (hasHeader === true && given !== null) return { names: rename(cells, given, file, line), isInFile: true };
  if (given !== null && isHeadless(cells, given)) return { names: given, isInFile: false };
  const repeated = findRepeated(cells);
  if (repeated === null) return { names: cells, isInFile: true };
  // That many names cannot mean anything else.
  if (given?.length === cells.length) return { names: given, isInFile: true };
  const [before, index] = repeated;
  const message = `columns ${before + 1} and ${index + 1} are both called "${cells[index]}"; every column needs a unique name: input.columns with ${cells.length} names, and input.header: true, renames them`;
  throw refuseHeader(file, message, line);
}

/** The name of a column without a name. */
export function nameByPlace(index: number): string {
  return `column_${index + 1}`;
}

/** Whether a header line has no name for a column. */
export function isNameless(name: string): boolean {
  return name.trim() === '';
}

/** New names for all columns, or for all that have a name. */
function rename(cells: readonly string[], given: readonly string[], file: TableFile, line: number): readonly string[] {
  if (given.length === cells.length) return given;
  const named = cells.filter((name) => !isNameless(name)).length;
  if (given.length !== named)
    throw refuseHeader(file, `${cells.length} columns, but input.columns has ${given.length} names for them (input.header: true)`, line);
  let taken = 0;
  return cells.map((name) => (isNameless(name) ? '' : (given[taken++] as string)));
}

function findRepeated(names: readonly string[]): readonly [number, number] | null {
  const seen = new Map<string, number>();
  for (const [index, name] of names.entries()) {
    const before = isNameless(name) ? undefined : seen.get(name);
    if (before !== undefined) return [before, index];
    seen.set(name, index);
  }
  return null;
}

/** No cell in the line resembles a promised name, and every cell gets one. */
function isHeadless(cells: readonly string[], promised: readonly string[]): boolean {
  return cells.length === promised.length && promised.every((name) => !cells.includes(name) && findClosest(name, cells) === null);
}

/** The delimiter that occurs most often in the first line, outside of quotes. */
async function sniffDelimiter(chunks: AsyncIterable<Buffer>, hasQuotes: boolean): Promise<string> {
  const counts = new Map(DELIMITERS.map((delimiter) => [delimiter, 0]));
  let isQuoted = false;
  let hasText = false;
  scan: for await (const chunk of chunks) {
    for (const character of chunk.toString('latin1')) {
      if (character === '"' && hasQuotes) isQuoted = !isQuoted;
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

export function refuseHeader(file: TableFile, message: string, line: number, column = 1): UsageError {
  return new UsageError([{ place: { file: file.shown, line, column }, message }], { code: 'table' });
}
