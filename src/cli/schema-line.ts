import { existsSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { findPackageRoot } from './package-root.ts';

/** The line that lets an editor complete a job file from the schema, where the package lies below the file's folder; else nothing. */
export function findSchemaLine(jobFile: string): string {
  const schema = relative(dirname(jobFile), join(findPackageRoot(), 'job.schema.json'));
  return schema.startsWith('..') || !existsSync(schema) ? '' : `# yaml-language-server: $schema=./${schema}\n`;
}
