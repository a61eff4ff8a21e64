import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { UsageError } from '../core/errors.ts';
import { quotePath } from '../core/wording/quote-argument.ts';
import { findJobs } from '../inspect/find-jobs.ts';
import { findStateAt } from '../inspect/last-run.ts';
import { chooseSeenOrigin } from './choose-provider.ts';
import { isFolder, suggestJobFile } from './job-argument.ts';
import type { JobFlags } from './options/flags.ts';
import { programName } from './program-name.ts';

/** What a command that looks was asked to look at. */
export interface Asked {
  /** Job files, and state directories of jobs without one. */
  readonly jobs: readonly string[];
  /** Whether they are all those below a folder, and not one that was named. */
  readonly isList: boolean;
}

/**
 * The job named by an argument, a file or a state directory; or all those that have been run below a folder, by default the working directory.
 * @param command that looks for them
 * @throws UsageError if there is none
 */
export async function findAsked(command: string, argument: string | undefined, flags: JobFlags): Promise<Asked> {
  if (argument !== undefined && (!isFolder(argument) || findStateAt(argument) !== null)) return { jobs: [argument], isList: false };
  if (flags.input !== undefined) throw new UsageError('--input replaces the table of one job: name its file');
  const folder = resolve(argument ?? '.');
  const jobs = await findJobs(folder, {
    root: flags.stateDir ?? null,
    origin: chooseSeenOrigin(flags),
    signal: new AbortController().signal,
  });
  if (jobs.length > 0) return { jobs, isList: true };
  if (existsSync(join(folder, 'events.jsonl')))
    throw new UsageError(
      `${argument ?? 'this directory'}: is not a state directory: its events.jsonl does not begin like a log of rowmill`,
    );
  const below = argument ?? 'this directory';
  throw new UsageError(`no job below ${below} has been run; name a job file: ${programName()} ${command} ${quotePath(suggestJobFile())}`);
}
