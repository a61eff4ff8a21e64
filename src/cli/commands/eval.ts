import { EXIT } from '../../core/errors.ts';
import { evaluateAnswers } from '../../inspect/quality/evaluate.ts';
import type { JobFlags } from '../options/flags.ts';
import { makeReadOptions, sayWhichState } from '../read-options.ts';
import { renderEvaluation } from '../render/render-evaluation.ts';
import { paintFor, print, printJson, say } from '../say.ts';

/** The bootstrap's seed: the same figures every time. */
export const BOOTSTRAP_SEED = 1;

/** `rowmill eval`: compares the answers with the gold labels. */
export async function evaluate(jobFile: string, flags: JobFlags & { readonly gold: string; readonly field?: string }): Promise<number> {
  const options = makeReadOptions(jobFile, flags);
  const { evaluation, state } = await evaluateAnswers(options, { gold: flags.gold, field: flags.field ?? null, seed: BOOTSTRAP_SEED });
  if (flags.json === true) printJson(evaluation);
  else print(renderEvaluation(evaluation, paintFor(process.stdout)));
  const { unmatched, unknownLabels } = evaluation.gold;
  if (unmatched > 0) say(`${flags.gold}: ${unmatched} of its rows are not in the table and were left out`);
  const unknown = Object.keys(unknownLabels);
  if (unknown.length > 0) say(`${flags.gold}: not a label of ${evaluation.field}, so never correct: ${unknown.slice(0, 5).join(', ')}`);
  sayWhichState(options, state);
  return EXIT.done;
}
