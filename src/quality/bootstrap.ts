import type { Interval } from '../core/quality.ts';
import { createSeededRandom, drawPoisson } from './seeded-random.ts';
import type { Cell } from './tally.ts';

/** How often the rows are resampled. */
export const RESAMPLES = 1000;

/** Classes of a cell, by their number. */
interface NumberedCell {
  readonly count: number;
  readonly gold: readonly number[];
  readonly given: readonly number[];
}

export interface F1Intervals {
  readonly macroF1: Interval;
  /** In the order of the classes. */
  readonly perClass: readonly Interval[];
}

/**
 * The intervals of F1 and macro-F1 by the Poisson bootstrap: every row is drawn a Poisson(1) number of times, so a cell of n rows weighs
 * Poisson(n) and the work does not grow with the rows. The interval is the middle 95 % of the draws.
 */
export function bootstrapF1(cells: readonly Cell[], classes: readonly string[], seed: number): F1Intervals {
  const random = createSeededRandom(seed);
  const numbers = new Map(classes.map((name, index) => [name, index]));
  const toNumbers = (names: readonly string[]) => names.map((name) => numbers.get(name) as number);
  const numbered = cells.map(({ count, gold, given }): NumberedCell => ({ count, gold: toNumbers(gold), given: toNumbers(given ?? []) }));
  const macro: number[] = [];
  const perClass = classes.map((): number[] => []);
  for (let resample = 0; resample < RESAMPLES; resample += 1) {
    const scores = drawF1(numbered, classes.length, random);
    let sum = 0;
    let present = 0;
    for (const [index, f1] of scores.entries()) {
      // A class that was not drawn has no F1.
      if (Number.isNaN(f1)) continue;
      sum += f1;
      present += 1;
      perClass[index]?.push(f1);
    }
    if (present > 0) macro.push(sum / present);
  }
  return { macroF1: takeMiddle(macro), perClass: perClass.map(takeMiddle) };
}

function drawF1(cells: readonly NumberedCell[], classes: number, random: () => number): Float64Array {
  const hits = new Float64Array(classes);
  const mentions = new Float64Array(classes);
  for (const { count, gold, given } of cells) {
    const weight = drawPoisson(count, random);
    if (weight === 0) continue;
    for (const label of gold) {
      mentions[label] = (mentions[label] as number) + weight;
      if (given.includes(label)) hits[label] = (hits[label] as number) + weight;
    }
    for (const label of given) mentions[label] = (mentions[label] as number) + weight;
  }
  return hits.map((hit, label) => (2 * hit) / (mentions[label] as number));
}

function takeMiddle(values: readonly number[]): Interval {
  const sorted = values.toSorted((a, b) => a - b);
  const low = sorted[Math.floor(sorted.length * 0.025)] ?? 0;
  const high = sorted[Math.ceil(sorted.length * 0.975) - 1] ?? 1;
  return { low, high };
}
