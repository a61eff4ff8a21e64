import { stat } from 'node:fs/promises';
import { UsageError } from '../../core/errors.ts';
import type { InputSpec } from '../../core/job.ts';
import type { Row } from '../../core/row.ts';
import { suggest } from '../../core/wording/suggest.ts';
import type { TableFile } from '../table/read-bytes.ts';
import type { OpenedFormat, TextFiles } from '../table/table-format.ts';
import { type Archive, openArchive, refuse } from './archive.ts';
import { nameColumn, readSheetRows, type SheetRow } from './sheet-rows.ts';
import { readWorkbook, type Sheet, type Workbook } from './workbook.ts';

/** The columns of a sheet that have names, in order. */
interface Header {
  readonly names: readonly string[];
  /** Their indexes in the sheet, from 0. */
  readonly places: readonly number[];
}

/**
 * Opens sheets of workbooks, one per file, all with the same header: the first row that is not empty. Rows are streamed; the texts of a workbook are
 * held in memory. The line of a row is its number in the sheet. Empty rows are skipped.
 */
export async function openXlsxTable(text: Pick<TextFiles, 'files'>, spec: Pick<InputSpec, 'sheet' | 'skipLines'>): Promise<OpenedFormat> {
  const warnings: string[] = [];
  const choice: SheetChoice = { name: spec.sheet, skippedLines: spec.skipLines ?? 0, load: rememberWorkbook() };
  let columns: readonly string[] | null = null;
  for (const file of text.files) {
    const { header, sheet, others } = await withSheet({ file, ...choice }, readHeader);
    columns ??= header.names;
    if (header.names.length !== columns.length || header.names.some((name, place) => name !== columns?.[place]))
      throw refuse(
        file,
        `its header differs from that of ${text.files[0]?.shown}: ${header.names.join(', ')}; expected ${columns.join(', ')}`,
      );
    if (spec.sheet === undefined && others.length > 0)
      warnings.push(
        `${file.shown}: its sheet "${sheet.name}" is used; the others are ${others.map((name) => `"${name}"`).join(', ')} (input.sheet)`,
      );
  }
  return {
    columns: columns ?? [],
    warnings,
    readWarnings: () => [],
    readRows: (_, signal) => readFiles(text.files, choice, signal),
    readsAtRandom: true,
  };
}

/** An open sheet. */
interface OpenSheet {
  readonly archive: Archive;
  readonly workbook: Workbook;
  readonly sheet: Sheet;
  /** Rows of the sheet before the table. */
  readonly skippedLines: number;
}

interface SheetChoice {
  readonly name: string | undefined;
  readonly skippedLines: number;
  readonly load: (archive: Archive) => Promise<Workbook>;
}

/** Reads the texts of a workbook only once, as long as it is the same file and no other was opened in between. */
function rememberWorkbook(): SheetChoice['load'] {
  let known: { readonly stamp: string; readonly workbook: Workbook } | null = null;
  return async (archive) => {
    const { ino, size, mtimeNs, ctimeNs } = await stat(archive.file.path, { bigint: true });
    const stamp = [archive.file.path, ino, size, mtimeNs, ctimeNs].join(':');
    if (known?.stamp === stamp) return known.workbook;
    known = null;
    const workbook = await readWorkbook(archive);
    known = { stamp, workbook };
    return workbook;
  };
}

async function withSheet<Found>(
  { file, name, skippedLines, load }: SheetChoice & { readonly file: TableFile },
  use: (open: OpenSheet) => Promise<Found>,
) {
  const archive = await openArchive(file);
  try {
    const workbook = await load(archive);
    return await use({ archive, workbook, sheet: findSheet(file, workbook, name), skippedLines });
  } catch (error) {
    throw asRefusal(file, error);
  } finally {
    archive.close();
  }
}

function findSheet(file: TableFile, { sheets }: Workbook, wanted: string | undefined): Sheet {
  const names = sheets.map(({ name }) => name);
  const found = wanted === undefined ? (sheets.find(({ isHidden }) => !isHidden) ?? sheets[0]) : sheets.find(({ name }) => name === wanted);
  if (found !== undefined) return found;
  if (wanted === undefined) throw refuse(file, 'has no sheet of cells');
  throw refuse(file, `has no sheet "${wanted}". Sheets: ${names.join(', ')}${suggest(wanted, names)}`);
}

async function readHeader(open: OpenSheet) {
  const { archive, workbook, sheet } = open;
  const others = workbook.sheets.filter((other) => other !== sheet && !other.isHidden).map(({ name }) => name);
  for await (const rows of openRows(open)) {
    const [first] = rows;
    if (first !== undefined) return { header: makeHeader(archive.file, sheet, first), sheet, others };
  }
  const more = others.length === 0 ? '' : `; input.sheet names another: ${others.map((name) => `"${name}"`).join(', ')}`;
  throw refuse(archive.file, `its sheet "${sheet.name}" is empty${more}`);
}

async function* openRows({ archive, workbook, sheet, skippedLines }: OpenSheet): AsyncGenerator<readonly SheetRow[]> {
  const chunks = await archive.open(sheet.part);
  if (chunks === null) throw refuse(archive.file, `its sheet "${sheet.name}" is missing`);
  for await (const rows of readSheetRows(chunks, workbook))
    yield skippedLines === 0 ? rows : rows.filter(({ line }) => line > skippedLines);
}

function makeHeader(file: TableFile, sheet: Sheet, { line, cells }: SheetRow): Header {
  const places = [...cells.keys()].toSorted((a, b) => a - b);
  const names = places.map((place) => String(cells.get(place)));
  const twice = names.findIndex((name, place) => names.indexOf(name) !== place);
  if (twice !== -1) {
    const first = names.indexOf(names[twice] as string);
    const where = [first, twice].map((index) => `${nameColumn(places[index] as number)}${line}`).join(' and ');
    throw refuse(file, `cells ${where} of sheet "${sheet.name}" are both called "${names[twice]}"; every column needs a unique name`);
  }
  return { names, places };
}

async function* readFiles(
  files: readonly TableFile[],
  { name, skippedLines, load }: SheetChoice,
  signal: AbortSignal,
): AsyncGenerator<readonly Row[]> {
  let index = 0;
  for (const file of files) {
    const archive = await openArchive(file);
    try {
      const workbook = await load(archive);
      const sheet = findSheet(file, workbook, name);
      let header: Header | null = null;
      for await (const found of openRows({ archive, workbook, sheet, skippedLines })) {
        signal.throwIfAborted();
        const rows: Row[] = [];
        for (const row of found) {
          if (header === null) header = makeHeader(file, sheet, row);
          else
            rows.push({ index: index++, file: file.shown, line: row.line, cells: pickCells(file, header, row), record: null, key: null });
        }
        if (rows.length > 0) yield rows;
      }
    } catch (error) {
      throw asRefusal(file, error);
    } finally {
      archive.close();
    }
  }
}

function pickCells(file: TableFile, { places }: Header, { line, cells }: SheetRow): readonly unknown[] {
  const picked = places.map((place) => cells.get(place) ?? null);
  if (picked.filter((cell) => cell !== null).length === cells.size) return picked;
  const nameless = [...cells.keys()].find((place) => !places.includes(place)) as number;
  throw refuse(
    file,
    `cell ${nameColumn(nameless)}${line} is in a column without a name; add one to the header row, or skip rows above it with input.skip_lines`,
  );
}

function asRefusal(file: TableFile, error: unknown): Error {
  if (error instanceof UsageError || (error as Error).name === 'AbortError') return error as Error;
  return refuse(file, `cannot be read: ${(error as Error).message}`);
}
