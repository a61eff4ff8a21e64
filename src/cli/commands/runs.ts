import { AppError, EXIT } from '../../core/errors.ts';
import { listRuns, type RunList } from '../../inspect/list-runs.ts';
import { findJobs } from '../find-jobs.ts';
import type { JobFlags } from '../flags.ts';
import { sayNotices } from '../notices/say-notices.ts';
import { makeReadOptions, sayWhichState } from '../read-options.ts';
import { renderRuns } from '../render/render-runs.ts';
import { paintFor, print, printJson, say } from '../say.ts';

/** `rowmill runs [JOB]`: the runs of a job, or of every job below the working directory, the newest first. */
export async function runs(jobFile: string | undefined, flags: JobFlags): Promise<number> {
  const lists = jobFile === undefined ? await listAll(flags) : [await listRuns(makeReadOptions(jobFile, flags))];
  const [only] = lists;
  if (flags.json !== true) print(renderRuns(lists, new Date(), paintFor(process.stdout)));
  else if (jobFile === undefined) printJson({ schema: 'rowmill.runs/1', jobs: lists });
  else printJson(only);
  if (jobFile !== undefined && only !== undefined) {
    const options = makeReadOptions(jobFile, flags);
    sayWhichState(options, { directory: only.state, origin: only.origin });
    await sayNotices(options, flags);
  }
  return EXIT.done;
}

/** What is wrong with one job is said, and the others are listed. */
async function listAll(flags: JobFlags): Promise<readonly RunList[]> {
  const lists: RunList[] = [];
  for (const file of findJobs(flags)) {
    try {
      lists.push(await listRuns(makeReadOptions(file, flags)));
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      say(error.message);
    }
  }
  return lists;
}
