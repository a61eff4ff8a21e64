import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createWorld, type World } from './command-line.ts';
import { projectRoot } from './project-root.ts';

/** Where the kept states lie; its README says how they were made. */
export const STATES_OF_BEFORE = join(projectRoot, 'fixtures', 'states');

export type StateOfBefore = 'batch-finished' | 'batch-killed' | 'live-finished' | 'live-killed';

/** What every command over such a state is given besides the job. */
export const STATE_FLAGS = ['--state-dir', 'state', '--simulate'] as const;

/** Stands in the kept files for the folder they were made in. */
const FOLDER = '/folder-of-the-job';

/** A kept state with its job and table, in a folder of its own, as if it had been made there. */
export function copyStateOfBefore(name: StateOfBefore): World & { readonly state: string } {
  const world = createWorld({});
  cpSync(join(STATES_OF_BEFORE, name), world.folder, { recursive: true });
  const state = join(world.folder, 'state', 'notes@simulator');
  for (const file of listFiles(join(state, 'runs')).filter((path) => path.endsWith('.json'))) {
    writeFileSync(file, readFileSync(file, 'utf8').replaceAll(FOLDER, world.folder));
  }
  return { ...world, state };
}

/** All files below a folder; none where there is no such folder. */
export function listFiles(folder: string): readonly string[] {
  try {
    const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
    return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
