import { UsageError } from '../../core/errors.ts';
import type { Job } from '../../core/job.ts';
import { showFile } from '../../input/table/find-files.ts';
import { type PrepareOptions, prepareJob } from '../../run/open/prepare.ts';
import type { Finding } from './finding.ts';

interface TableCheck extends Pick<PrepareOptions, 'stateRoot' | 'target' | 'signal'> {
  readonly jobFile: string | null;
  /** Replaces the table of the job; absent: the job's own. */
  readonly input?: string | null;
  readonly cwd: string;
}

/** Whether the table can be read, and has every column of the prompt. One on standard input is not touched. */
export async function examineTable(
  { input: { path } }: Job,
  { jobFile, input = null, cwd, stateRoot, target, signal }: TableCheck,
): Promise<readonly Finding[]> {
  if (jobFile === null || path === '-') return [];
  try {
    const { table } = await prepareJob({ jobFile, overrides: { cwd, input }, stateRoot, target, stdin: null, signal });
    const columns = table.columns.length === 1 ? 'one column' : `${table.columns.length} columns`;
    return [{ name: 'input', status: 'ok', message: `${showFile(path, cwd)} can be read; the prompt fits its ${columns}` }];
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    return [{ name: 'input', status: 'problem', message: error.message }];
  }
}
