import { existsSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import { UsageError } from '../core/errors.ts';
import { showCommandFrom } from '../core/run-command.ts';
import type { Summary } from '../core/summary.ts';
import { openRunFiles } from '../ledger/runs.ts';
import type { ReportFacts } from '../output/report/facts.ts';
import { type ReportExtras, renderReport } from '../output/report/render-report.ts';
import { readSampleTexts } from '../run/finish/sample-text.ts';
import { writeReportPage } from '../run/finish/write-report.ts';
import { readReportFacts } from '../run/open/kept-report-facts.ts';
import { type JobState, type LastRun, readKeptRun } from './last-run.ts';
import { resolveRun } from './name-run.ts';
import { type FoundState, findState, openState, type ReadOptions } from './open-state.ts';
import { refuseDestinations } from './refuse-destinations.ts';
import { repriceSummary } from './reprice.ts';

/** The summary of a run, and the provider of its answers. */
export interface Report {
  readonly summary: Summary;
  /** The further figures of its page; null if the run stored none. */
  readonly facts: ReportFacts | null;
  readonly state: JobState;
}

/**
 * Reads the summary of a run, with its paths relative to the working directory.
 * @param named the id, or `last`, `prev`, `last~2`; null for the last run with a summary
 * @param priceAsOf counts the money anew with the prices of this day; null shows it as the run counted it
 * @throws UsageError if there is no such run; it names the existing ones
 */
export async function readReport(options: ReadOptions, named: string | null, priceAsOf: string | null = null): Promise<Report> {
  // Another run's is requested, or the last one's, which an older one cannot replace.
  const found = await findState({ ...options, leaveOut: named === null ? null : () => {} });
  const run = named === null ? null : resolveRun(named, found);
  const { state, lastRun, job } = found;
  const kept = run === null ? lastRun : readKeptRun(state, run);
  const runFiles = openRunFiles(state.directory, options.effects.randomId);
  if (kept !== null) {
    const summary = showFrom(options.cwd, dropReplaced(kept, found));
    const facts = readReportFacts({ runFiles }, summary.run, null);
    return { summary: priceAsOf === null ? summary : await repriceSummary(options, found, summary, priceAsOf), facts, state };
  }
  const runs = runFiles.listRuns();
  const hint = runs.length === 0 ? 'no run of it has kept one yet' : `runs: ${runs.join(', ')}, and last, prev, last~2`;
  throw new UsageError(`${job}: no summary${run === null ? '' : ` of run ${run}`}; ${hint}`, { code: 'no_run' });
}

/** Without the files that a later run has written again, or removed: they are no longer this run's. */
function dropReplaced(kept: LastRun, { state, runs }: Pick<FoundState, 'state' | 'runs'>): LastRun {
  const later = runs.slice(runs.indexOf(kept.summary.run) + 1).flatMap((run) => readKeptRun(state, run, () => {}) ?? []);
  if (later.length === 0) return kept;
  const written = new Set(
    later.flatMap(({ summary, paths }) =>
      Object.values(summary.outputs).flatMap((path) => (path === null ? [] : [resolve(paths.cwd, path)])),
    ),
  );
  const drop = (path: string | null) => {
    const file = path === null ? null : resolve(kept.paths.cwd, path);
    return file === null || written.has(file) || !existsSync(file) ? null : path;
  };
  const { table, failures, report } = kept.summary.outputs;
  return { ...kept, summary: { ...kept.summary, outputs: { table: drop(table), failures: drop(failures), report: drop(report) } } };
}

function showFrom(cwd: string, { summary, paths, typedIn = null }: LastRun): Summary {
  const type = (command: string) => showCommandFrom(cwd, { text: command, folder: typedIn });
  const show = (path: string | null) => (path === null ? null : relative(cwd, resolve(paths.cwd, path)));
  const { table, failures, report } = summary.outputs;
  const { next, notAsked } = summary;
  return {
    ...summary,
    ...(next === null ? {} : { next: type(next) }),
    ...(notAsked === undefined ? {} : { notAsked: { ...notAsked, command: notAsked.command === null ? null : type(notAsked.command) } }),
    outputs: { table: show(table), failures: show(failures), report: show(report) },
  };
}

/**
 * Makes the page of a run again: its figures as stored by the run, the text of its rows from the current table and answers.
 * @throws UsageError if the run stored no figures; DiskError if the file cannot be written
 */
export async function writeReportAgain(
  options: ReadOptions,
  { summary, facts }: Report,
  { path, gold = null, ...extras }: ReportExtras & { readonly path: string; readonly gold?: string | null },
): Promise<void> {
  if (facts === null)
    throw new UsageError(`run ${summary.run} kept no figures for a page; its summary is all there is`, { code: 'no_report' });
  const { ledger, prepared } = await openState(options);
  try {
    refuseDestinations(options, prepared, { files: [{ path, name: 'the report' }], gold });
    const texts = await readSampleTexts(facts.samples, { ...prepared, ledger, signal: options.signal });
    const samples = facts.samples.map((sample) => ({ facts: sample, text: texts.get(sample.row) ?? null }));
    await writeReportPage(resolve(options.cwd, path), renderReport({ ...facts, summary }, samples, extras));
  } finally {
    await ledger.close();
  }
}
