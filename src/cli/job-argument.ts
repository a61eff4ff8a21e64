import { closeSync, lstatSync, openSync, readdirSync, readFileSync, readlinkSync, readSync, type Stats, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { onDisk } from '../core/disk/disk-error.ts';
import { suggestFile } from '../core/disk/suggest-file.ts';
import { UsageError } from '../core/errors.ts';
import { quotePath } from '../core/wording/quote-argument.ts';
import { locateDrafts } from '../input/draft/locate-draft.ts';
import { isYaml, showFile } from '../input/table/find-files.ts';
import { describeForeign, HEAD_BYTES, tellBinaryFormat } from '../input/table/foreign-file.ts';
import { guessFormat } from '../input/table/table-format.ts';
import { findStateAt } from '../inspect/last-run.ts';
import type { JobFlags } from './options/flags.ts';
import { listPlaceFlags } from './options/place-flags.ts';
import { programName } from './program-name.ts';

/** What the argument turned out to be, where a job or a table is expected. */
export type ArgumentKind = 'job' | 'table';

/** Names with these endings may be tables, although they do not say which kind. */
const MAYBE_TABLE = /(\.(txt|dat|gz|log)|(^|[/\\])[^./\\]+)$/i;
/** The files of programs that may use the library. */
const PROGRAM = /\.[cm]?[jt]sx?$/i;
/** A key of a job file at the start of a line. */
const JOB_KEY = /^"?(input|model|prompt|messages|output)"?\s*:/m;
/** An example question for a table without one. */
export const EXAMPLE = "--prompt 'Summarize this in one sentence'";

/**
 * Tells a table from a job file, by its name, else by its first bytes.
 * @param command shown with a file of a folder
 * @throws UsageError for a folder, for anything else that is neither, and for a missing table; a missing job file is reported by its reader
 */
export function tellArgument(argument: string, command = 'run'): ArgumentKind {
  return onDisk(argument, () => tellBy(argument, command, argument === '-' ? undefined : statSync(argument, { throwIfNoEntry: false })));
}

function tellBy(argument: string, command: string, status: Stats | undefined): ArgumentKind {
  // Pipes and devices are read once, and there is no place for a job file next to them.
  if (argument === '-' || (status !== undefined && !status.isFile() && !status.isDirectory()))
    throw refuse(`a table on standard input needs a job file: ${typed(`init my-job`)}, and input: { path: "-" }`);
  if (argument.trim() === '') throw refuse(`the name of a job or a table is empty; ${typed(`run reviews.csv ${EXAMPLE}`)}`);
  if (status === undefined) return tellMissing(argument);
  if (status.isDirectory())
    throw refuse(findStateAt(argument) === null ? describeFolder(argument, command) : describeState(argument, command));
  if (isYaml(argument)) return 'job';
  const head = readHead(argument);
  const foreign = describeForeign(showFile(resolve(argument), process.cwd()), head);
  if (foreign !== null) throw refuse(foreign);
  const format = tellBinaryFormat(argument, head) ?? guessFormat(argument);
  if (format === 'json') return isJsonJob(argument) ? 'job' : 'table';
  if (format !== null) return 'table';
  if (JOB_KEY.test(head.toString('latin1'))) return 'job';
  if (MAYBE_TABLE.test(argument)) return 'table';
  if (PROGRAM.test(argument)) throw refuse(`${argument}: is a program; to see the jobs it has run: ${typed('status')}`);
  throw refuse(`${argument}: is neither a job file (YAML) nor a table (CSV, TSV, JSONL, JSON, Parquet, Excel)`);
}

/** @throws UsageError for a table if the command takes a job, with the command that makes sense */
export function requireJob(command: string, argument: string, flags: JobFlags): void {
  if (isFolder(argument) && (findStateAt(argument) === null ? TAKES_FOLDER : TAKES_STATE).has(command)) return;
  if (tellArgument(argument, command) === 'job') return;
  const file = findDraftFile(argument);
  const words = file === null ? ['run', quotePath(argument), EXAMPLE] : [command, quotePath(file)];
  const next = typed([...words, ...listPlaceFlags(flags)].join(' '));
  throw refuse(`${argument} is a table, and ${command} takes a job file${file === null ? ', which the first run makes' : ''}: ${next}`);
}

/** The message for a word that is not a command: it may be a file typed without its command. */
export function describeUnknownCommand(word: string, describeUnknown: (word: string) => string): string {
  if (!isPresent(word) && guessFormat(word) === null && !isYaml(word)) {
    return describeUnknown(word);
  }
  try {
    if (tellArgument(word) === 'table') return describeUnasked(word);
    return `${word} is a job file; say what to do with it: ${typed(`plan ${quotePath(word)}`)}`;
  } catch (error) {
    if (error instanceof UsageError) return error.message;
    throw error;
  }
}

/** A job file in this folder, for an example. */
export function suggestJobFile(): string {
  return listNames('.').find(isYaml) ?? 'job.yaml';
}

export function isFolder(argument: string): boolean {
  return isPresent(argument) && statSync(argument).isDirectory();
}

/** Commands that accept a folder, for all jobs below it. */
const TAKES_FOLDER: ReadonlySet<string> = new Set(['status', 'runs', 'clean', 'verify']);
/** Commands that accept a state directory in place of the job file. */
const TAKES_STATE: ReadonlySet<string> = new Set([...TAKES_FOLDER, 'report', 'cancel']);

export const takesState = (command: string) => TAKES_STATE.has(command);

/** Commands that accept a table as well as a job. */
export const TAKES_TABLE: ReadonlySet<string> = new Set(['plan', 'run']);

/** The message for a table without a question. */
export function describeUnasked(table: string): string {
  const file = findDraftFile(table);
  const command = file === null ? `run ${quotePath(table)} ${EXAMPLE} --simulate` : `run ${quotePath(file)}`;
  return `${table} is a table; ${file === null ? 'say what to ask of each row' : 'it has a job file'}: ${typed(command)}`;
}

/** The job file of a table if there is one next to it that names it. */
function findDraftFile(table: string): string | null {
  const found = locateDrafts(resolve(table)).find(({ file }) => {
    const isThere = statSync(file, { throwIfNoEntry: false })?.isFile() ?? false;
    return isThere && readFileSync(file, 'utf8').includes(basename(table));
  });
  return found === undefined ? null : showFile(found.file, process.cwd());
}

/** A name that no disk could hold, such as one of a thousand letters, does not exist. */
export function isPresent(word: string): boolean {
  try {
    return statSync(word, { throwIfNoEntry: false }) !== undefined;
  } catch {
    return false;
  }
}

function tellMissing(argument: string): ArgumentKind {
  if (lstatSync(argument, { throwIfNoEntry: false })?.isSymbolicLink())
    throw refuse(`${argument}: is a link to ${readlinkSync(argument)}, which does not exist`);
  requireNoAddress(argument);
  if (/[*?]/.test(argument) && !isYaml(argument)) return 'table';
  const hasEnding = /\.\w+$/.test(argument) && !isYaml(argument);
  if (guessFormat(argument) === null && !hasEnding) return 'job';
  const what = guessFormat(argument) === null ? 'file' : 'table';
  throw refuse(`${argument}: no such ${what}${suggestFile(argument)}`);
}

/** @throws UsageError for a URL in place of a file */
export function requireNoAddress(file: string): void {
  const [, scheme] = /^([a-z][a-z0-9+.-]+):\/\//i.exec(file) ?? [];
  if (scheme === undefined) return;
  const fetched = /^https?$/i.test(scheme) ? `: curl -LO ${quotePath(file)}` : '';
  throw refuse(`${file}: is a URL, and only files are read; download it first${fetched}`);
}

function describeState(directory: string, command: string): string {
  return `${directory}: is a state directory, and ${command} needs the job file; ${[...TAKES_STATE].join(', ')} do without: ${typed(`status ${quotePath(directory)}`)}`;
}

function describeFolder(folder: string, command: string): string {
  const names = listNames(folder);
  const jobs = names.filter(isYaml);
  const job = findNewest(folder, jobs);
  const table = names.find((name) => guessFormat(name) !== null);
  const next =
    job !== null
      ? `${command} ${quotePath(join(folder, job))}`
      : table !== undefined
        ? `run ${quotePath(join(folder, table))} ${EXAMPLE}`
        : null;
  if (next === null) return `${folder}: is a folder, without a table or a job file in it; ${typed('init my-job')} writes a job file`;
  const which = jobs.length > 1 ? `one of its ${jobs.length} job files` : 'a file in it';
  return `${folder}: is a folder; name ${which}: ${typed(next)}`;
}

/** The file that was written last: the one somebody is working on. */
function findNewest(folder: string, names: readonly string[]): string | null {
  const times = names.map((name) => ({ name, mtimeMs: statSync(join(folder, name), { throwIfNoEntry: false })?.mtimeMs ?? 0 }));
  return times.toSorted((a, b) => b.mtimeMs - a.mtimeMs)[0]?.name ?? null;
}

function listNames(folder: string): readonly string[] {
  try {
    return readdirSync(folder).toSorted();
  } catch {
    return [];
  }
}

function readHead(file: string): Buffer {
  const handle = openSync(file, 'r');
  try {
    const head = Buffer.alloc(HEAD_BYTES);
    return head.subarray(0, readSync(handle, head, 0, HEAD_BYTES, 0));
  } finally {
    closeSync(handle);
  }
}

/** A job may be written in JSON, which is also YAML. */
function isJsonJob(file: string): boolean {
  const head = readHead(file).toString('latin1').trimStart();
  if (!head.startsWith('{') || !/"input"\s*:/.test(head)) return false;
  try {
    const value = JSON.parse(readFileSync(file, 'utf8')) as object;
    return 'input' in value && ('prompt' in value || 'messages' in value);
  } catch {
    return false;
  }
}

function typed(command: string): string {
  return `${programName()} ${command}`;
}

function refuse(message: string): UsageError {
  return new UsageError(message, { code: 'argument' });
}
