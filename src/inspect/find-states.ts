import { type Dirent, existsSync, readdirSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { AppError, EXIT } from '../core/errors.ts';
import { listNames } from '../ledger/disk/durable-files.ts';
import { readCreation } from '../ledger/events/read-creation.ts';
import { nameState } from './last-run.ts';

/** A state directory that was recognised by the first event of its log: its job file may be gone. */
export interface FoundDirectory {
  readonly directory: string;
  /** The job's name, from the directory. */
  readonly job: string;
}

const STATE_ROOT = '.rowmill';

/**
 * All state directories below a folder, by name; those in `root`, which replaces `.rowmill`, are included wherever it is.
 * @param tell called for what cannot be read
 * @param depth of the deepest folder that is searched
 */
export function findStateDirectories(
  folder: string,
  { root, tell, depth }: { readonly root: string | null; readonly tell: (problem: string) => void; readonly depth: number },
): readonly FoundDirectory[] {
  const found = new Map<string, FoundDirectory>();
  for (const start of root === null ? [folder] : [folder, root]) {
    if (!existsSync(start)) continue;
    for (const directory of listStates(start, { depth: 0, most: depth, tell }))
      found.set(realpathSync(directory), { directory, job: nameState(directory).job });
  }
  return [...found.values()].toSorted((a, b) => (a.directory < b.directory ? -1 : 1));
}

interface Walk {
  readonly depth: number;
  readonly most: number;
  readonly tell: (problem: string) => void;
}

function listStates(folder: string, { depth, most, tell }: Walk): readonly string[] {
  const entries = readFolder(folder, depth, tell);
  if (readCreation(folder) !== null) return [folder];
  const hasLog = entries.some(({ name }) => name === 'events.jsonl');
  if (entries.some(({ name }) => name === 'responses') && listNames(join(folder, 'responses')).some((name) => name.endsWith('.jsonl')))
    tell(`${folder}: its events.jsonl ${hasLog ? 'does not begin as a log of rowmill does' : 'is gone'}`);
  return entries
    .filter((entry) => entry.isDirectory() && (!entry.name.startsWith('.') || entry.name === STATE_ROOT) && entry.name !== 'node_modules')
    .flatMap(({ name }) => (depth < most ? listStates(join(folder, name), { depth: depth + 1, most, tell }) : []));
}

/** @throws AppError if the named folder cannot be read */
function readFolder(folder: string, depth: number, tell: (problem: string) => void): readonly Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    const problem = `${folder}: cannot be read (${(error as NodeJS.ErrnoException).code})`;
    if (depth === 0) throw new AppError(problem, { code: 'unreadable', exitCode: EXIT.usage, cause: error });
    tell(problem);
    return [];
  }
}
