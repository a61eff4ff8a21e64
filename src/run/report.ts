import { relative, resolve } from 'node:path';
import { UsageError } from '../core/errors.ts';
import type { Summary } from '../core/summary.ts';
import { openRunFiles } from '../ledger/runs.ts';
import { type JobState, type LastRun, readKeptRun } from './last-run.ts';
import { findState, type LookOptions } from './open-for-looking.ts';
import { repriceSummary } from './reprice.ts';

/** The summary a run kept, and whose answers it is about. */
export interface Report {
  readonly summary: Summary;
  readonly state: JobState;
}

/**
 * Reads the summary of a run again, with its paths as seen from the working directory.
 * @param run the id; null for the last run that kept one
 * @param priceAsOf counts the money anew with the prices of this day; null shows it as the run counted it
 * @throws UsageError when there is no such run; it names those there are
 */
export async function readReport(options: LookOptions, run: string | null, priceAsOf: string | null = null): Promise<Report> {
  const found = await findState(options);
  const { state, lastRun, job } = found;
  const kept = run === null ? lastRun : readKeptRun(state, run);
  if (kept !== null) {
    const summary = showFrom(options.cwd, kept);
    return { summary: priceAsOf === null ? summary : await repriceSummary(options, found, summary, priceAsOf), state };
  }
  const runs = openRunFiles(state.directory, options.effects.randomId).listRuns();
  const hint = runs.length === 0 ? 'no run of it has kept one yet' : `runs: ${runs.join(', ')}`;
  throw new UsageError(`${job}: no summary${run === null ? '' : ` of run ${run}`}; ${hint}`, { code: 'no_run' });
}

function showFrom(cwd: string, { summary, paths }: LastRun): Summary {
  const show = (path: string | null) => (path === null ? null : relative(cwd, resolve(paths.cwd, path)));
  const { table, failures, report } = summary.outputs;
  return { ...summary, outputs: { table: show(table), failures: show(failures), report: show(report) } };
}
