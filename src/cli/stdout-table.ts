import { createReadStream } from 'node:fs';
import { basename } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { EXIT, UsageError } from '../core/errors.ts';
import type { Summary } from '../core/summary.ts';
import { formatOfTable, partialPath } from '../output/output-paths.ts';

/** The table of `--out -`, or of a job that writes to `-`. */
export interface StdoutTable {
  /** Whether standard output is reserved for the table. */
  readonly isClaimed: boolean;
  /** Reserves standard output for the table. @throws UsageError with `--json`, whose object would be mixed with it */
  claim(path: string): void;
  /** Writes the table of a finished run, complete or partial as requested; the table of a stopped run stays a file only. */
  print(summary: Summary): Promise<void>;
}

export function createStdoutTable(isJson: boolean): StdoutTable {
  let path: string | null = null;
  return {
    get isClaimed() {
      return path !== null;
    },
    claim(claimed) {
      if (isJson) throw new UsageError('--json: its object and the table cannot both go to standard output; name a file: --out table.csv');
      path = claimed;
    },
    async print({ outputs, exitCode }) {
      if (path === null || outputs.table === null || (exitCode !== EXIT.done && exitCode !== EXIT.failedRows)) return;
      // The summary names it relative to where the run was started.
      const partial = partialPath(path);
      const file = basename(outputs.table) === basename(partial) ? partial : path;
      // A reader that has enough ends the process; the run is over by then.
      process.exitCode = exitCode;
      await pipeline(createReadStream(file, formatOfTable(file) === 'parquet' ? {} : 'utf8'), process.stdout, { end: false });
    },
  };
}
