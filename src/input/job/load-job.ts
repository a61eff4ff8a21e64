import fs from 'node:fs/promises';
import path from 'node:path';
import { suggestFile } from '../../core/disk/suggest-file.ts';
import { type Place, type Problem, UsageError } from '../../core/errors.ts';
import type { Job } from '../../core/job.ts';
import type { JobCode } from '../../core/job-code.ts';
import { type JobSource, NO_SOURCE, placeError } from '../../core/problem-path.ts';
import { compileMessages } from '../request/compile-messages.ts';
import { setParams } from '../request/extra-params.ts';
import { isYaml, showFile } from '../table/find-files.ts';
import { openTable } from '../table/open-table.ts';
import { readYaml } from '../yaml/yaml-source.ts';
import { readJob } from './make-job.ts';

/** Values from the command line that override the job file; absent and null mean as in the file. Paths are relative to the working directory. */
export interface JobOverrides {
  readonly input?: string | null;
  readonly out?: string | null;
  readonly mode?: Job['mode'] | null;
  /** Single parameters that override those of the job. */
  readonly params?: Readonly<Record<string, unknown>>;
}

/** A job, and positions in the text it was read from. */
export interface LoadedJob {
  readonly job: Job;
  readonly source: JobSource;
  /** Only for a job defined in a program. */
  readonly code?: JobCode;
}

const MAX_JOB_FILE_BYTES = 1024 * 1024;

/**
 * Reads and validates a job file.
 * @throws UsageError with all its problems, each with file, line and column
 */
export async function loadJob(file: string, overrides: JobOverrides & { readonly cwd: string }): Promise<LoadedJob> {
  const absolute = path.resolve(overrides.cwd, file);
  const shown = showFile(absolute, overrides.cwd);
  return loadJobText(await readJobText(absolute, shown), { absolute, shown }, overrides);
}

/**
 * The same for a text that is not in its file yet.
 * @param place where the file is or will be; `shown` is null if its problems have no place, because nobody has seen the text
 */
export async function loadJobText(
  text: string,
  { absolute, shown }: { readonly absolute: string; readonly shown: string | null },
  overrides: JobOverrides & { readonly cwd: string },
): Promise<LoadedJob> {
  const yaml = readYaml(text, shown ?? '');
  if (yaml.problems.length > 0) throw new UsageError(yaml.problems, { code: 'job' });
  const source = shown === null ? NO_SOURCE : yaml.source;
  const { job, problems } = readJob(applyOverrides(yaml.value, overrides), {
    source,
    directory: path.dirname(absolute),
    file: absolute,
    text,
  });
  if (job === null) throw new UsageError(problems, { code: 'job' });
  if (problems.length > 0) throw new UsageError([...problems, ...(await findTableProblems({ job, source }, overrides))], { code: 'job' });
  return { job: overrides.out === '-' ? { ...job, write: { ...job.write, isStdout: true } } : job, source };
}

/** Problems of the table with a job that is already invalid, so that everything is reported at once. */
async function findTableProblems(
  { job, source }: LoadedJob,
  overrides: JobOverrides & { readonly cwd: string },
): Promise<readonly Problem[]> {
  if (job.input.path === '-') return [];
  try {
    return compileMessages(job, source, await openTable(job.input, { cwd: overrides.cwd, signal: new AbortController().signal })).problems;
  } catch (error) {
    const told = placeError(error, findInputPlace({ job, source }, overrides));
    return told instanceof UsageError ? told.problems : [];
  }
}

/** The position of the table's name in the job file; null if a flag named it. */
export function findInputPlace({ job, source }: LoadedJob, overrides: JobOverrides = {}): Place | null {
  return overrides.input == null ? source.placeOf(['input', job.input.format === 'documents' ? 'documents' : 'path']) : null;
}

async function readJobText(absolute: string, shown: string): Promise<string> {
  const fail = (message: string): never => {
    throw new UsageError(message, { code: 'job' });
  };
  try {
    const { size } = await fs.stat(absolute);
    if (size > MAX_JOB_FILE_BYTES) fail(`${shown}: larger than 1 MB; this is not a job file`);
    return new TextDecoder('utf-8', { fatal: true }).decode(await fs.readFile(absolute));
  } catch (error) {
    if (error instanceof UsageError) throw error;
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' || code === 'ENOTDIR') return fail(`${shown}: no such job file${suggestFile(absolute, isYaml)}`);
    if (code === 'EISDIR') return fail(`${shown}: is a directory, not a job file`);
    return fail(`${shown}: cannot be read (${code === 'ERR_ENCODING_INVALID_ENCODED_DATA' ? 'not UTF-8' : (error as Error).message})`);
  }
}

/** Applies the command line's values before the check, so that they are checked too. */
function applyOverrides(value: unknown, overrides: JobOverrides & { readonly cwd: string }): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const spec: Record<string, unknown> = { ...value };
  const put = (section: string, entries: Record<string, unknown>, merge = mergeEntries): void => {
    const old = spec[section];
    if (old === undefined || (typeof old === 'object' && old !== null && !Array.isArray(old))) spec[section] = merge({ ...old }, entries);
  };
  const { input, out, cwd } = overrides;
  if (input != null) put('input', { [nameSource(spec.input)]: input === '-' ? '-' : path.resolve(cwd, input) });
  if (out != null && out !== '-') put('write', { path: path.resolve(cwd, out) });
  if (overrides.mode != null) spec.mode = overrides.mode;
  if (overrides.params !== undefined && Object.keys(overrides.params).length > 0) put('params', { ...overrides.params }, setParams);
  return spec;
}

/** The key of a job's input that gives its location. */
function nameSource(input: unknown): 'path' | 'documents' {
  return typeof input === 'object' && input !== null && 'documents' in input ? 'documents' : 'path';
}

type Entries = Readonly<Record<string, unknown>>;

function mergeEntries(old: Entries, entries: Entries): Entries {
  return { ...old, ...entries };
}
