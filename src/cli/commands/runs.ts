import { relative } from 'node:path';
import { AppError, EXIT } from '../../core/errors.ts';
import { listRuns } from '../../inspect/list-runs.ts';
import { findAsked } from '../find-jobs.ts';
import { sayLeftCalls } from '../notices/say-left-calls.ts';
import { sayNotices } from '../notices/say-notices.ts';
import type { JobFlags } from '../options/flags.ts';
import { makeReadOptions, sayWhichState } from '../read-options.ts';
import { type ListedJobRuns, renderRuns } from '../render/render-runs.ts';
import { paintFor, print, printJson, say } from '../say.ts';

/** `rowmill runs [JOB]`: the runs of a job, or of every job below a folder, newest first. */
export async function runs(argument: string | undefined, flags: JobFlags): Promise<number> {
  const { jobs, isList } = await findAsked('runs', argument, flags);
  const lists = isList ? await listAll(jobs, flags) : await Promise.all(jobs.map((job) => list(job, flags)));
  const [only] = lists;
  if (flags.json !== true) print(renderRuns(lists, new Date(), paintFor(process.stdout)));
  else if (isList) printJson({ schema: 'rowmill.runs/1', jobs: lists });
  else printJson(only);
  if (!isList && argument !== undefined && only !== undefined) {
    const options = makeReadOptions(argument, flags);
    sayWhichState(options, { directory: only.state, origin: only.origin });
    await sayLeftCalls(options, flags);
    await sayNotices(options, flags);
  }
  return EXIT.done;
}

async function list(file: string, flags: JobFlags): Promise<ListedJobRuns> {
  return { ...(await listRuns(makeReadOptions(file, flags))), file: relative(process.cwd(), file) || file };
}

/** A job with a problem is reported, and the others are listed. */
async function listAll(jobs: readonly string[], flags: JobFlags): Promise<readonly ListedJobRuns[]> {
  const lists: ListedJobRuns[] = [];
  for (const file of jobs) {
    try {
      lists.push(await list(file, flags));
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      say(error.message);
    }
  }
  return lists;
}
