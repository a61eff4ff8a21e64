import { type Dirent, existsSync, readdirSync, realpathSync } from 'node:fs';
import { basename, join } from 'node:path';
import { AppError, EXIT } from '../../core/errors.ts';
import { listNames } from '../../ledger/disk/durable-files.ts';

/** A state directory that was recognised by its content: its job file may be gone. */
export interface FoundDirectory {
  readonly directory: string;
  /** The job's name, from the directory. */
  readonly job: string;
}

/** Deeper folders are not searched. */
const MAX_DEPTH = 8;
const STATE_ROOT = '.rowmill';

/**
 * All state directories below a folder, by name; those in `root`, which replaces `.rowmill`, are included wherever it is.
 * @param tell called for folders that cannot be read: their costs are in no sum
 */
export function findStateDirectories(folder: string, root: string | null, tell: (problem: string) => void): readonly FoundDirectory[] {
  const found = new Map<string, FoundDirectory>();
  for (const start of root === null ? [folder] : [folder, root]) {
    if (!existsSync(start)) continue;
    for (const directory of listStates(start, 0, tell)) found.set(realpathSync(directory), { directory, job: nameJob(directory) });
  }
  return [...found.values()].toSorted((a, b) => (a.directory < b.directory ? -1 : 1));
}

/** `reviews` of `.rowmill/reviews@simulator`. */
function nameJob(directory: string): string {
  return basename(directory).split('@')[0] ?? '';
}

function listStates(folder: string, depth: number, tell: (problem: string) => void): readonly string[] {
  const entries = readFolder(folder, depth, tell);
  if (entries.some(({ name }) => name === 'events.jsonl')) return [folder];
  if (entries.some(({ name }) => name === 'responses') && listNames(join(folder, 'responses')).some((name) => name.endsWith('.jsonl')))
    tell(`${folder}: its events.jsonl is gone; its costs are in no sum`);
  return entries
    .filter((entry) => entry.isDirectory() && (!entry.name.startsWith('.') || entry.name === STATE_ROOT) && entry.name !== 'node_modules')
    .flatMap(({ name }) => (depth < MAX_DEPTH ? listStates(join(folder, name), depth + 1, tell) : []));
}

/** @throws AppError if the named folder cannot be read */
function readFolder(folder: string, depth: number, tell: (problem: string) => void): readonly Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    const problem = `${folder}: cannot be read (${(error as NodeJS.ErrnoException).code}); its costs are in no sum`;
    if (depth === 0) throw new AppError(problem, { code: 'unreadable', exitCode: EXIT.usage, cause: error });
    tell(problem);
    return [];
  }
}
