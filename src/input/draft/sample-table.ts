import fs from 'node:fs/promises';
import { UsageError } from '../../core/errors.ts';
import type { InputSpec } from '../../core/job.ts';
import type { Row, Table } from '../../core/row.ts';
import { formatThings } from '../../core/wording/format-count.ts';
import { showCell } from '../request/cell-text.ts';
import { findFiles, showFile } from '../table/find-files.ts';
import { tellBinaryFormat } from '../table/foreign-file.ts';
import { openFiles } from '../table/read-table.ts';
import { guessEncoding, hasMark } from './guess-encoding.ts';
import { isHeadless } from './headless.ts';
import { renameRepeated } from './repeated-names.ts';

/** What a job has to specify about a table besides its path; null for what the reader detects. */
export type TableForm = Pick<InputSpec, 'delimiter' | 'encoding' | 'columns' | 'hasHeader' | 'quote' | 'badRows'>;

/** The beginning of a table, and how it has to be read. */
export interface TableSample {
  readonly form: TableForm;
  readonly format: Table['format'];
  /** The character between its cells, given or detected; null if it is not CSV. */
  readonly delimiter: string | null;
  /** Whether its first file begins with a byte order mark, as spreadsheets write it. */
  readonly hasByteOrderMark: boolean;
  readonly columns: readonly string[];
  /** Cells as they would appear in a prompt, in column order. */
  readonly rows: readonly (readonly string[])[];
  /** Lines among them that cannot be read. */
  readonly bad: number;
  /** Whether these are all rows of the table. */
  readonly isWhole: boolean;
  /** The first of them, to be rendered. */
  readonly first: Row;
}

/** Rows to sample: enough to tell ids from labels, in far less than a second. */
const SAMPLE_ROWS = 1_000;
const SAMPLE_CHARACTERS = 8_000_000;
/** Bytes from which an encoding is usually guessed, and how many are read for one that is not UTF-8: the first umlaut may come late. */
const ENCODING_BYTES = 1 << 20;
const MAX_ENCODING_BYTES = 64 << 20;
/** Delimiters to try if the header line does not reveal one. */
const DELIMITERS = ['|', ';', '\t', ','];

/**
 * Reads the first rows of a table with the reader; the encoding, and a delimiter the reader does not detect, are guessed.
 * @param path absolute, or a glob
 * @throws UsageError if there is no such table, or its beginning is damaged however it is read
 */
export async function sampleTable(path: string, cwd: string, signal: AbortSignal): Promise<TableSample> {
  const files = await findFiles(path, cwd);
  const encoding = await tellEncoding(files[0]?.path ?? path);
  const hasByteOrderMark = await isMarked(files[0]?.path ?? path);
  const readAs: Look = async (form) => ({
    ...(await lookAt({ ...NO_FORM, encoding, ...form }, (spec) => openFiles({ ...spec, path }, files, signal), signal)),
    hasByteOrderMark,
  });
  const look: Look = (form) =>
    readAs(form).catch(async (error: unknown) => {
      if (!(error instanceof UsageError)) throw error;
      const renamed = await findNewNames(readAs, form);
      if (renamed === null) throw error;
      return readAs({ ...form, ...renamed });
    });
  const plain = await look({}).catch((error: unknown) => {
    if (error instanceof UsageError) return error;
    throw error;
  });
  const isDoubtful = plain instanceof UsageError || (plain.format === 'csv' && plain.columns.length === 1);
  const mayBeLines = isPlainText(files[0]?.path ?? path) || (plain instanceof UsageError && (await looksLikeLines(look)));
  const told = (isDoubtful ? await findDelimiter(look, mayBeLines) : null) ?? plain;
  const read = told instanceof UsageError ? await findRemedy(look) : told;
  if (read === null) throw told;
  if (read.rows.every((cells) => cells.every((cell) => cell.trim() === '')))
    throw new UsageError(`${showFile(path, cwd)}: its ${formatThings(read.rows.length, 'row')} are all empty`, { code: 'table' });
  return isHeadless(read) ? look({ ...read.form, columns: read.columns.map((_, index) => `column_${index + 1}`) }) : read;
}

/** Reads the beginning of the table in this form. */
type Look = (form: Partial<TableForm>) => Promise<TableSample>;

const NO_FORM: TableForm = { delimiter: null, encoding: null, columns: null };

async function lookAt(
  form: TableForm,
  open: (spec: Omit<InputSpec, 'path'>) => ReturnType<typeof openFiles>,
  signal: AbortSignal,
): Promise<Omit<TableSample, 'hasByteOrderMark'>> {
  const table = await open({ ...form, format: null, id: [] });
  const rows: string[][] = [];
  let first: Row | null = null;
  let characters = 0;
  let isWhole = true;
  let bad = 0;
  reading: for await (const chunk of table.readRows(signal)) {
    for (const row of chunk) {
      if (row.bad !== undefined) {
        bad += 1;
        continue;
      }
      if (rows.length >= SAMPLE_ROWS || characters > SAMPLE_CHARACTERS) {
        isWhole = false;
        break reading;
      }
      first ??= row;
      const cells = row.cells.map(showCell);
      characters += cells.reduce((sum, { length }) => sum + length, 0);
      rows.push(cells);
    }
  }
  if (first === null) throw new UsageError(`${table.files.join(', ')}: no rows`, { code: 'table' });
  return { form, format: table.format, delimiter: table.delimiter ?? null, columns: table.columns, rows, bad, isWhole, first };
}

/** New names for a header in which one occurs more than once, or for the cells of a first line that is a row; null if that is not what is wrong. */
async function findNewNames(read: Look, form: Partial<TableForm>): Promise<Pick<TableForm, 'columns' | 'hasHeader'> | null> {
  const sample = await read({ ...form, hasHeader: false }).catch((error: unknown) => {
    if (error instanceof UsageError) return null;
    throw error;
  });
  const [header = [], ...rows] = sample?.rows ?? [];
  const columns = renameRepeated(header);
  if (sample === null || columns === null || rows.length === 0) return null;
  return isHeadless({ ...sample, columns: header, rows }) ? { columns: sample.columns } : { columns, hasHeader: true };
}

/**
 * How a table can be read that is refused by default: with quotes as ordinary characters, or without its bad lines, if these are few;
 * null if neither helps.
 */
async function findRemedy(look: Look): Promise<TableSample | null> {
  for (const form of [{ quote: 'none' }, { badRows: 'skip' }] as const) {
    const sample = await look(form).catch((error: unknown) => {
      if (error instanceof UsageError) return null;
      throw error;
    });
    // Quotes around names are not part of them.
    const isSound = sample?.columns.every((name) => !name.startsWith('"')) === true && sample.bad <= sample.rows.length;
    if (isSound) return sample;
  }
  return null;
}

/** One line of this many has no comma: below a title, nearly all lines of a table have some. */
const LINES_PER_PLAIN_ONE = 5;

/** Whether the header is one cell, and rows are as often without a delimiter as in texts with commas. */
async function looksLikeLines(look: Look): Promise<boolean> {
  const sample = await look({ badRows: 'skip' }).catch((error: unknown) => {
    if (error instanceof UsageError) return null;
    throw error;
  });
  if (sample === null || sample.columns.length !== 1) return false;
  const plain = sample.rows.filter(([cell = '']) => cell.trim() !== '').length;
  return plain * LINES_PER_PLAIN_ONE >= plain + sample.bad;
}

/** A file name that promises lines, not a table: commas in it separate nothing. */
function isPlainText(file: string): boolean {
  return /\.(txt|log)(\.gz)?$/i.test(file);
}

/** The delimiter that yields the most columns in every sampled row, at least two, or one column for plain lines; null if none does. */
async function findDelimiter(look: Look, mayBeLines: boolean): Promise<TableSample | null> {
  let best: TableSample | null = null;
  for (const delimiter of DELIMITERS) {
    const sample = await look({ delimiter }).catch((error: unknown) => {
      if (error instanceof UsageError) return null;
      throw error;
    });
    if (sample !== null && sample.columns.length > (best?.columns.length ?? (mayBeLines ? 0 : 1))) best = sample;
  }
  return best;
}

async function isMarked(file: string): Promise<boolean> {
  await using handle = await fs.open(file);
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(UTF8_MARK.length));
  const bytes = buffer.subarray(0, bytesRead);
  return hasMark(bytes) || bytes.equals(UTF8_MARK);
}

const UTF8_MARK = Buffer.of(0xef, 0xbb, 0xbf);

async function tellEncoding(file: string): Promise<string | null> {
  await using handle = await fs.open(file);
  const memory = Buffer.alloc(ENCODING_BYTES);
  for (let at = 0; at < MAX_ENCODING_BYTES; at += ENCODING_BYTES) {
    const { bytesRead } = await handle.read(memory, 0, ENCODING_BYTES, at);
    const bytes = memory.subarray(0, bytesRead);
    // Compressed files are read as UTF-8, the reader's default; binary formats have no encoding.
    if (at === 0 && (hasMark(bytes) || isPacked(bytes) || tellBinaryFormat(file, bytes) !== null)) return null;
    const encoding = guessEncoding(bytes);
    if (encoding !== null || bytesRead < ENCODING_BYTES) return encoding;
  }
  return null;
}

function isPacked([first, second]: Buffer): boolean {
  return first === 0x1f && second === 0x8b;
}
