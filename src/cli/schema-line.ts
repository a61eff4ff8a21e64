import { existsSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { findPackageRoot } from './package-root.ts';

/**
 * The line with which an editor completes and checks a job file, if the package belongs to the project of the file: installed in the file's
 * folder or one above, or that folder itself. Otherwise nothing: the path of a global installation would be wrong on every other machine.
 */
export function findSchemaLine(jobFile: string): string {
  const schema = join(findPackageRoot(), 'job.schema.json');
  if (!existsSync(schema) || relative(findProject(), jobFile).startsWith('..')) return '';
  const path = relative(dirname(jobFile), schema).replaceAll('\\', '/');
  return `# yaml-language-server: $schema=${path.startsWith('.') ? path : `./${path}`}\n`;
}

/** The folder whose `node_modules` contains this package; the package itself if it is in none. */
function findProject(): string {
  const root = findPackageRoot();
  const [project, inside] = root.split(/[/\\]node_modules[/\\]/);
  return inside === undefined ? root : (project as string);
}
