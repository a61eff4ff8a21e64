import { hash } from 'node:crypto';
import type { Row } from '../core/row.ts';
import { VERSION } from '../core/version.ts';
import type { CompiledJob } from './compile-job.ts';
import type { InputTable } from './table/read-table.ts';
import { openRowFile, removeRowFile, writeRowFile } from './table/row-file.ts';
import { skipRows } from './table/table-format.ts';

/** A table that a run goes through several times. */
export interface KeptRows {
  readonly table: InputTable;
  /** Removes what was kept; a later pass parses the table. */
  remove(): Promise<void>;
}

export interface KeepOptions {
  /** Where to keep the rows. */
  readonly path: string;
  /** Whether a row asks the same as long as table and job stay as they are: then its key is kept too. */
  readonly keepsKeys: boolean;
}

/** Another layout of the file gets another number, so that it is never read as this one. */
const LAYOUT = 1;

/**
 * Keeps the rows of a CSV table, with the keys they were found to have, in a file while a pass goes through it. Later passes read that file, as
 * long as the job is the same and the table's bytes are those it was made of. JSON is parsed as fast as such a file is read: tables of JSON
 * stay as they are.
 */
export function keepRows(table: InputTable, compiled: CompiledJob, { path, keepsKeys }: KeepOptions): KeptRows {
  const remove = () => removeRowFile(path);
  if (table.format !== 'csv' && table.format !== 'tsv') return { table, remove };
  const width = table.columns.length;
  const { job, examples } = compiled;
  const madeBy = hash('sha256', JSON.stringify([LAYOUT, VERSION, keepsKeys, table.files, table.columns, job, examples]));
  const makeSeal = (bytesSha256: string) => bytesSha256 + madeBy;
  let isWriting = false;
  let lastSha256: string | null = null;

  async function* parseAndKeep(signal: AbortSignal): AsyncGenerator<readonly Row[]> {
    if (isWriting) return yield* table.readRows(signal);
    isWriting = true;
    const writer = await writeRowFile(path);
    let sha256 = '';
    try {
      for await (const rows of table.readRows(signal, (hex) => (sha256 = hex))) {
        // Whoever goes through the rows renders them: keys are known afterwards.
        yield rows;
        await writer.add(rows, keepsKeys);
      }
      await writer.finish(makeSeal(sha256));
      lastSha256 = sha256;
    } finally {
      await writer.abandon();
      isWriting = false;
    }
  }

  async function* readRows(signal: AbortSignal): AsyncGenerator<readonly Row[]> {
    let next = 0;
    await using kept = await openRowFile(path, width);
    const sha256 = kept === null ? '' : await table.readSha256(signal);
    if (kept !== null && kept.seal === makeSeal(sha256)) {
      lastSha256 = sha256;
      for (let rows = await kept.readChunk(); rows !== null; rows = await kept.readChunk()) {
        signal.throwIfAborted();
        next += rows.length;
        yield rows;
      }
      if (kept.isAtEnd) return;
    }
    yield* skipRows(parseAndKeep(signal), next);
  }

  const readSha256 = async (signal: AbortSignal) => lastSha256 ?? table.readSha256(signal);
  return { table: { ...table, readRows, readSha256 }, remove };
}
