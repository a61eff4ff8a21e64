import path from 'node:path';
import { nameDay } from '../../core/day.ts';
import type { DatedPath, Job } from '../../core/job.ts';
import { putDate } from '../../input/job/dated-path.ts';
import { PRICES_FILE } from '../../input/job/load-prices.ts';
import { showFile, wouldBeFound } from '../../input/table/find-files.ts';
import { canWriteIn, findDestinationProblem, type NamedFile } from '../../output/find-destination-problem.ts';
import { failuresPath, findFalseName, partialPath, reportPath } from '../../output/output-paths.ts';

/** What is read for a job. */
export interface ReadFiles {
  readonly job: Job;
  /** Files of the table. */
  readonly tableFiles: readonly string[];
  /** Files of the table of examples; empty without one. */
  readonly exampleFiles: readonly string[];
  /** Where the environment comes from: `.env`, a file with a key. */
  readonly environmentFiles: readonly string[];
  /** What is written besides the table and its companions. */
  readonly besides?: readonly NamedFile[];
}

/** Every file a job reads, as far as it is known before its rows are read. */
export function listSources({ job, tableFiles, exampleFiles, environmentFiles }: ReadFiles): readonly NamedFile[] {
  const name = (name: string) => (file: string) => ({ path: file, name });
  return [
    ...tableFiles.map(name('the table that is read')),
    ...(job.file === null ? [] : [{ path: job.file, name: 'the job file' }]),
    ...exampleFiles.map(name('the table of examples')),
    { path: path.join(job.directory, PRICES_FILE), name: 'the list of prices' },
    ...environmentFiles.map(name('a file with keys')),
    ...listImages(job).map(name('an image of the prompt')),
  ];
}

/** Images that are the same for all rows; the others are named by cells. */
function listImages({ messages, directory }: Job): readonly string[] {
  const urls = messages.flatMap(({ images = [] }) => images.map(({ url }) => url.trim()));
  return urls.filter((url) => !/^(https?|data):/i.test(url) && !/\{[{%]/.test(url)).map((url) => path.resolve(directory, url));
}

/** Every file a run may write, replace or remove. */
export function listDestinations({ job, tableFiles }: Pick<ReadFiles, 'job' | 'tableFiles'>): readonly NamedFile[] {
  const { write } = job;
  const holdout = findHoldout(job, tableFiles);
  const held = holdout === null ? [] : [{ path: holdout, name: 'the examples that are held out' }];
  if (write.isStdout === true) return held;
  const partial = partialPath(write.path);
  return [
    { path: write.path, name: 'the table' },
    { path: partial, name: 'the table of a run that has not ended' },
    { path: failuresPath(write.path), name: 'the table of failures' },
    { path: reportPath(write.path), name: 'the report' },
    { path: failuresPath(partial), name: 'the failures of a part of the table' },
    { path: reportPath(partial), name: 'the report of a part of the table' },
    ...held,
  ];
}

/** The path for the held-out examples; null if they are not written: a run over them leaves them as they are. */
export function findHoldout({ examples }: Pick<Job, 'examples'>, tableFiles: readonly string[]): string | null {
  const holdout = examples?.holdout ?? null;
  return holdout === null || tableFiles.includes(holdout) ? null : holdout;
}

/** @returns a sentence on why a run must not write to the job's paths; null if it may */
export async function findRunDestinationProblem(read: ReadFiles, place: { stateDirectory: string; cwd: string }): Promise<string | null> {
  const destinations = [...listDestinations(read), ...(read.besides ?? [])];
  const problem = findDestinationProblem({
    ...place,
    destinations,
    sources: listSources(read),
    adviseElsewhere: () => adviseElsewhere(place),
  });
  if (problem !== null) return problem;
  const falseName = read.job.write.isStdout === true ? null : findFalseName(read.job.write.path);
  if (falseName !== null) return `the table cannot be written to ${showFile(read.job.write.path, place.cwd)}: ${falseName}`;
  const { path: pattern } = read.job.input;
  const { dated } = read.job.write;
  const found = dated === undefined ? await findRead(pattern, destinations) : await findReadSomeDay(read, dated);
  if (found === null) return null;
  const where = `${showFile(found.path, place.cwd)}: the next run would read it as a part of the table, ${showFile(pattern, place.cwd)}`;
  return `${found.name} cannot be written to ${where}; name a file in another folder`;
}

/** All flags that are needed, at once. */
function adviseElsewhere({ stateDirectory }: { readonly stateDirectory: string }): string {
  const state = canWriteIn(stateDirectory) ? '' : ' --state-dir DIR';
  return `; to write elsewhere, add to the command: --out FILE${state}`;
}

async function findRead(pattern: string, destinations: readonly NamedFile[]): Promise<NamedFile | null> {
  for (const destination of destinations) if (await wouldBeFound(pattern, destination.path)) return destination;
  return null;
}

const DAY_MS = 86_400_000;
/** How many days are checked, in both directions, if the pattern contains digits itself. */
const MOST_DAYS = 18_263;

/** For any day. A match is a day in which all digits are treated alike. */
async function findReadSomeDay({ job, tableFiles }: ReadFiles, dated: DatedPath): Promise<NamedFile | null> {
  const { path: pattern } = job.input;
  const listOf = (date: string) =>
    listDestinations({ job: { ...job, write: { ...job.write, path: putDate(dated.template, date) } }, tableFiles });
  const blur = (text: string) => text.replaceAll(/\d/g, '0');
  const blurred = listOf(dated.date ?? '').map((file) => ({ ...file, path: blur(file.path) }));
  if ((await findRead(blur(pattern), blurred)) === null) return null;
  const today = Date.parse(dated.date ?? '') || 0;
  for (let days = 0; days < MOST_DAYS; days += 1) {
    for (const day of days === 0 ? [0] : [days, -days]) {
      const found = await findRead(pattern, listOf(nameDay(new Date(today + day * DAY_MS), null)));
      if (found !== null) return found;
    }
  }
  return null;
}
