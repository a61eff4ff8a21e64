import { createReadStream } from 'node:fs';
import { basename } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { EXIT, UsageError } from '../core/errors.ts';
import type { Summary } from '../core/summary.ts';
import { formatOfTable, partialPath } from '../output/output-paths.ts';

/** The table of `--out -`, or of a job that writes to `-`. */
export interface StdoutTable {
  /** Whether standard output is the table's, and nobody else's. */
  readonly isClaimed: boolean;
  /** Takes standard output for the table that is going to stand there. @throws UsageError with `--json`, whose object would stand in it */
  claim(path: string): void;
  /** Writes the table of a run that came to its end, whole or as far as was asked; of one that was stopped the file is all there is. */
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
      // The summary names it as seen from where the run was begun.
      const partial = partialPath(path);
      const file = basename(outputs.table) === basename(partial) ? partial : path;
      // A reader that has enough ends the process; the run is over by then, and this is its end.
      process.exitCode = exitCode;
      await pipeline(createReadStream(file, formatOfTable(file) === 'parquet' ? {} : 'utf8'), process.stdout, { end: false });
    },
  };
}
