import { accessSync, type BigIntStats, constants, readlinkSync, realpathSync, statSync } from 'node:fs';
import path from 'node:path';

/** A file by its absolute path, with its name in a sentence: `the report`. */
export interface NamedFile {
  readonly path: string;
  readonly name: string;
}

export interface DestinationsOptions {
  /** Files that will be written, replaced or removed. */
  readonly destinations: readonly NamedFile[];
  /** Files that are read, whether they exist yet or not. */
  readonly sources: readonly NamedFile[];
  /** Directories in which no file of the user belongs; they may not exist yet. */
  readonly stateDirectory: string;
  /** Paths are shown relative to this. */
  readonly cwd: string;
  /** Called if nothing can be written there: what to do instead, as the end of the sentence. */
  readonly adviseElsewhere?: () => string;
  /** Whether two names that differ only in case are one file; by default as on this platform. */
  readonly foldsCase?: boolean;
}

/** Where a path leads: through links, also if its last parts do not exist yet. */
interface Location {
  readonly real: string;
  /** Null if there is no file yet. */
  readonly status: BigIntStats | null;
}

/**
 * Looks for a file that cannot be written, or whose writing would destroy something else: a file that is read, under any path or link,
 * the state of a job, or another file that is written.
 * It asks the file system a hundred small questions, which take less each than to hand one to another thread.
 * @returns the first problem as a sentence that names both files; null if there is none
 */
export function findDestinationProblem(options: DestinationsOptions): string | null {
  const foldsCase = options.foldsCase ?? process.platform !== 'linux';
  const show = (file: string) => showFrom(options.cwd, file);
  const places = (location: Location) => listPlaces(location, foldsCase);
  const taken = new Map<string, string>();
  for (const { path: file, name } of options.sources) {
    const location = tryTo(() => locate(file));
    if (!(location instanceof Error))
      for (const place of places(location)) if (!taken.has(place)) taken.set(place, `${name}, ${show(file)}`);
  }
  const directory = path.resolve(options.cwd, options.stateDirectory);
  // One that cannot be opened is reported when it is.
  const stateLocation = tryTo(() => locate(directory));
  const state = stateLocation instanceof Error ? directory : stateLocation.real;
  for (const { path: file, name } of options.destinations) {
    const refuse = (why: string) => `${name} cannot be written to ${show(file)}: ${why}`;
    if (STREAMS.test(file)) return refuse(NO_FILE);
    const found = tryTo(() => locate(file));
    if (found instanceof Error) return refuse(describeError(found));
    const blocked = findObstacle(found);
    if (blocked !== null) return refuse(blocked + (DENIED.has(blocked) ? (options.adviseElsewhere?.() ?? '') : ''));
    const folder = findStateFolder(found.real, state);
    if (folder !== null) return refuse(`it would be in the state directory ${show(folder)}`);
    const other = places(found)
      .map((place) => taken.get(place))
      .find((owner) => owner !== undefined);
    if (other !== undefined) return refuse(`that is ${other}; name another file`);
    for (const place of places(found)) taken.set(place, `${name}, ${show(file)}`);
  }
  return null;
}

/** Relative if it is below. */
function showFrom(folder: string, file: string): string {
  const shown = path.relative(folder, file);
  return shown === '' || shown.startsWith('..') || path.isAbsolute(shown) ? file : shown;
}

/** Two paths of one file share one of these. Hard links are one file with two names. */
function listPlaces({ real, status }: Location, foldsCase: boolean): readonly string[] {
  const name = foldsCase ? real.normalize('NFC').toLowerCase() : real;
  return status === null ? [name] : [name, `${status.dev}:${status.ino}`];
}

/** A longer chain of links leads nowhere (Linux follows 40). */
const MAX_LINKS = 40;

/** @throws an error of the file system if a path cannot be followed */
function locate(file: string, linksLeft = MAX_LINKS): Location {
  const status = statSync(file, { bigint: true, throwIfNoEntry: false });
  if (status !== undefined) return { real: realpathSync.native(file), status };
  const target = tryTo(() => readlinkSync(file));
  if (!(target instanceof Error) && linksLeft > 0) return locate(path.resolve(path.dirname(file), target), linksLeft - 1);
  const { existing, missing } = splitAtExisting(path.dirname(file));
  return { real: path.join(realpathSync.native(existing), missing, path.basename(file)), status: null };
}

/** The existing part of a path of folders, and the rest. */
function splitAtExisting(folder: string): { readonly existing: string; readonly missing: string } {
  let existing = folder;
  while (statSync(existing, { throwIfNoEntry: false }) === undefined && path.dirname(existing) !== existing)
    existing = path.dirname(existing);
  return { existing, missing: path.relative(existing, folder) };
}

/** Whether this user can write into a folder, or create it. */
export function canWriteIn(folder: string): boolean {
  const answer = tryTo(() => {
    const { existing } = splitAtExisting(folder);
    accessSync(existing, constants.W_OK | constants.X_OK);
    return statSync(existing).isDirectory();
  });
  return answer === true;
}

/** What it returns, or the error of the file system that it throws. */
function tryTo<T>(ask: () => T): T | NodeJS.ErrnoException {
  try {
    return ask();
  } catch (error) {
    return error as NodeJS.ErrnoException;
  }
}

/** These are open streams, whatever they lead to. */
const NO_FILE = 'it is a device, a pipe or a socket, not a file';
const STREAMS = /^\/(dev\/(stdin|stdout|stderr|fd\/)|proc\/)/;
const ANY_WRITE_BIT = 0o222n;

/** Why a file cannot be written there; null if it can. */
function findObstacle({ real, status }: Location): string | null {
  if (status?.isDirectory() === true) return 'it is a folder';
  if (status !== null && !status.isFile()) return NO_FILE;
  // The superuser may write everything: a file without any write permission is meant to stay.
  if (status !== null && (status.mode & ANY_WRITE_BIT) === 0n) return 'it already exists and is read-only';
  try {
    if (status !== null) accessSync(real, constants.W_OK);
    const { existing } = splitAtExisting(path.dirname(real));
    if (!statSync(existing).isDirectory()) return `${existing} is not a folder`;
    accessSync(existing, constants.W_OK | constants.X_OK);
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
  ENOTDIR: 'a part of its path is a file, not a folder',
};

/** Another folder helps. */
const DENIED: ReadonlySet<string | undefined> = new Set([WORDS.EACCES, WORDS.EROFS]);

function describeError({ code = '', message }: NodeJS.ErrnoException): string {
  return WORDS[code] ?? message;
}

/** The state directory a file would be in: this job's, or any other. */
function findStateFolder(real: string, stateDirectory: string): string | null {
  for (let folder = path.dirname(real); ; folder = path.dirname(folder)) {
    if (folder === stateDirectory || path.basename(folder) === '.rowmill') return folder;
    if (holdsState(folder)) return folder;
    if (path.dirname(folder) === folder) return null;
  }
}

/** Any table may be called events.jsonl; next to answers it is a log. */
function holdsState(folder: string): boolean {
  const see = (name: string) => tryTo(() => statSync(path.join(folder, name), { throwIfNoEntry: false }));
  const log = see('events.jsonl');
  if (log === undefined || log instanceof Error || !log.isFile()) return false;
  const answers = see('responses');
  return answers !== undefined && !(answers instanceof Error) && answers.isDirectory();
}
