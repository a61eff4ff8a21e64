import { type BigIntStats, constants } from 'node:fs';
import { access, readlink, realpath, stat } from 'node:fs/promises';
import path from 'node:path';

/** A file by its absolute path, with what a sentence calls it: `the report`. */
export interface NamedFile {
  readonly path: string;
  readonly name: string;
}

export interface DestinationsOptions {
  /** Files that will be written, replaced or removed. */
  readonly destinations: readonly NamedFile[];
  /** Files that are read, whether they exist yet or not. */
  readonly sources: readonly NamedFile[];
  /** What no file of the user belongs into; it may not exist yet. */
  readonly stateDirectory: string;
  /** Paths are shown as seen from here. */
  readonly cwd: string;
  /** Whether two names that differ in case alone are one file; as this platform has it, unless told otherwise. */
  readonly foldsCase?: boolean;
}

/** Where a path leads: through links, also where the last of its names do not exist yet. */
interface Location {
  readonly real: string;
  /** Null where no file is yet. */
  readonly status: BigIntStats | null;
}

/**
 * Looks for a file that cannot be written, or whose writing would destroy something else: a file that is read, by whatever path or link it is
 * reached, the state of a job, or another file that is written.
 * @returns the first problem as a sentence that names both files; null when there is none
 */
export async function findDestinationProblem(options: DestinationsOptions): Promise<string | null> {
  const foldsCase = options.foldsCase ?? process.platform !== 'linux';
  const show = (file: string) => showFrom(options.cwd, file);
  const places = (location: Location) => listPlaces(location, foldsCase);
  const taken = new Map<string, string>();
  for (const { path: file, name } of options.sources) {
    const location = await locate(file).catch(() => null);
    if (location !== null) for (const place of places(location)) if (!taken.has(place)) taken.set(place, `${name}, ${show(file)}`);
  }
  const directory = path.resolve(options.cwd, options.stateDirectory);
  // One that cannot be opened is told of when it is.
  const state = await locate(directory).then(
    ({ real }) => real,
    () => directory,
  );
  for (const { path: file, name } of options.destinations) {
    const refuse = (why: string) => `${name} cannot be written to ${show(file)}: ${why}`;
    if (STREAMS.test(file)) return refuse(NO_FILE);
    const found = await locate(file).catch((error: NodeJS.ErrnoException) => error);
    if (found instanceof Error) return refuse(describeError(found));
    const blocked = await findObstacle(found);
    if (blocked !== null) return refuse(blocked);
    const folder = await findStateFolder(found.real, state);
    if (folder !== null) return refuse(`it would be in the state directory ${show(folder)}`);
    const other = places(found)
      .map((place) => taken.get(place))
      .find((owner) => owner !== undefined);
    if (other !== undefined) return refuse(`that is ${other}; name another file`);
    for (const place of places(found)) taken.set(place, `${name}, ${show(file)}`);
  }
  return null;
}

/** Relative where it lies below. */
function showFrom(folder: string, file: string): string {
  const shown = path.relative(folder, file);
  return shown === '' || shown.startsWith('..') || path.isAbsolute(shown) ? file : shown;
}

/** Two paths of one file share one of these. Hard links are one file by two names. */
function listPlaces({ real, status }: Location, foldsCase: boolean): readonly string[] {
  const name = foldsCase ? real.normalize('NFC').toLowerCase() : real;
  return status === null ? [name] : [name, `${status.dev}:${status.ino}`];
}

/** A chain of links that is longer ends nowhere (Linux follows 40). */
const MAX_LINKS = 40;

/** @throws an error of the file system where a path cannot be followed */
async function locate(file: string, linksLeft = MAX_LINKS): Promise<Location> {
  const status = await stat(file, { bigint: true }).catch(ifMissing);
  if (status !== null) return { real: await realpath(file), status };
  const target = await readlink(file).catch(() => null);
  if (target !== null && linksLeft > 0) return locate(path.resolve(path.dirname(file), target), linksLeft - 1);
  const { existing, missing } = await splitAtExisting(path.dirname(file));
  return { real: path.join(await realpath(existing), missing, path.basename(file)), status: null };
}

/** The part of a path of folders that exists, and the rest. */
async function splitAtExisting(folder: string): Promise<{ readonly existing: string; readonly missing: string }> {
  let existing = folder;
  while ((await stat(existing).catch(ifMissing)) === null && path.dirname(existing) !== existing) existing = path.dirname(existing);
  return { existing, missing: path.relative(existing, folder) };
}

function ifMissing(error: NodeJS.ErrnoException): null {
  if (error.code === 'ENOENT') return null;
  throw error;
}

/** These stand for open streams, whatever they lead to. */
const NO_FILE = 'it is a device, a pipe or a socket, and no file';
const STREAMS = /^\/(dev\/(stdin|stdout|stderr|fd\/)|proc\/)/;
const ANY_WRITE_BIT = 0o222n;

/** Why a file cannot be put there; null when it can. */
async function findObstacle({ real, status }: Location): Promise<string | null> {
  if (status?.isDirectory() === true) return 'it is a folder';
  if (status !== null && !status.isFile()) return NO_FILE;
  // The superuser may write everything: what nobody has the right to write is meant to stay.
  if (status !== null && (status.mode & ANY_WRITE_BIT) === 0n) return 'it is there already, and read-only';
  try {
    if (status !== null) await access(real, constants.W_OK);
    const { existing } = await splitAtExisting(path.dirname(real));
    if (!(await stat(existing)).isDirectory()) return `${existing} is not a folder`;
    await access(existing, constants.W_OK | constants.X_OK);
    return null;
  } catch (error) {
    return describeError(error as NodeJS.ErrnoException);
  }
}

const WORDS: Readonly<Record<string, string>> = {
  EACCES: 'this user has no write access there',
  EPERM: 'this user has no write access there',
  EROFS: 'the file system is read-only',
  ENAMETOOLONG: 'its name is too long for the file system',
  ELOOP: 'its links lead in a circle',
  ENOTDIR: 'a part of its path is a file, and no folder',
};

function describeError({ code = '', message }: NodeJS.ErrnoException): string {
  return WORDS[code] ?? message;
}

/** The state directory a file would lie in: this job's, or any other one. */
async function findStateFolder(real: string, stateDirectory: string): Promise<string | null> {
  for (let folder = path.dirname(real); ; folder = path.dirname(folder)) {
    if (folder === stateDirectory || path.basename(folder) === '.rowmill') return folder;
    if (await holdsState(folder)) return folder;
    if (path.dirname(folder) === folder) return null;
  }
}

/** Any table may be called events.jsonl; beside answers it is a log. */
async function holdsState(folder: string): Promise<boolean> {
  const [log, answers] = await Promise.all(['events.jsonl', 'responses'].map((name) => stat(path.join(folder, name)).catch(() => null)));
  return log?.isFile() === true && answers?.isDirectory() === true;
}
