import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { hashFile } from '../../core/disk/hash-file.ts';
import { EXIT } from '../../core/errors.ts';
import type { Job } from '../../core/job.ts';
import { isYaml, showFile } from '../../input/table/find-files.ts';
import { openRunFiles } from '../../ledger/runs.ts';
import type { Stop } from '../../output/verdict.ts';
import type { Fingerprint, KeptSummary } from './kept-summary.ts';

export interface SharedTableOptions {
  readonly job: Pick<Job, 'name' | 'directory' | 'write'>;
  /** The job's own; those of other jobs are next to it. */
  readonly stateDirectory: string;
  readonly cwd: string;
  readonly signal: AbortSignal;
}

/** Another job's table at the path a run will write to. */
export interface SharedTable {
  /** In words: which file it is, and whose. */
  readonly what: string;
  /** Identifies job and content. */
  readonly claim: string;
}

/**
 * Checks whether the file a run will replace is another job's table, unchanged since that job's last run. Jobs whose file is no longer next to this
 * one are ignored: they were renamed or removed.
 * @returns null if there is no such job
 */
export async function findSharedTable({ job, stateDirectory, cwd, signal }: SharedTableOptions): Promise<SharedTable | null> {
  if (job.write.isStdout === true) return null;
  for (const directory of listStates(path.dirname(stateDirectory))) {
    const [name = ''] = path.basename(directory).split('@');
    if (name === job.name) continue;
    const table = findLastTable(directory);
    if (table === null || !isSameFile(table.table, job.write.path)) continue;
    const file = findJobFile(job.directory, name);
    const sha256 = file === null ? null : await hashFile(job.write.path, signal).catch(() => null);
    const own = sha256 === null ? null : findLastTable(stateDirectory);
    const isOwn = own !== null && isSameFile(own.table, job.write.path) && own.tableSha256 === sha256;
    if (file === null || sha256 !== table.tableSha256 || isOwn) continue;
    const [shown, whose] = [showFile(job.write.path, cwd), showFile(file, cwd)];
    return { what: `${shown} is the table of the job ${name} (${whose})`, claim: `${name} ${sha256}` };
  }
  return null;
}

/** The stop of a run if another job has written to its path since it was prepared: otherwise the later of two runs would silently win. */
export async function findTakenTable(options: SharedTableOptions, before: SharedTable | null): Promise<Stop | null> {
  const shared = await findSharedTable(options);
  if (shared === null || shared.claim === before?.claim) return null;
  return { exitCode: EXIT.stopped, why: `${shared.what}, which wrote it during this run; give each job its own write.path` };
}

/** Also by a link, a hard link, or a name in another case where that is the same one. */
function isSameFile(one: string, other: string): boolean {
  if (one === other) return true;
  try {
    const [a, b] = [one, other].map((file) => statSync(file, { bigint: true }));
    return a !== undefined && a.dev === b?.dev && a.ino === b.ino;
  } catch {
    return false;
  }
}

function listStates(root: string): readonly string[] {
  try {
    return readdirSync(root).map((name) => path.join(root, name));
  } catch {
    return [];
  }
}

/** The table of the newest run that wrote one; unreadable runs are skipped. */
function findLastTable(directory: string): Fingerprint | null {
  const runFiles = openRunFiles(directory, () => '');
  for (const run of runFiles.listRuns().toReversed()) {
    const kept = runFiles.readRunSummary(run, () => {}) as KeptSummary | null;
    if (kept?.fingerprint != null) return kept.fingerprint;
  }
  return null;
}

/** The job file of this name in a folder; null without one. */
function findJobFile(folder: string, name: string): string | null {
  try {
    const files = readdirSync(folder).filter(isYaml);
    return files.map((file) => path.join(folder, file)).find((file) => readName(file) === name) ?? null;
  } catch {
    return null;
  }
}

function readName(file: string): string | null {
  try {
    return /^name:\s*["']?([^"'\s#]+)/m.exec(readFileSync(file, 'utf8'))?.[1] ?? null;
  } catch {
    return null;
  }
}
