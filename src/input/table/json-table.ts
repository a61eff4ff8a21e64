import type { InputSpec } from '../../core/job.ts';
import type { Row } from '../../core/row.ts';
import { type BadRows, createBadRows } from './bad-rows.ts';
import { dropLines } from './drop-lines.ts';
import { readJsonArray } from './json-array.ts';
import { type JsonRecord, readJsonLines } from './json-records.ts';
import { createLateKeys, type LateKeys } from './late-keys.ts';
import type { OpenedFormat, TextFiles } from './table-format.ts';

/** How many records are read to learn the columns. */
export const COLUMN_RECORDS = 1_000;

/**
 * Opens JSONL or JSON arrays. The columns are the keys of the first 1,000 records, in the order in which they first occur, and those the job
 * names in `input.columns`, wherever they first occur.
 */
export async function openJsonTable(text: TextFiles, spec: InputSpec, signal: AbortSignal): Promise<OpenedFormat> {
  const columns = await learnColumns(text, spec, signal);
  let found: { readonly badRows: BadRows; readonly lateKeys: LateKeys } | null = null;
  return {
    columns,
    warnings: [],
    readWarnings: () => (found === null ? [] : [...found.badRows.describe(), ...found.lateKeys.describe()]),
    readRows(rowText, rowSignal) {
      found = { badRows: createBadRows(spec), lateKeys: createLateKeys(columns) };
      return readRows(rowText, { spec, columns, ...found }, rowSignal);
    },
  };
}

async function learnColumns(text: TextFiles, spec: InputSpec, signal: AbortSignal): Promise<readonly string[]> {
  const columns = new Set<string>();
  const promised = new Set(spec.columns ?? []);
  let seen = 0;
  for await (const { records } of readRecords(text, spec, signal)) {
    for (const { record } of records) {
      if (record === null) continue;
      const isPastFirst = seen++ >= COLUMN_RECORDS;
      if (isPastFirst && promised.size === 0) return [...columns];
      for (const key of Object.keys(record)) {
        if (isPastFirst && !promised.has(key)) continue;
        columns.add(key);
        promised.delete(key);
      }
    }
  }
  return [...columns];
}

interface JsonRows {
  readonly spec: InputSpec;
  readonly columns: readonly string[];
  readonly badRows: BadRows;
  readonly lateKeys: LateKeys;
}

async function* readRows(
  text: TextFiles,
  { spec, columns, badRows, lateKeys }: JsonRows,
  signal: AbortSignal,
): AsyncGenerator<readonly Row[]> {
  let index = 0;
  for await (const { file, records } of readRecords(text, spec, signal)) {
    const rows: Row[] = [];
    for (const { record, line, fault } of records) {
      if (record === null) {
        if (fault === null) continue;
        const row = badRows.add(index, fault);
        if (row !== null) rows.push(row);
      } else if (!badRows.isRefused) {
        lateKeys.look(record, file, line);
        rows.push({ index, file, line, cells: columns.map((column) => record[column]), record, key: null });
      }
      index += 1;
    }
    if (rows.length > 0) yield rows;
  }
  badRows.end();
}

interface FileRecords {
  /** As shown. */
  readonly file: string;
  readonly records: readonly JsonRecord[];
}

async function* readRecords(text: TextFiles, spec: InputSpec, signal: AbortSignal): AsyncGenerator<FileRecords> {
  const { format, skipLines = 0 } = spec;
  for (const file of text.files) {
    const chunks = dropLines(text.openText(file, signal), skipLines);
    const read = format === 'json' ? readJsonArray : readJsonLines;
    for await (const records of read(chunks, file, skipLines + 1)) yield { file: file.shown, records };
  }
}
