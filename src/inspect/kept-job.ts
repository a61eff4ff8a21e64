import { basename, dirname, join } from 'node:path';
import { AppError } from '../core/errors.ts';
import type { Job } from '../core/job.ts';
import { loadJobText } from '../input/job/load-job.ts';
import type { RunState } from '../ledger/events/fold.ts';
import { openRunFiles } from '../ledger/runs.ts';

/** The folder of the job whose state this is, where its own prices are; the working directory if `--state-dir` put the state elsewhere. */
export function guessJobFolder(stateDirectory: string, cwd: string): string {
  const root = dirname(stateDirectory);
  return basename(root) === '.rowmill' ? dirname(root) : cwd;
}

/** The job of the last run that stored one; null if there is none, or it cannot be read without the program that defined it. */
export async function readKeptJob(
  directory: string,
  { runs }: { readonly runs: readonly Pick<RunState, 'id'>[] },
  { folder, cwd }: { readonly folder: string; readonly cwd: string },
): Promise<Job | null> {
  const runFiles = openRunFiles(directory, () => '');
  for (const { id } of runs.toReversed()) {
    const text = runFiles.readRunFile(id, 'job.yaml', () => {});
    if (text === null) continue;
    try {
      return (await loadJobText(text, { absolute: join(folder, 'job.yaml'), shown: null }, { cwd })).job;
    } catch (error) {
      // A job defined in a program, or by other rules: the cost of its calls is known without it.
      if (!(error instanceof AppError)) throw error;
      return null;
    }
  }
  return null;
}
