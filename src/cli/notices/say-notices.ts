import { loadJob } from '../../input/job/load-job.ts';
import type { ReadOptions } from '../../inspect/open-state.ts';
import type { JobFlags } from '../options/flags.ts';
import { say } from '../say.ts';
import type { ShownNotice } from './list-notices.ts';

/** What is to be told of a job that has a webhook; empty for all other jobs, for which nothing more is loaded. */
export async function readShownNotices(options: ReadOptions, flags: JobFlags): Promise<readonly ShownNotice[]> {
  const { job } = await loadJob(options.jobFile, { cwd: options.cwd });
  if (job.notify === null) return [];
  return (await import('./list-notices.ts')).listNotices(job, options, flags);
}

/** Says them on standard error. */
export function sayShown(notices: readonly ShownNotice[]): void {
  for (const { sentence, command } of notices) say(command === null ? sentence : `${sentence}. Type: ${command}`);
}

/** Reads and says them. */
export async function sayNotices(options: ReadOptions, flags: JobFlags): Promise<void> {
  sayShown(await readShownNotices(options, flags));
}
