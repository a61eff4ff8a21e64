import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { nameDay } from '../../core/day.ts';
import { UsageError } from '../../core/errors.ts';
import type { Job } from '../../core/job.ts';
import { putDate } from '../../input/job/dated-path.ts';
import { findDocuments, findFiles, showFile } from '../../input/table/find-files.ts';
import { findRunDestinationProblem } from '../../run/open/destinations.ts';
import type { Finding } from './finding.ts';

/** What checking the files of a job depends on. */
export interface OutputPlace {
  readonly cwd: string;
  readonly stateDirectory: string;
  /** Where the environment comes from: files that must not be overwritten. */
  readonly environmentFiles: readonly string[];
  /** The day in a dated path. */
  readonly now: Date;
}

/** Whether the table of a job exists, and whether a run could write to `write.path` without overwriting what it reads. */
export async function examineOutput(given: Job, place: OutputPlace): Promise<readonly Finding[]> {
  const { dated } = given.write;
  const path = dated === undefined ? given.write.path : putDate(dated.template, dated.date ?? nameDay(place.now, null));
  const job = { ...given, write: { ...given.write, path } };
  const findings: Finding[] = [];
  let tableFiles: readonly string[] = [];
  try {
    tableFiles = await listTableFiles(job, place.cwd);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    findings.push({ name: 'input', status: 'warning', message: error.message });
  }
  if (job.write.isStdout === true) return findings;
  const read = { job, tableFiles, exampleFiles: await listExampleFiles(job, place.cwd), environmentFiles: place.environmentFiles };
  const problem = await findRunDestinationProblem(read, place);
  const folder = dirname(path);
  const made = existsSync(folder) ? '' : `; a run creates the folder ${showFile(folder, place.cwd)}`;
  return [
    ...findings,
    problem === null
      ? { name: 'output', status: 'ok', message: `${showFile(path, place.cwd)} can be written${made}` }
      : { name: 'output', status: 'problem', message: problem },
  ];
}

/** Empty if there are none, or none that can be found: a run says so. */
async function listExampleFiles({ examples }: Job, cwd: string): Promise<readonly string[]> {
  if (examples === null) return [];
  const files = await findFiles(examples.path, cwd).catch(() => []);
  return files.map((file) => file.path);
}

async function listTableFiles({ input }: Job, cwd: string): Promise<readonly string[]> {
  if (input.path === '-') return [];
  const files = await (input.format === 'documents' ? findDocuments : findFiles)(input.path, cwd);
  return files.map((file) => file.path);
}
