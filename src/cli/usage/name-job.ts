import type { Command } from 'commander';
import { UsageError } from '../../core/errors.ts';
import { findJobFilesWithState, findJobs } from '../../inspect/find-jobs.ts';
import { nameState } from '../../inspect/last-run.ts';
import { chooseSeenOrigin } from '../choose-provider.ts';
import { takesState } from '../job-argument.ts';
import type { JobFlags } from '../options/flags.ts';
import { showCommand } from '../run-options.ts';

/** The refusal of a name that is not a file: lists show jobs by name, so one that has been run below this folder may be meant. Other errors stay as they are. */
export async function nameJob(error: UsageError, command: Command, name: string): Promise<UsageError> {
  const jobs = await findNamed(name, command).catch(() => []);
  const typed = jobs.map((job) => showCommand(command.name(), job, command.opts<JobFlags>()));
  return typed.length === 0
    ? error
    : new UsageError(`${name}: is the name of a job, not a file; type ${typed.join(', or ')}`, { code: 'argument' });
}

/** Job files, and state directories where the command accepts them. */
async function findNamed(name: string, command: Command): Promise<readonly string[]> {
  const flags = command.opts<JobFlags>();
  const folder = process.cwd();
  const root = flags.stateDir ?? null;
  const files = new Map(findJobFilesWithState(folder, root).map(({ file, directories }) => [file, directories]));
  const jobs = await findJobs(folder, { root, origin: chooseSeenOrigin(flags), signal: new AbortController().signal });
  return jobs.filter((job) => (files.has(job) || takesState(command.name())) && nameState(files.get(job)?.[0] ?? job).job === name);
}
