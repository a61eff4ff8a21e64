import type { ClassScores, Scores } from '../core/quality.ts';
import { bootstrapF1, type F1Intervals, RESAMPLES } from './bootstrap.ts';
import { type Cell, isCorrect } from './tally.ts';
import { makeWilsonInterval } from './wilson.ts';

interface ClassCounts {
  support: number;
  predicted: number;
  correct: number;
  unanswered: number;
}

/** All scores of answers compared with gold labels. A row without an answer is wrong, and counts as a miss of its label. */
export function makeScores(cells: readonly Cell[], seed: number): Scores {
  const rows = { evaluated: 0, answered: 0, correct: 0 };
  const counts = new Map<string, ClassCounts>();
  const confusion = new Map<string, Map<string, number>>();
  const countsOf = (label: string): ClassCounts => {
    const known = counts.get(label) ?? { support: 0, predicted: 0, correct: 0, unanswered: 0 };
    counts.set(label, known);
    return known;
  };
  for (const { gold, given, count } of cells) {
    rows.evaluated += count;
    rows.answered += given === null ? 0 : count;
    rows.correct += isCorrect(gold, given) ? count : 0;
    for (const label of gold) {
      const of = countsOf(label);
      of.support += count;
      if (given === null) of.unanswered += count;
      else if (given.includes(label)) of.correct += count;
    }
    for (const label of given ?? []) countsOf(label).predicted += count;
    const [right, ...moreRight] = gold;
    const [said, ...moreSaid] = given ?? [];
    if (right === undefined || said === undefined || moreRight.length + moreSaid.length > 0) continue;
    const line = confusion.get(right) ?? new Map<string, number>();
    confusion.set(right, line.set(said, (line.get(said) ?? 0) + count));
  }
  const classes = [...counts.keys()].toSorted();
  const f1 = bootstrapF1(cells, classes, seed);
  const perClass = classes.map((label, index) => [label, scoreClass(counts.get(label) as ClassCounts, f1, index)] as const);
  const isList = cells.some(({ gold, given }) => gold.length !== 1 || (given !== null && given.length !== 1));
  return {
    rows,
    coverage: divide(rows.answered, rows.evaluated) ?? 0,
    accuracy: divide(rows.correct, rows.evaluated) ?? 0,
    accuracyOfAnswered: divide(rows.correct, rows.answered),
    macroF1:
      divide(
        perClass.reduce((sum, [, scores]) => sum + scores.f1, 0),
        classes.length,
      ) ?? 0,
    intervals: {
      level: 0.95,
      proportions: 'wilson',
      f1: { method: 'poisson bootstrap, percentile', resamples: RESAMPLES, seed },
      coverage: makeWilsonInterval(rows.answered, rows.evaluated),
      accuracy: makeWilsonInterval(rows.correct, rows.evaluated),
      accuracyOfAnswered: rows.answered === 0 ? null : makeWilsonInterval(rows.correct, rows.answered),
      macroF1: f1.macroF1,
    },
    perClass: Object.fromEntries(perClass),
    confusion: isList
      ? {}
      : Object.fromEntries(sortByName(confusion).map(([right, line]) => [right, Object.fromEntries(sortByName(line))])),
  };
}

function scoreClass({ support, predicted, correct, unanswered }: ClassCounts, f1: F1Intervals, index: number): ClassScores {
  return {
    support,
    predicted,
    correct,
    unanswered,
    precision: divide(correct, predicted),
    recall: divide(correct, support),
    f1: (2 * correct) / (support + predicted),
    intervals: {
      precision: predicted === 0 ? null : makeWilsonInterval(correct, predicted),
      recall: support === 0 ? null : makeWilsonInterval(correct, support),
      f1: f1.perClass[index] ?? { low: 0, high: 1 },
    },
  };
}

function divide(part: number, whole: number): number | null {
  return whole === 0 ? null : part / whole;
}

function sortByName<T>(map: ReadonlyMap<string, T>): readonly (readonly [string, T])[] {
  return [...map].toSorted(([a], [b]) => (a < b ? -1 : 1));
}
