import { findPackageRoot } from './package-root.ts';

/** What a person types to start this program here. With npx, and in a clone, `rowmill` need not be on the PATH. */
export function programName(): string {
  const { npm_command: command } = process.env;
  const isByNpm = command === 'exec' || command === 'run-script' || process.cwd() === findPackageRoot();
  return isByNpm ? 'npx rowmill' : 'rowmill';
}
