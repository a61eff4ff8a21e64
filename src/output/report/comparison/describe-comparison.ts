import type { JobDifference, RunComparison } from '../../../core/quality.ts';
import { formatCount, formatThings } from '../../format-numbers.ts';
import { formatShareWithin, isBeyondChance } from '../../format-quality.ts';
import { listCaveats } from './list-caveats.ts';

/** Shown wherever answers of the simulator are judged. */
export const MADE_UP = 'the simulator answered: neither accuracy nor a difference says anything about a real model';

/** How the two runs of a comparison are called; in its JSON, and in the table of its rows, they are `a` and `b`. */
export const RUN_NAMES = { a: 'baseline', b: 'candidate' } as const;

/** How many rows have different answers, or one in only one of the runs. */
export function countDifferent({ changed, answeredOnlyInA, answeredOnlyInB }: RunComparison['rows']): number {
  return changed + answeredOnlyInA + answeredOnlyInB;
}

/** Both runs by what differs between them: `the baseline (gpt-6-luna, earlier prompt)`. */
function nameRuns({ a, b, jobChanges }: Pick<RunComparison, 'a' | 'b' | 'jobChanges'>): Readonly<Record<'a' | 'b', string>> {
  const isPrompt = jobChanges.includes('prompt') || jobChanges.includes('messages');
  const describe = (run: string, model: string, prompt: string) => {
    const what = [...(a.model === b.model ? [] : [model]), ...(isPrompt ? [prompt] : [])];
    return what.length === 0 ? run : `${run} (${what.join(', ')})`;
  };
  return { a: describe(`the ${RUN_NAMES.a}`, a.model, 'earlier prompt'), b: describe(`the ${RUN_NAMES.b}`, b.model, 'changed prompt') };
}

/** Which run is more accurate, how certain that is, and what speaks against it; without gold labels, how often both agree. One sentence without a final period. */
export function describeResult(comparison: RunComparison): string {
  const { a, b, rows, agreement, accuracyDifference, mcnemar } = comparison;
  const names = nameRuns(comparison);
  if (a.scores === null || b.scores === null || accuracyDifference === null) {
    if (agreement === null) return 'No row is answered in both runs';
    const both = formatThings(rows.same + rows.changed, 'row');
    const why =
      comparison.gold === null
        ? 'which of them is right needs --gold'
        : 'no row that both runs finished has a right answer to compare with';
    return `${capitalize(names.a)} and ${names.b} give the same answer in ${formatShareWithin(agreement, null)} of ${both}; ${why}`;
  }
  const right = { a: formatShareWithin(a.scores.accuracy, null), b: formatShareWithin(b.scores.accuracy, null) };
  const evaluated = formatThings(a.scores.rows.evaluated, 'row');
  const p = mcnemar.pValue < 0.0001 ? 'p < 0.0001' : `p = ${mcnemar.pValue.toFixed(4)}`;
  const more = findMoreAccurate(comparison);
  if (more === null) {
    const why = accuracyDifference.value === 0 ? '' : `; so small a difference may be chance (${p})`;
    return `No clear winner: ${names.a} is right in ${right.a} of ${evaluated}, ${names.b} in ${right.b}${why}${describeCaveats(comparison)}`;
  }
  const less = more === 'a' ? 'b' : 'a';
  return `${capitalize(names[more])} is more accurate than ${names[less]}: right in ${right[more]} of ${evaluated} against ${right[less]}, more than chance explains (${p})${describeCaveats(comparison)}`;
}

/** The run with more right answers than chance explains. */
function findMoreAccurate({ accuracyDifference, mcnemar }: RunComparison): 'a' | 'b' | null {
  if (accuracyDifference === null || !isBeyondChance(mcnemar, accuracyDifference)) return null;
  return accuracyDifference.value > 0 ? 'b' : 'a';
}

/** What contradicts the result in accuracy, to follow it; empty if nothing does. */
export function describeCaveats(comparison: RunComparison): string {
  const caveats = listCaveats(comparison, findMoreAccurate(comparison), { a: `the ${RUN_NAMES.a}`, b: `the ${RUN_NAMES.b}` });
  return caveats.length === 0 ? '' : `; but ${caveats.join('; ')}`;
}

/** The result in a few words. */
export function describeWinner(comparison: RunComparison): string {
  const run = findMoreAccurate(comparison);
  if (run === null) return 'No clear winner';
  return `The ${RUN_NAMES[run]} is more accurate${describeCaveats(comparison) === '' ? '' : ', but not clearly better'}`;
}

export function capitalize(sentence: string): string {
  return sentence.charAt(0).toUpperCase() + sentence.slice(1);
}

/** Lines of a key that are shown of each run. */
const MAX_LINES = 4;
const MAX_LINE_CHARACTERS = 200;
/** The common part of two long lines is shown only near their difference. */
const SHOWN_BEFORE = 40;

/** A part of what differs between two jobs, to be shown. */
export interface ShownDifference {
  readonly key: string;
  readonly run: (typeof RUN_NAMES)[keyof typeof RUN_NAMES];
  readonly text: string;
}

/** The first lines of each key that only one run has. */
export function listDifferences(differences: readonly JobDifference[]): readonly ShownDifference[] {
  return differences.flatMap(({ key, onlyInA, onlyInB }) => {
    const [lineA = '', lineB = ''] = [onlyInA[0], onlyInB[0]];
    const skipped = onlyInA.length === 1 && onlyInB.length === 1 ? Math.max(0, countCommon(lineA, lineB) - SHOWN_BEFORE) : 0;
    const show = (run: ShownDifference['run'], lines: readonly string[]): readonly ShownDifference[] => {
      const shown = lines.slice(0, MAX_LINES).map((text) => ({ key, run, text: shorten(text, skipped) }));
      const more = lines.length - shown.length;
      return more <= 0 ? shown : [...shown, { key, run, text: `and ${formatCount(more)} more ${more === 1 ? 'line' : 'lines'}` }];
    };
    return [...show(RUN_NAMES.a, onlyInA), ...show(RUN_NAMES.b, onlyInB)];
  });
}

function countCommon(a: string, b: string): number {
  const [left, right] = [[...a], [...b]];
  const parted = left.findIndex((character, index) => character !== right[index]);
  return parted < 0 ? left.length : parted;
}

function shorten(text: string, skipped: number): string {
  const characters = [...text].slice(skipped);
  const isLong = characters.length > MAX_LINE_CHARACTERS;
  return `${skipped > 0 ? '…' : ''}${characters.slice(0, MAX_LINE_CHARACTERS).join('')}${isLong ? '…' : ''}`;
}
