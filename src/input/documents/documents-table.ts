import { stat } from 'node:fs/promises';
import path from 'node:path';
import { UsageError } from '../../core/errors.ts';
import type { InputSpec } from '../../core/job.ts';
import type { Row } from '../../core/row.ts';
import { type BadRecord, type BadRows, createBadRows } from '../table/bad-rows.ts';
import { readBytes, type TableFile } from '../table/read-bytes.ts';
import type { OpenedFormat, TextFiles } from '../table/table-format.ts';

/** What is known about a document, in the order of its cells. */
const COLUMNS = ['path', 'name', 'bytes', 'text'];
const HEAD_BYTES = 4096;
/** The same limit as for a record of any table. */
const MAX_TEXT_BYTES = 64 * 1024 * 1024;

/**
 * One row per file: its path relative to the folder of the job, its name, its size, and its text, decoded by the rules for tables. For all
 * other files the text is empty. A file that cannot be read is a bad record.
 */
export async function openDocuments(_: TextFiles, spec: Pick<InputSpec, 'root' | 'encoding' | 'badRows'>): Promise<OpenedFormat> {
  const root = spec.root ?? process.cwd();
  let badRows: BadRows | null = null;
  return {
    columns: COLUMNS,
    warnings: [],
    readWarnings: () => badRows?.describe() ?? [],
    namesAreData: true,
    readsAtRandom: true,
    readRows(rowText, signal) {
      badRows = createBadRows(spec);
      return readRows(rowText, { root, encoding: spec.encoding, badRows }, signal);
    },
  };
}

interface Reading {
  readonly root: string;
  readonly encoding: string | null;
  readonly badRows: BadRows;
}

async function* readRows(text: TextFiles, reading: Reading, signal: AbortSignal): AsyncGenerator<readonly Row[]> {
  const { root, badRows } = reading;
  for (const [index, file] of text.files.entries()) {
    const row = await readRow(text, { file, index }, reading, signal).catch((error: unknown) => {
      const fault = describeFault(file, showPath(root, file.path), error);
      if (fault === null) throw error;
      return badRows.add(index, fault);
    });
    if (row !== null && !badRows.isRefused) yield [row];
  }
  badRows.end();
}

async function readRow(
  text: TextFiles,
  { file, index }: { readonly file: TableFile; readonly index: number },
  reading: Reading,
  signal: AbortSignal,
): Promise<Row> {
  const { size } = await stat(file.path);
  const cells = [showPath(reading.root, file.path), path.basename(file.path), size, await readText(text, file, reading, signal)];
  return { index, file: file.shown, line: 1, cells, record: null, key: null };
}

/** What is wrong with a document; null for any other error. @param shown the name that replaces its text in the table */
function describeFault(file: TableFile, shown: string, error: unknown): BadRecord | null {
  const problem = error instanceof UsageError ? error.problems[0] : undefined;
  if (problem === undefined) return null;
  const place = problem.place ?? { file: file.shown, line: 1, column: 1 };
  return { line: place.line, place, message: problem.message.replace(`${file.shown}: `, ''), raw: shown };
}

/** With `/` on every system, so that the row is the same everywhere. */
function showPath(root: string, file: string): string {
  return path.relative(root, file).split(path.sep).join('/');
}

async function readText({ openText }: TextFiles, file: TableFile, { encoding }: Reading, signal: AbortSignal): Promise<string> {
  if (!(await isTextFile(file, encoding, signal))) return '';
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of openText(file, signal)) {
    bytes += chunk.length;
    if (bytes > MAX_TEXT_BYTES)
      throw new UsageError(`${file.shown}: a text of more than 64 MB; cut it into several files`, { code: 'table' });
    chunks.push(Buffer.from(chunk));
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** Text has no byte 0, unless it is UTF-16; a PDF may have none either. Compressed files are checked after decompression. */
async function isTextFile(file: TableFile, encoding: string | null, signal: AbortSignal): Promise<boolean> {
  let head: Buffer = Buffer.alloc(0);
  for await (const chunk of readBytes(file, signal)) {
    head = Buffer.from(chunk.subarray(0, HEAD_BYTES));
    break;
  }
  if (head.toString('latin1', 0, 5) === '%PDF-') return false;
  const isUtf16 = /^utf-?16/i.test(encoding ?? '') || (head[0] === 0xff && head[1] === 0xfe) || (head[0] === 0xfe && head[1] === 0xff);
  return isUtf16 || !head.includes(0);
}
