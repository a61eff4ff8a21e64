import { clip } from '../../../core/bounds/clip.ts';
import type { RunComparison, Scores } from '../../../core/quality.ts';
import { formatCount, formatThings } from '../../format-numbers.ts';
import { formatShareWithin } from '../../format-quality.ts';

type Side = 'a' | 'b';

const MAX_LABEL_CHARACTERS = 60;
/** One answer to more rows than this says little about any of them, unless the gold labels are as uniform. */
const NEARLY_ALL = 0.95;
/** Fewer answers may well be the same. */
const LEAST_ANSWERS = 20;

/**
 * What contradicts a result in accuracy, a clause for each run it concerns: a macro-F1 that is lower, with intervals that do not overlap,
 * or nearly always the same answer. The less accurate run is left out.
 */
export function listCaveats({ a, b }: Pick<RunComparison, 'a' | 'b'>, moreAccurate: Side | null, names: Readonly<Record<Side, string>>) {
  if (a.scores === null || b.scores === null) return [];
  const scores = { a: a.scores, b: b.scores };
  const judged: readonly Side[] = moreAccurate === null ? ['a', 'b'] : [moreAccurate];
  return judged.flatMap((side) => {
    const found = [...describeLowerF1(scores[side], scores[side === 'a' ? 'b' : 'a']), ...describeUniform(scores[side])];
    return found.length === 0 ? [] : [`${names[side]} ${found.join(' and ')}`];
  });
}

function describeLowerF1(own: Scores, other: Scores): readonly string[] {
  if (own.intervals.macroF1.high >= other.intervals.macroF1.low) return [];
  return [`has the lower macro-F1, ${formatShareWithin(own.macroF1, null)} against ${formatShareWithin(other.macroF1, null)}`];
}

function describeUniform({ rows, perClass }: Scores): readonly string[] {
  const classes = Object.entries(perClass);
  // Of lists of labels, one may be in every answer.
  const isOneEach = classes.reduce((sum, [, { predicted }]) => sum + predicted, 0) === rows.answered;
  if (!isOneEach || rows.answered < LEAST_ANSWERS) return [];
  return classes
    .filter(([, { predicted, support }]) => predicted >= NEARLY_ALL * rows.answered && support < NEARLY_ALL * rows.evaluated)
    .map(([label, { predicted }]) => {
      const all = formatThings(rows.answered, 'row');
      return `answers ${JSON.stringify(clip(label, MAX_LABEL_CHARACTERS))} in ${formatCount(predicted)} of ${all}`;
    });
}
