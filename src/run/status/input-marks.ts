import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Job } from '../../core/job.ts';
import { findFiles } from '../../input/table/find-files.ts';

/** The state of the files a job's rows and examples are read from, as the file system identifies it. */
export interface InputMarks {
  /** One per file; equal as long as nothing has changed. */
  readonly marks: readonly string[];
  /** Milliseconds since 1970: a change from then on would show in the marks. */
  readonly tellsFromMs: number;
}

/** Some file systems keep whole seconds, or every second one. */
const COARSE_MS = 2_000;
/** Others advance with the kernel's clock, which ticks a hundred times a second or more. */
const FINE_MS = 50;

/** @throws UsageError if one of the files does not exist */
export async function markInputs(
  job: Pick<Job, 'input' | 'examples'>,
  { stateDirectory, cwd }: { readonly stateDirectory: string; readonly cwd: string },
): Promise<InputMarks> {
  const { input, examples } = job;
  const tables = input.path === '-' ? [{ path: join(stateDirectory, 'stdin') }] : await findFiles(input.path, cwd);
  const shown = examples === null ? [] : await findFiles(examples.path, cwd);
  const found = await Promise.all([...tables, ...shown].map(({ path }) => markFile(path)));
  return { marks: found.map(({ mark }) => mark), tellsFromMs: Math.max(...found.map(({ tellsFromMs }) => tellsFromMs)) };
}

/** A program cannot set the change time of a file's inode, so a change of its bytes cannot be hidden by it. */
async function markFile(path: string): Promise<{ readonly mark: string; readonly tellsFromMs: number }> {
  const { size, mtimeNs, ctimeNs, ctimeMs, ino, dev } = await stat(path, { bigint: true });
  const tickMs = ctimeNs % 1_000_000_000n === 0n ? COARSE_MS : FINE_MS;
  return { mark: [path, size, mtimeNs, ctimeNs, ino, dev].join(' '), tellsFromMs: Number(ctimeMs) + tickMs };
}
