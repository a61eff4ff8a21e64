import fs from 'node:fs';
import type { Readable } from 'node:stream';
import type { InputSpec } from '../../core/job.ts';
import { findDocuments, findFiles } from './find-files.ts';
import { type InputTable, openFiles } from './read-table.ts';
import { spoolInput } from './spool-input.ts';

export interface OpenTableOptions {
  /** Standard input, for the path `-`; null reads the copy an earlier run kept at `spoolPath`. */
  readonly stdin?: Readable | null;
  readonly spoolPath?: string | null;
  /** Files below it are shown by their relative path. */
  readonly cwd?: string;
  readonly signal: AbortSignal;
}

/**
 * Opens a table: finds its files, reads the header (JSONL: the keys of the first 1,000 records), and makes sure there is a row.
 * @throws UsageError if there is no such table, it has no rows, or its beginning is damaged
 */
export async function openTable(spec: InputSpec, options: OpenTableOptions): Promise<InputTable> {
  const { signal, stdin = null, spoolPath = null } = options;
  const cwd = options.cwd ?? process.cwd();
  if (spec.format === 'documents') return openFiles(spec, await findDocuments(spec.path, cwd), signal);
  if (spec.path !== '-') return openFiles(spec, await findFiles(spec.path, cwd), signal);
  const file = await spoolInput({ stdin, spoolPath, shown: spec.shown ?? 'standard input' }, signal);
  try {
    return await openFiles(spec, [file], signal);
  } catch (error) {
    // A refused table leaves nothing behind.
    if (stdin !== null) await fs.promises.rm(file.path, { force: true });
    throw error;
  }
}
