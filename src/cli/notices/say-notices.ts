import { loadJob } from '../../input/job/load-job.ts';
import { findStateAt } from '../../inspect/last-run.ts';
import type { ReadOptions } from '../../inspect/open-state.ts';
import type { JobFlags } from '../options/flags.ts';
import { say } from '../say.ts';
import type { ShownNotice } from './list-notices.ts';

/** The notices of a job with a webhook; empty for all other jobs, for which nothing more is loaded, and without a job file, which names the webhook. */
export async function readShownNotices(options: ReadOptions, flags: JobFlags): Promise<readonly ShownNotice[]> {
  if (findStateAt(options.jobFile) !== null) return [];
  const { job } = await loadJob(options.jobFile, { cwd: options.cwd });
  if (job.notify === null) return [];
  return (await import('./list-notices.ts')).listNotices(job, options, flags);
}

/** Prints them on standard error. */
export function sayShown(notices: readonly ShownNotice[]): void {
  for (const { sentence, command } of notices) say(command === null ? sentence : `${sentence}. Type: ${command}`);
}

/** Reads and prints them. */
export async function sayNotices(options: ReadOptions, flags: JobFlags): Promise<void> {
  sayShown(await readShownNotices(options, flags));
}
