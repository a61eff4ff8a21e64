import { UsageError } from '../../core/errors.ts';
import type { InputSpec } from '../../core/job.ts';
import type { Row } from '../../core/row.ts';
import { quotePath } from '../../core/wording/quote-argument.ts';
import { type BadRecord, type BadRows, createBadRows } from './bad-rows.ts';
import { type CsvHeader, isNameless, nameByPlace, readCsvHeader, refuseHeader } from './csv-header.ts';
import { describeFault, readCsvRecords } from './csv-records.ts';
import type { CsvRecord } from './csv-scanner.ts';
import { dropLines } from './drop-lines.ts';
import type { TableFile } from './read-bytes.ts';
import type { OpenedFormat, TextFiles } from './table-format.ts';

/** A CSV table with its parsed header. */
interface CsvTable {
  readonly spec: InputSpec;
  readonly headers: ReadonlyMap<TableFile, CsvHeader>;
  /** The indexes of the cells that belong to a row; null: all of them. */
  readonly kept: readonly number[] | null;
}

/**
 * Opens CSV or TSV files, all with the same header. Names must not repeat; columns without one are named by their position, or left out if all
 * their cells are empty. `input.columns` names columns that must exist; if the first line contains none of them, nor anything similar, and has
 * the same number of cells, the table has no header.
 */
export async function openCsvTable(text: TextFiles, spec: InputSpec, signal: AbortSignal): Promise<OpenedFormat> {
  const headers = new Map<TableFile, CsvHeader>();
  for (const file of text.files) headers.set(file, await readCsvHeader(text, file, spec, signal));
  const [first] = headers.values();
  const [firstFile] = headers.keys();
  const names = first?.names ?? [];
  for (const [file, header] of headers) {
    const isSame = header.names.length === names.length && header.names.every((name, index) => name === names[index]);
    const line = header.droppedLines + 1;
    if (!isSame)
      throw refuseHeader(file, `its header differs from that of ${firstFile?.shown}: ${show(header.names)}; expected ${show(names)}`, line);
  }
  const headless = [...headers].filter(([, header]) => !header.isInFile).map(([file]) => file.shown);
  const nameless = names.flatMap((name, index) => (isNameless(name) ? [index] : []));
  const filled = nameless.length === 0 ? null : await findFilled(text, { spec, headers, kept: null }, nameless, signal);
  const kept = filled === null ? null : names.flatMap((name, index) => (!isNameless(name) || filled.has(index) ? [index] : []));
  if (kept?.length === 0) throw new UsageError(`${firstFile?.shown}: no column has a name or a cell`, { code: 'table' });
  const table = { spec, headers, kept };
  let badRows = createBadRows(spec);
  return {
    columns: kept === null ? names : nameKept(names, kept),
    ...(first === undefined ? {} : { delimiter: first.delimiter }),
    warnings: [
      ...(spec.hasHeader === false
        ? []
        : headless.map((file) => `${file}: has no header line; its first line is a row, and input.columns names the cells`)),
      ...describeLeftOut(nameless.filter((index) => filled?.has(index) !== true)).map((told) => `${firstFile?.shown}: ${told}`),
    ],
    readWarnings: () => badRows.describe(),
    readRows(rowText, rowSignal) {
      badRows = createBadRows(spec);
      return readRows(rowText, table, badRows, rowSignal);
    },
  };
}

async function* readRows(text: TextFiles, table: CsvTable, badRows: BadRows, signal: AbortSignal): AsyncGenerator<readonly Row[]> {
  const { kept, spec } = table;
  const ofQuotes = spec.quote === 'none' ? {} : { remedy: 'input.quote: none takes every quote as a character like others' };
  const adviseRagged = createRaggedAdvice();
  let index = 0;
  for await (const { file, delimiter, records } of readRecords(text, table, signal)) {
    const rows: Row[] = [];
    for (const { cells, line, fault } of records) {
      if (fault !== null) {
        const place = { file: file.shown, line: fault.line, column: fault.column };
        const remedy = fault.type === 'ragged' ? adviseRagged(fault, delimiter, file.shown) : ofQuotes;
        const found = { line, place, message: describeFault(fault, delimiter), raw: fault.raw, ...remedy };
        const row = badRows.add(index, found);
        if (row !== null) rows.push(row);
      } else if (!badRows.isRefused) {
        const own = kept === null ? cells : kept.map((place) => cells[place]);
        rows.push({ index, file: file.shown, line, cells: own, record: null, key: null });
      }
      index += 1;
    }
    if (rows.length > 0) yield rows;
  }
  badRows.end();
}

/** For lines of text with commas, which are no table: the header is one cell, or records have both more cells than it and only one. */
function createRaggedAdvice(): (fault: { readonly cells: number; readonly width: number }, delimiter: string, file: string) => Remedy {
  let [hasOne, hasMore] = [false, false];
  let told: Remedy = {};
  return ({ cells, width }, delimiter, file) => {
    hasOne ||= cells === 1 || width === 1;
    hasMore ||= cells > width;
    if (hasOne && hasMore && told.remedy === undefined) told = { remedy: adviseLines(delimiter, file) };
    return told;
  };
}

type Remedy = Pick<BadRecord, 'remedy'>;

/** A table that has no job file yet is read by lines if its name says so. */
function adviseLines(delimiter: string, file: string): string {
  const other = delimiter === '\t' ? '"|"' : 'tab';
  const copy = file.replace(/(\.[^./]+)?(\.gz)?$/, '.txt$2');
  const named = `, as does a name ending in .txt for a table without a job file (cp ${quotePath(file)} ${quotePath(copy)})`;
  return `if each line is one text, and ${JSON.stringify(delimiter)} separates nothing: input.delimiter: ${other}, or any character that occurs nowhere, keeps every line whole${copy === file ? '' : named}`;
}

interface FileRecords {
  readonly file: TableFile;
  readonly delimiter: string;
  readonly records: readonly CsvRecord[];
}

/** The records of all files that are rows, or should be. */
async function* readRecords(text: TextFiles, { spec, headers }: CsvTable, signal: AbortSignal): AsyncGenerator<FileRecords> {
  for (const [file, { names, isInFile, delimiter, droppedLines }] of headers) {
    let isBeforeRows = isInFile;
    const keepBlankLines = names.length === 1;
    const open = () => (droppedLines === 0 ? text.openText(file, signal) : dropLines(text.openText(file, signal), droppedLines));
    const source = { file, delimiter, keepBlankLines, hasQuotes: spec.quote !== 'none', firstLine: droppedLines + 1, open };
    for await (const records of readCsvRecords(source)) {
      let start = 0;
      while (isBeforeRows && start < records.length) {
        isBeforeRows = keepBlankLines && records[start]?.cells[0] === '' && !isNameless(names[0] ?? '');
        start += 1;
      }
      yield { file, delimiter, records: start === 0 ? records : records.slice(start) };
    }
  }
}

/** Which of the columns have a cell that is not blank: this requires reading all of them. */
async function findFilled(text: TextFiles, table: CsvTable, columns: readonly number[], signal: AbortSignal): Promise<ReadonlySet<number>> {
  const empty = new Set(columns);
  for await (const { records } of readRecords(text, table, signal)) {
    for (const { cells } of records) {
      for (const index of empty) if ((cells[index] ?? '').trim() !== '') empty.delete(index);
    }
    if (empty.size === 0) break;
  }
  return new Set(columns.filter((index) => !empty.has(index)));
}

/** Unique names of the columns that are kept. */
function nameKept(names: readonly string[], kept: readonly number[]): readonly string[] {
  const taken = new Set(names);
  return kept.map((index) => {
    let name = names[index] as string;
    if (!isNameless(name)) return name;
    for (name = nameByPlace(index); taken.has(name); ) name += '_';
    taken.add(name);
    return name;
  });
}

function describeLeftOut(indexes: readonly number[]): readonly string[] {
  if (indexes.length === 0) return [];
  const numbers = indexes.map((index) => index + 1);
  const told = numbers.length === 1 ? `column ${numbers[0]} has` : `columns ${numbers.slice(0, 20).join(', ')} have`;
  return [`${told} no name and only empty cells, and ${numbers.length === 1 ? 'is' : 'are'} left out`];
}

function show(names: readonly string[]): string {
  return names.slice(0, 20).join(', ') + (names.length > 20 ? ', …' : '');
}
