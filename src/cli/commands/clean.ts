import { relative } from 'node:path';
import { AppError, EXIT, UsageError } from '../../core/errors.ts';
import { loadEnvFile } from '../../host/environment.ts';
import { makeEffects } from '../../host/real-effects.ts';
import { type Cleaned, type CleanOptions, clean, isClean, type Litters, lookForLitter } from '../../upkeep/clean/clean.ts';
import { makeCallTarget } from '../choose-provider.ts';
import { agreeTo, canAsk } from '../confirm.ts';
import { findAsked } from '../find-jobs.ts';
import { isFolder } from '../job-argument.ts';
import type { JobFlags } from '../options/flags.ts';
import { flagsOfState, makeReadOptions } from '../read-options.ts';
import { renderCleaned, renderLitter } from '../render/render-litter.ts';
import { paintFor, print, printJson, say } from '../say.ts';

export interface CleanFlags extends JobFlags {
  /** Milliseconds. */
  readonly older: number;
  readonly remote?: boolean;
  readonly answers?: boolean;
  readonly yes?: boolean;
}

/**
 * `rowmill clean [JOB]`: shows what is no longer needed, for a job or for every job below a folder, and removes it on request.
 * Exit 2 if it was only shown because nobody could confirm; exit 7 if the provider refused to remove a file.
 */
export async function cleanJobs(argument: string | undefined, flags: CleanFlags): Promise<number> {
  loadEnvFile();
  const { jobs: asked, isList } = await findAsked('clean', argument, flags);
  if (flags.answers === true && (isList || isFolder(argument ?? ''))) throw new UsageError('--answers needs one job: name its file');
  const faults: AppError[] = [];
  const tolerate = isList ? faults : null;
  const found: { readonly shown: Litters; readonly options: CleanOptions }[] = [];
  for (const file of asked) {
    const options = makeCleanOptions(file, flags);
    const shown = await tryOne(file, tolerate, () => lookForLitter(options));
    if (shown !== null) found.push({ shown, options });
  }
  const jobs = found.map(({ shown }) => shown);
  const isNothing = jobs.every(isClean);
  const isAgreed = !isNothing && (await isWanted(jobs, flags));
  const cleaned: (Cleaned | null)[] = [];
  for (const { shown, options } of found) {
    const isDue = isAgreed && !isClean(shown);
    cleaned.push(isDue ? await tryOne(options.jobFile, tolerate, () => clean(shown, options, makeTargetOf(flags, shown))) : null);
  }
  if (flags.json === true) {
    const results = jobs.map((job, index) => ({ ...job, removed: cleaned[index] ?? null }));
    printJson({ schema: 'rowmill.clean/1', isDone: isAgreed, jobs: results });
  } else if (isAgreed) print(renderCleaned(cleaned));
  else if (isNothing) print('Nothing to clean');
  if (!isNothing && !isAgreed) {
    if (!canAsk()) say('Nothing was removed: add --yes to remove this');
    return canAsk() ? EXIT.done : EXIT.usage;
  }
  const isKept = cleaned.some((one) => (one?.files?.failed.length ?? 0) > 0);
  return Math.max(isKept ? EXIT.notFinished : EXIT.done, ...faults.map(({ exitCode }) => exitCode));
}

/** With many jobs, one that cannot be examined does not hide the others: it is reported and kept in `faults`. For a single job the error is thrown. */
async function tryOne<Result>(file: string, faults: AppError[] | null, work: () => Promise<Result>): Promise<Result | null> {
  try {
    return await work();
  } catch (error) {
    if (faults === null || !(error instanceof AppError)) throw error;
    faults.push(error);
    say(`${relative(process.cwd(), file) || file}: ${error.message}`);
    return null;
  }
}

function makeCleanOptions(jobFile: string, flags: CleanFlags): CleanOptions {
  const { older, remote = false, answers = false } = flags;
  return { ...makeReadOptions(jobFile, flags), olderMs: older, isRemote: remote, hasAnswers: answers };
}

/** The provider of the job's last run, unless flags name one. */
function makeTargetOf(flags: CleanFlags, shown: Litters) {
  return makeCallTarget(flagsOfState(flags, shown), makeEffects());
}

/** Shows what would be removed; asks if somebody can answer. */
async function isWanted(jobs: readonly Litters[], flags: CleanFlags): Promise<boolean> {
  const show = flags.json === true ? say : print;
  show(renderLitter(jobs, paintFor(process.stdout), (path) => relative(process.cwd(), path) || '.'));
  if (flags.yes === true) return true;
  return canAsk() && agreeTo('This cannot be undone');
}
