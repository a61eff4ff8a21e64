import { createHash, hash, randomUUID } from 'node:crypto';
import fs from 'node:fs';
import { readPieces } from '../../core/disk/read-pieces.ts';
import { UsageError } from '../../core/errors.ts';
import type { InputSpec, RequestGroup, SplitSpec, TableFormat } from '../../core/job.ts';
import type { Row, Table } from '../../core/row.ts';
import { suggest } from '../../core/wording/suggest.ts';
import { decodeText } from './decode-text.ts';
import { HEAD_BYTES, tellBinaryFormat } from './foreign-file.ts';
import { type OnBytes, readBytes, type TableFile } from './read-bytes.ts';
import { READERS } from './readers.ts';
import { PART_COLUMNS, splitRows } from './split-rows.ts';
import { guessFormat, type OpenedFormat, type TextFiles } from './table-format.ts';

/** A table, and what its user should know. */
export interface InputTable extends Table {
  /** Of each file, when it was opened: where one ends and the next begins. */
  readonly fileBytes: readonly number[];
  /** In words; empty if there is nothing to say. */
  readonly warnings: readonly string[];
  /** For a table of requests, its groups; absent for all others. */
  readonly requests?: readonly RequestGroup[];
  /** Further warnings about the rows read in the last pass. */
  readWarnings(): readonly string[];
  /** @param onSha256 receives the sha256 (hex) of the bytes of all files, as they were read, after the last row */
  readRows(signal: AbortSignal, onSha256?: (sha256: string) => void): AsyncIterable<readonly Row[]>;
  /** The sha256 (hex) of the bytes of all files: from the last complete pass of a run, else of the current files. */
  readSha256(signal: AbortSignal): Promise<string>;
}

const MAX_CHUNK_ROWS = 512;
/** Bytes hashed at once. */
const HASH_BYTES = 1 << 20;

/** Opens the files of a table. */
export async function openFiles(spec: InputSpec, files: readonly TableFile[], signal: AbortSignal): Promise<InputTable> {
  const makeText = (onBytes?: OnBytes): TextFiles => ({
    files,
    openText: (file, fileSignal) => decodeText(readBytes(file, fileSignal, onBytes), file, spec.encoding),
  });
  const text = makeText();
  const format = await decideFormat(spec, text, signal);
  refuseTextKeys(spec, format);
  const read = await READERS[format](text, { ...spec, format }, signal);
  const opened = spec.split === undefined ? read : splitTable(read, spec.split);
  // A document with another name is another row.
  const nameHash = (sha256: string) =>
    opened.namesAreData ? hash('sha256', [...files.map(({ path }) => path), sha256].join('\0')) : sha256;
  await requireRow(opened, text, signal);
  const fileBytes = await Promise.all(files.map(async (file) => (await fs.promises.stat(file.path)).size));
  return {
    columns: opened.columns,
    format,
    files: files.map((file) => file.path),
    fileBytes,
    bytes: fileBytes.reduce((sum, bytes) => sum + bytes, 0),
    warnings: opened.warnings,
    ...(opened.stored === undefined ? {} : { stored: opened.stored }),
    ...(opened.delimiter === undefined ? {} : { delimiter: opened.delimiter }),
    ...(opened.requests === undefined ? {} : { requests: opened.requests }),
    readWarnings: () => opened.readWarnings?.() ?? [],
    readSha256: async (hashSignal) => nameHash(await hashInput({ files: files.map((file) => file.path) }, hashSignal)),
    async *readRows(rowSignal, onSha256) {
      if (opened.readsAtRandom) {
        const before = await stampFiles(files);
        yield* cutChunks(opened.readRows(text, rowSignal));
        if (onSha256 === undefined) return;
        const sha256 = await hashInput({ files: files.map((file) => file.path) }, rowSignal);
        // A file read while it was being written has a hash that will never be found again.
        onSha256(before === (await stampFiles(files)) ? nameHash(sha256) : `changed-${randomUUID()}`);
        return;
      }
      const digest = onSha256 === undefined ? null : createHash('sha256');
      yield* cutChunks(opened.readRows(digest === null ? text : makeText((bytes) => digest.update(bytes)), rowSignal));
      if (digest !== null) onSha256?.(nameHash(digest.digest('hex')));
    },
  };
}

/** @throws UsageError if the column does not exist, or parts could not be distinguished */
function splitTable(opened: OpenedFormat, split: SplitSpec): OpenedFormat {
  const refuse = (message: string) => new UsageError(`input.split: ${message}`, { code: 'table' });
  if (opened.requests !== undefined) throw refuse('requests are sent as they are; leave it out');
  if (!opened.columns.includes(split.column)) throw refuse(`no column "${split.column}"${suggest(split.column, opened.columns)}`);
  const taken = PART_COLUMNS.find((name) => opened.columns.includes(name));
  if (taken !== undefined) throw refuse(`the table already has a column "${taken}"; rename it with input.columns`);
  return splitRows(opened, split);
}

/** What changes as soon as a file is written or replaced. */
async function stampFiles(files: readonly TableFile[]): Promise<string> {
  const stats = await Promise.all(files.map(({ path }) => fs.promises.stat(path, { bigint: true })));
  return stats.map(({ ino, size, mtimeNs, ctimeNs }) => [ino, size, mtimeNs, ctimeNs].join(':')).join(' ');
}

/** Options for the text of a CSV table, or for a workbook, which have no meaning for other formats. @throws UsageError */
function refuseTextKeys({ quote, hasHeader, sheet, skipLines }: InputSpec, format: TableFormat): void {
  const shown = format === 'requests' || format === 'documents' ? `of ${format}` : format.toUpperCase();
  if (sheet !== undefined && format !== 'xlsx')
    throw new UsageError(`input.sheet: is for Excel workbooks; this table is ${shown}`, { code: 'table' });
  if (skipLines !== undefined && (format === 'parquet' || format === 'documents'))
    throw new UsageError(`input.skip_lines: is for tables of lines; this table is ${shown}`, { code: 'table' });
  if (format === 'csv' || format === 'tsv') return;
  const key = quote === 'none' ? 'quote' : hasHeader === undefined ? null : 'header';
  if (key !== null) throw new UsageError(`input.${key}: is for CSV and TSV; this table is ${shown}`, { code: 'table' });
}

/** The sha256 (hex) of the bytes of all files of a table, in reading order, as they are on disk. */
export async function hashInput(table: Pick<Table, 'files'>, signal: AbortSignal): Promise<string> {
  const digest = createHash('sha256');
  for (const file of table.files) {
    for await (const piece of readPieces(file, HASH_BYTES)) {
      signal.throwIfAborted();
      digest.update(piece);
    }
  }
  return digest.digest('hex');
}

/** From the job, else from the first bytes of a binary file, else from its name, else from the first character. A `.json` file that starts with `{` is JSONL. */
async function decideFormat(spec: InputSpec, text: TextFiles, signal: AbortSignal): Promise<TableFormat> {
  const [file] = text.files;
  if (spec.format === 'documents') return spec.format;
  const binary = file === undefined ? null : await readBinaryFormat(file);
  if (spec.format !== null && binary !== null && binary !== spec.format)
    throw new UsageError(`${file?.shown}: is ${binary}, not ${spec.format}; write format: ${binary}, or nothing`, { code: 'table' });
  if (spec.format !== null || binary !== null) return binary ?? (spec.format as TableFormat);
  const guessed = guessFormat(file?.path ?? '');
  if (file === undefined || (guessed !== null && guessed !== 'json')) return guessed ?? 'csv';
  for await (const chunk of text.openText(file, signal)) {
    const first = chunk.toString('utf8').trimStart()[0];
    if (first === '{') return 'jsonl';
    if (first === '[') return 'json';
    if (first !== undefined) break;
  }
  return guessed ?? 'csv';
}

async function readBinaryFormat(file: TableFile): Promise<TableFormat | null> {
  await using handle = await fs.promises.open(file.path);
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
  return tellBinaryFormat(file.path, buffer.subarray(0, bytesRead));
}

async function requireRow(opened: OpenedFormat, text: TextFiles, signal: AbortSignal): Promise<void> {
  for await (const rows of opened.readRows(text, signal)) {
    if (rows.length > 0) return;
  }
  throw new UsageError(`${text.files.map((file) => file.shown).join(', ')}: no rows`, { code: 'table' });
}

async function* cutChunks(chunks: AsyncIterable<readonly Row[]>): AsyncGenerator<readonly Row[]> {
  for await (const rows of chunks) {
    if (rows.length <= MAX_CHUNK_ROWS) yield rows;
    else for (let start = 0; start < rows.length; start += MAX_CHUNK_ROWS) yield rows.slice(start, start + MAX_CHUNK_ROWS);
  }
}
