import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { findPackageRoot } from './package-root.ts';

/** What a person types to start this program here. With npx, in a clone, and where it is installed in the folder itself, `rowmill` need not be on the PATH. */
export function programName(folder = process.cwd()): string {
  const { npm_command: command } = process.env;
  const isHere = folder === findPackageRoot() || existsSync(join(folder, 'node_modules', '.bin', 'rowmill'));
  const isByNpm = command === 'exec' || command === 'run-script' || isHere;
  return isByNpm ? 'npx rowmill' : 'rowmill';
}
