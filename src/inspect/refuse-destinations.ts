import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { UsageError } from '../core/errors.ts';
import { findDestinationProblem, type NamedFile } from '../output/find-destination-problem.ts';
import { listDestinations, listSources } from '../run/open/destinations.ts';
import type { PreparedJob } from '../run/open/prepared-job.ts';
import type { ReadOptions } from './open-state.ts';

/** What a read-only command is about to write. */
export interface Written {
  /** As typed, or absolute; null if not requested. */
  readonly files: readonly { readonly path: string | null; readonly name: string }[];
  /** `--gold`: a column, or a file that is read. */
  readonly gold?: string | null;
}

/**
 * Checks where a command writes before it writes anything: it must not overwrite what it or the job reads, nor what a run has written, except that a
 * page it makes again may replace the run's own.
 * @throws UsageError with both files in one sentence
 */
export function refuseDestinations(
  { cwd, environmentFiles = [] }: Pick<ReadOptions, 'cwd' | 'environmentFiles'>,
  { compiled, table, examples, stateDirectory }: PreparedJob,
  { files, gold = null }: Written,
): void {
  const destinations = files.flatMap(({ path, name }) => (path === null ? [] : [{ path: resolve(cwd, path), name }]));
  if (destinations.length === 0) return;
  const read = { job: compiled.job, tableFiles: table.files, exampleFiles: examples?.table.files ?? [], environmentFiles };
  const isAgain = ({ path, name }: NamedFile) => destinations.some((made) => made.path === path && made.name === name);
  const sources = [...listSources(read), ...listDestinations(read).filter((made) => !isAgain(made))];
  if (gold !== null && existsSync(resolve(cwd, gold))) sources.push({ path: resolve(cwd, gold), name: 'the right answers' });
  const problem = findDestinationProblem({ destinations, sources, stateDirectory, cwd });
  if (problem !== null) throw new UsageError(problem, { code: 'output' });
}
