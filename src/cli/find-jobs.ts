import { UsageError } from '../core/errors.ts';
import { findJobFilesWithState } from '../inspect/find-jobs.ts';
import type { JobFlags } from './options/flags.ts';

/** The job files below the working directory that have been run. @throws UsageError if there is none */
export function findJobs(flags: JobFlags): readonly string[] {
  const jobFiles = findJobFilesWithState(process.cwd(), flags.stateDir ?? null).map(({ file }) => file);
  if (jobFiles.length > 0) return jobFiles;
  throw new UsageError('no job below this directory has been run; name a job file: rowmill status jobs/my-job.yaml');
}
