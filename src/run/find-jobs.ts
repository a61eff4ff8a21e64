import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { findStates } from './last-run.ts';

/** A deeper folder is somebody else's. */
const MAX_DEPTH = 4;
const JOB_FILE = /\.ya?ml$/i;
const NAME_LINE = /^name:\s*["']?([A-Za-z0-9][A-Za-z0-9._-]{0,63})["']?\s*(?:#.*)?$/m;

/** The job files below a folder that have been run: those beside which, or below `root`, lies a state directory of their name. */
export function findJobFilesWithState(folder: string, root: string | null): readonly string[] {
  return listJobFiles(folder, 0).filter((file) => {
    const name = NAME_LINE.exec(readFileSync(file, 'utf8'))?.[1];
    return name !== undefined && findStates({ name, directory: join(file, '..') }, root).length > 0;
  });
}

function listJobFiles(folder: string, depth: number): readonly string[] {
  return readdirSync(folder, { withFileTypes: true })
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      if (entry.isFile()) return JOB_FILE.test(entry.name) ? [path] : [];
      const isSearched = entry.isDirectory() && depth < MAX_DEPTH && !entry.name.startsWith('.') && entry.name !== 'node_modules';
      return isSearched ? listJobFiles(path, depth + 1) : [];
    });
}
