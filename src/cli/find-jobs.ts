import { UsageError } from '../core/errors.ts';
import { quotePath } from '../core/wording/quote-argument.ts';
import { findJobFilesWithState } from '../inspect/find-jobs.ts';
import { suggestJobFile } from './job-argument.ts';
import type { JobFlags } from './options/flags.ts';
import { programName } from './program-name.ts';

/** The job files below the working directory that have been run. @param command that looks for them @throws UsageError if there is none */
export function findJobs(command: string, flags: JobFlags): readonly string[] {
  const jobFiles = findJobFilesWithState(process.cwd(), flags.stateDir ?? null).map(({ file }) => file);
  if (jobFiles.length > 0) return jobFiles;
  throw new UsageError(
    `no job below this directory has been run; name a job file: ${programName()} ${command} ${quotePath(suggestJobFile())}`,
  );
}
