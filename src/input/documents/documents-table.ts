import { open, stat } from 'node:fs/promises';
import path from 'node:path';
import { UsageError } from '../../core/errors.ts';
import type { InputSpec } from '../../core/job.ts';
import type { Row } from '../../core/row.ts';
import type { TableFile } from '../table/read-bytes.ts';
import type { OpenedFormat, TextFiles } from '../table/table-format.ts';

/** What is known of a document, in the order of its cells. */
const COLUMNS = ['path', 'name', 'bytes', 'text'];
const HEAD_BYTES = 4096;
/** As of a record of any table. */
const MAX_TEXT_BYTES = 64 * 1024 * 1024;

/**
 * A row for each file: its path from the folder of the job, its name, its size, and its text where it is one, by the rules of encoding of tables. Of all
 * other files the text is empty.
 */
export async function openDocuments(_: TextFiles, spec: Pick<InputSpec, 'root' | 'encoding'>): Promise<OpenedFormat> {
  const root = spec.root ?? process.cwd();
  return {
    columns: COLUMNS,
    warnings: [],
    namesAreData: true,
    readsAtRandom: true,
    readRows: (rowText, signal) => readRows(rowText, { root, encoding: spec.encoding }, signal),
  };
}

interface Reading {
  readonly root: string;
  readonly encoding: string | null;
}

async function* readRows(text: TextFiles, reading: Reading, signal: AbortSignal): AsyncGenerator<readonly Row[]> {
  for (const [index, file] of text.files.entries()) {
    const { size } = await stat(file.path);
    const cells = [showPath(reading.root, file.path), path.basename(file.path), size, await readText(text, file, reading, signal)];
    yield [{ index, file: file.shown, line: 1, cells, record: null, key: null }];
  }
}

/** With `/` on every system, so that it is the same row there. */
function showPath(root: string, file: string): string {
  return path.relative(root, file).split(path.sep).join('/');
}

async function readText({ openText }: TextFiles, file: TableFile, { encoding }: Reading, signal: AbortSignal): Promise<string> {
  if (!(await isTextFile(file, encoding))) return '';
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of openText(file, signal)) {
    bytes += chunk.length;
    if (bytes > MAX_TEXT_BYTES)
      throw new UsageError(`${file.shown}: a text of more than 64 MB; cut it into several files`, { code: 'table' });
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** A text has no byte 0, unless it is UTF-16; a PDF may have none either. */
async function isTextFile(file: TableFile, encoding: string | null): Promise<boolean> {
  await using handle = await open(file.path);
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
  const head = buffer.subarray(0, bytesRead);
  if (head.toString('latin1', 0, 5) === '%PDF-') return false;
  const isPacked = head[0] === 0x1f && head[1] === 0x8b;
  const isUtf16 = /^utf-?16/i.test(encoding ?? '') || (head[0] === 0xff && head[1] === 0xfe) || (head[0] === 0xfe && head[1] === 0xff);
  return isPacked || isUtf16 || !head.includes(0);
}
