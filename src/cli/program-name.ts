import { findPackageRoot } from './package-root.ts';

/** What a person types to start this program here. Through npm, and in a clone, nothing called rowmill need be on the path. */
export function programName(): string {
  const { npm_command: command } = process.env;
  const isByNpm = command === 'exec' || command === 'run-script' || process.cwd() === findPackageRoot();
  return isByNpm ? 'npx rowmill' : 'rowmill';
}
