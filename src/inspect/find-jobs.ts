import { type Dirent, readdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { readCreation } from '../ledger/events/read-creation.ts';
import { findStateDirectories } from './find-states.ts';
import { chooseState, findStates } from './last-run.ts';

/** Deeper folders are not searched. */
const MAX_DEPTH = 4;
const MAX_JOB_FILE_BYTES = 1024 * 1024;
const JOB_FILE = /\.ya?ml$/i;
const NAME_LINE = /^name:\s*["']?([A-Za-z0-9][A-Za-z0-9._-]{0,63})["']?\s*(?:#.*)?$/m;

/** A job file with the state directories of its name next to it, or below `root`: at least one. */
export interface JobFileWithState {
  readonly file: string;
  readonly directories: readonly string[];
}

/**
 * The jobs below a folder that have been run: their job files, then the state directories of jobs without one, because a program defines
 * them, or because the file is gone. Of a job's state directories, the one to use.
 */
export async function findJobs(
  folder: string,
  { root, origin, signal }: { readonly root: string | null; readonly origin: string | null; readonly signal: AbortSignal },
): Promise<readonly string[]> {
  const files = findJobFilesWithState(folder, root);
  // With `--state-dir`, a job may have other states next to its file.
  const claimed = root === null ? files : [...files, ...findJobFilesWithState(folder, null)];
  const known = new Set(claimed.flatMap(({ directories }) => directories.map((directory) => realpathSync(directory))));
  const others = findStateDirectories(folder, { root, tell: () => {}, depth: MAX_DEPTH + 2 }).filter(
    ({ directory }) => !known.has(realpathSync(directory)) && isInPlace(directory, root),
  );
  const chosen = new Set<string>();
  for (const { directory, job } of others) {
    const parent = dirname(directory);
    const state = await chooseState({ name: job, directory: dirname(parent) }, parent, origin, signal).catch(() => {
      signal.throwIfAborted();
      return null;
    });
    if (state !== null) chosen.add(state.directory);
  }
  return [...files.map(({ file }) => file), ...chosen];
}

/** Copies and backups elsewhere are nobody's current state. */
function isInPlace(directory: string, root: string | null): boolean {
  const parent = dirname(directory);
  return basename(parent) === '.rowmill' || (root !== null && resolve(parent) === resolve(root));
}

/** The job files below a folder that have been run. */
export function findJobFilesWithState(folder: string, root: string | null): readonly JobFileWithState[] {
  return listJobFiles(folder, 0).flatMap((file) => {
    const name = readName(file);
    const directories = name === null ? [] : findStates({ name, directory: join(file, '..') }, root).map(({ directory }) => directory);
    return directories.length === 0 ? [] : [{ file, directories }];
  });
}

/** The name in a job file, found without reading the rest of it; null if it cannot be read. */
function readName(file: string): string | null {
  try {
    return statSync(file).size > MAX_JOB_FILE_BYTES ? null : (NAME_LINE.exec(readFileSync(file, 'utf8'))?.[1] ?? null);
  } catch {
    return null;
  }
}

function listJobFiles(folder: string, depth: number): readonly string[] {
  const entries = readFolder(folder);
  // A state directory stores the job of each of its runs; with --state-dir it may be found by the search.
  if (readCreation(folder) !== null) return [];
  return entries
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      if (entry.isFile()) return JOB_FILE.test(entry.name) ? [path] : [];
      const isSearched = entry.isDirectory() && depth < MAX_DEPTH && !entry.name.startsWith('.') && entry.name !== 'node_modules';
      return isSearched ? listJobFiles(path, depth + 1) : [];
    });
}

/** Folders that cannot be read hold no jobs of this user. */
function readFolder(folder: string): readonly Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
}
