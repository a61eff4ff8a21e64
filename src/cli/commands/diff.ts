import { relative, resolve } from 'node:path';
import { EXIT } from '../../core/errors.ts';
import { compareRuns } from '../../inspect/quality/compare-runs.ts';
import { readReport, writeReportAgain } from '../../inspect/report.ts';
import type { JobFlags } from '../options/flags.ts';
import { makeReadOptions, sayWhichState } from '../read-options.ts';
import { renderComparison } from '../render/render-comparison.ts';
import { paintFor, print, printJson, say } from '../say.ts';
import { BOOTSTRAP_SEED } from './eval.ts';

/** The flags of `diff`. */
export interface DiffFlags extends JobFlags {
  readonly gold?: string;
  readonly field?: string;
  readonly csv?: string;
  readonly html?: string;
}

/** `rowmill diff`: what changed between two runs, and whether it is more than chance. */
export async function diff(jobFile: string, runA: string, runB: string, flags: DiffFlags): Promise<number> {
  const options = makeReadOptions(jobFile, flags);
  const { gold = null, field = null, csv = null, html } = flags;
  const page = html === undefined ? null : { path: html, report: await readReport(options, runB) };
  const { comparison, state } = await compareRuns(options, { runA, runB, gold, field, csv, page: html ?? null, seed: BOOTSTRAP_SEED });
  if (page !== null) await writeReportAgain(options, page.report, { path: page.path, comparison });
  const path = comparison.csv === null ? null : relative(process.cwd(), comparison.csv);
  if (flags.json === true) printJson({ ...comparison, csv: path });
  else print(renderComparison(comparison, paintFor(process.stdout)));
  if (path !== null) say(`Rows that differ: ${path}`);
  if (page !== null) say(`Report of run ${page.report.summary.run} with the comparison: ${relative(process.cwd(), resolve(page.path))}`);
  sayWhichState(options, state);
  return EXIT.done;
}
