import { UsageError } from '../core/errors.ts';
import { formatThings } from '../core/wording/format-count.ts';

/** `last`, `last~2`, or `prev`, which is `last~1`. */
const RELATIVE = /^(?:last(?:~(\d{1,6}))?|(prev))$/;

/**
 * The id of the named run: itself, or a run counted from the newest one, ended or not.
 * @param runs ids, oldest first
 * @throws UsageError if the job has not had that many runs
 */
export function resolveRun(name: string, { job, runs }: { readonly job: string; readonly runs: readonly string[] }): string {
  const relative = RELATIVE.exec(name);
  if (relative === null) return name;
  const back = relative[2] === undefined ? Number(relative[1] ?? 0) : 1;
  const run = runs.at(-1 - back);
  if (run !== undefined) return run;
  const had = runs.length === 0 ? 'no run yet' : `only ${formatThings(runs.length, 'run')}: ${runs.join(', ')}`;
  throw new UsageError(`${name}: ${job} has had ${had}`, { code: 'no_run' });
}
