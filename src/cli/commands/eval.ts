import { relative } from 'node:path';
import { EXIT, UsageError } from '../../core/errors.ts';
import { quoteArgument } from '../../core/wording/quote-argument.ts';
import { evaluateAnswers } from '../../inspect/quality/evaluate.ts';
import { findGoldSources } from '../../inspect/quality/gold-sources.ts';
import type { JobFlags } from '../options/flags.ts';
import { makeReadOptions, sayWhichState } from '../read-options.ts';
import { renderEvaluation } from '../render/render-evaluation.ts';
import { showCommand } from '../run-options.ts';
import { paintFor, print, printJson, say } from '../say.ts';

/** The bootstrap's seed: the same figures every time. */
export const BOOTSTRAP_SEED = 1;

/** The flags of `eval`. */
export interface EvalFlags extends JobFlags {
  readonly gold?: string;
  readonly field?: string;
  readonly run?: string;
  readonly csv?: string;
}

/** `rowmill eval`: compares the answers with the gold labels. */
export async function evaluate(jobFile: string, flags: EvalFlags): Promise<number> {
  const options = makeReadOptions(jobFile, flags);
  const { gold, field = null, run = null, csv = null } = flags;
  if (gold === undefined) throw new UsageError(await askForGold(jobFile, flags), { code: 'gold' });
  const { evaluation, state } = await evaluateAnswers(options, { gold, field, run, csv, seed: BOOTSTRAP_SEED });
  const path = evaluation.csv === null ? null : relative(process.cwd(), evaluation.csv);
  if (flags.json === true) printJson({ ...evaluation, csv: path });
  else print(renderEvaluation(evaluation, paintFor(process.stdout)));
  const { unmatched, unknownLabels } = evaluation.gold;
  if (unmatched > 0) say(`${gold}: ${unmatched} of its rows are not in the table and were left out`);
  const unknown = Object.keys(unknownLabels);
  if (unknown.length > 0) say(`${gold}: not a label of ${evaluation.field}, so never correct: ${unknown.slice(0, 5).join(', ')}`);
  if (path !== null) say(`Wrong rows: ${path}`);
  sayWhichState(options, state);
  return EXIT.done;
}

/** Which right answers there are to name, or how to get some. */
async function askForGold(jobFile: string, flags: EvalFlags): Promise<string> {
  const { columns, labelled, sheet } = await findGoldSources(makeReadOptions(jobFile, flags), flags.field ?? null);
  const known = [...labelled, ...(sheet === null ? [] : [relative(process.cwd(), sheet)])];
  const what = 'eval needs the right answers, from a column of the table or a file';
  const more = `${flags.field === undefined ? '' : ` --field ${quoteArgument(flags.field)}`}${flags.run === undefined ? '' : ` --run ${flags.run}`}`;
  const commands = known.map((name) => `${showCommand('eval', jobFile, flags)} --gold ${quoteArgument(name)}${more}`);
  if (commands.length > 0) return `${what}: ${commands.join(', or ')}`;
  const sample = `${showCommand('sample', jobFile, flags)} -n 50`;
  return `${what}: add --gold COLUMN or --gold FILE; columns: ${columns.join(', ')}. If nobody knows them yet, ${sample} draws rows into a sheet to label`;
}
