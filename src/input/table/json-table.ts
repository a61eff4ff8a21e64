import type { InputSpec } from '../../core/job.ts';
import type { Row } from '../../core/row.ts';
import { readJsonArray } from './json-array.ts';
import { type JsonRecord, readJsonLines } from './json-records.ts';
import type { OpenedFormat, TextFiles } from './table-format.ts';

/** How many records are looked at to learn the columns. */
const COLUMN_RECORDS = 1_000;

/** Opens JSONL or JSON arrays. The columns are the keys of the first 1,000 records, in the order in which they first occur. */
export async function openJsonTable(text: TextFiles, spec: Pick<InputSpec, 'format'>, signal: AbortSignal): Promise<OpenedFormat> {
  const format = spec.format === 'json' ? 'json' : 'jsonl';
  const columns = await learnColumns(text, format, signal);
  return { columns, warnings: [], readRows: (rowText, rowSignal) => readRows({ text: rowText, format, columns, signal: rowSignal }) };
}

async function learnColumns(text: TextFiles, format: 'jsonl' | 'json', signal: AbortSignal): Promise<readonly string[]> {
  const columns = new Set<string>();
  let seen = 0;
  for (const file of text.files) {
    for await (const records of readRecords(text, file, format, signal)) {
      for (const { record } of records) {
        if (seen++ >= COLUMN_RECORDS) return [...columns];
        for (const key of Object.keys(record)) columns.add(key);
      }
    }
  }
  return [...columns];
}

interface JsonRows {
  readonly text: TextFiles;
  readonly format: 'jsonl' | 'json';
  readonly columns: readonly string[];
  readonly signal: AbortSignal;
}

async function* readRows({ text, format, columns, signal }: JsonRows): AsyncGenerator<readonly Row[]> {
  let index = 0;
  for (const file of text.files) {
    for await (const records of readRecords(text, file, format, signal)) {
      yield records.map(({ record, line }) => ({
        index: index++,
        file: file.shown,
        line,
        cells: columns.map((column) => record[column]),
        record,
        key: null,
      }));
    }
  }
}

function readRecords(
  text: TextFiles,
  file: TextFiles['files'][number],
  format: 'jsonl' | 'json',
  signal: AbortSignal,
): AsyncIterable<readonly JsonRecord[]> {
  const chunks = text.openText(file, signal);
  return format === 'json' ? readJsonArray(chunks, file) : readJsonLines(chunks, file);
}
