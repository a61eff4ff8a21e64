import fs from 'node:fs';
import { availableParallelism } from 'node:os';
import type { Readable } from 'node:stream';
import type { InputSpec } from '../../core/job.ts';
import { findFiles } from './find-files.ts';
import type { TableFile } from './read-bytes.ts';
import { type InputTable, openFiles } from './read-table.ts';
import { spoolInput } from './spool-input.ts';
import { readInThread } from './table-thread.ts';

export interface OpenTableOptions {
  /** Standard input, for the path `-`; null reads what an earlier run kept at `spoolPath`. */
  readonly stdin?: Readable | null;
  readonly spoolPath?: string | null;
  /** Files below it are shown by their relative path. */
  readonly cwd?: string;
  readonly signal: AbortSignal;
}

/** A table this large is parsed in a thread of its own, which takes some 50 ms and 20 MiB. */
export const THREAD_BYTES: number = 8 * 1024 * 1024;

/**
 * Opens a table: finds its files, reads the header (JSONL: the keys of the first 1,000 records), and makes sure there is a row.
 * @throws UsageError when there is no such table, it has no rows, or its beginning is damaged
 */
export async function openTable(spec: InputSpec, options: OpenTableOptions): Promise<InputTable> {
  const { signal, stdin = null, spoolPath = null } = options;
  if (spec.path !== '-') return withThread(spec, await findFiles(spec.path, options.cwd ?? process.cwd()), signal);
  const file = await spoolInput({ stdin, spoolPath }, signal);
  try {
    return await withThread(spec, [file], signal);
  } catch (error) {
    // A refused table leaves nothing behind.
    if (stdin !== null) await fs.promises.rm(file.path, { force: true });
    throw error;
  }
}

export async function withThread(spec: InputSpec, files: readonly TableFile[], signal: AbortSignal): Promise<InputTable> {
  const table = await openFiles(spec, files, signal);
  const isCsv = table.format === 'csv' || table.format === 'tsv';
  return isCsv && table.bytes >= THREAD_BYTES && availableParallelism() > 1
    ? { ...table, readRows: readInThread(table, { spec, files }) }
    : table;
}
