import { relative, resolve } from 'node:path';
import { EXIT, UsageError } from '../../core/errors.ts';
import type { ReadOptions } from '../../inspect/open-state.ts';
import { evaluateAnswers } from '../../inspect/quality/evaluate.ts';
import { readReport, writeReportAgain } from '../../inspect/report.ts';
import { renderSummary } from '../../output/render-summary.ts';
import { renderFigures } from '../../output/report/render-figures.ts';
import { sayLeftCalls } from '../notices/say-left-calls.ts';
import { sayNotices } from '../notices/say-notices.ts';
import type { JobFlags } from '../options/flags.ts';
import { makeReadOptions, sayWhichState } from '../read-options.ts';
import { hasColour, print, printJson, say } from '../say.ts';
import { BOOTSTRAP_SEED } from './eval.ts';

export interface ReportFlags extends JobFlags {
  readonly run?: string;
  readonly html?: string;
  /** The gold labels; used only by the page. */
  readonly gold?: string;
  readonly field?: string;
  readonly summary: string;
  readonly priceAsOf?: string;
}

/** `rowmill report`: the summary of the last run, or of an earlier one, and its page. */
export async function report(jobFile: string, flags: ReportFlags): Promise<number> {
  checkFlags(flags);
  const options = makeReadOptions(jobFile, flags);
  const found = await readReport(options, flags.run ?? null, flags.priceAsOf ?? null);
  const { summary, facts, state } = found;
  const isFull = flags.summary === 'full' && facts !== null;
  if (flags.html !== undefined) {
    await writeReportAgain(options, found, { path: flags.html, gold: flags.gold ?? null, quality: await readQuality(options, flags) });
    say(`Report: ${relative(process.cwd(), resolve(flags.html))}`);
  }
  if (flags.json === true) printJson(isFull ? { ...summary, details: { ...facts, summary: undefined } } : summary);
  else {
    print(renderSummary(summary, { colour: hasColour(process.stdout), full: flags.summary === 'full' }));
    if (isFull) print(renderFigures(facts));
  }
  sayWhichState(options, state);
  await sayLeftCalls(options, flags);
  await sayNotices(options, flags);
  return EXIT.done;
}

function checkFlags({ html, gold, field, priceAsOf }: ReportFlags): void {
  if (html === undefined && (gold !== undefined || field !== undefined))
    throw new UsageError('--gold and --field go with --html; rowmill eval prints the same');
  if (html !== undefined && priceAsOf !== undefined)
    throw new UsageError('--html shows the cost as counted by the run; leave out --price-as-of');
}

/** With --run, of the answers as that run left them. */
async function readQuality(options: ReadOptions, flags: ReportFlags) {
  const { gold, field = null, run = null } = flags;
  if (gold === undefined) return null;
  return (await evaluateAnswers(options, { gold, field, run, csv: null, seed: BOOTSTRAP_SEED })).evaluation;
}
