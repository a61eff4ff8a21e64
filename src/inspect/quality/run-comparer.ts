import { isDeepStrictEqual } from 'node:util';
import { clip } from '../../core/bounds/clip.ts';
import type { ChangedRow, RowChange, RunComparison, Scores } from '../../core/quality.ts';
import { makeDifferenceInterval, testMcNemar } from '../../quality/mcnemar.ts';
import { makeScores } from '../../quality/scores.ts';
import { createTally, isCorrect } from '../../quality/tally.ts';
import { makeWilsonInterval } from '../../quality/wilson.ts';
import type { Field } from '../../run/open/answer-field.ts';
import { isJudged, type RunAnswer } from './open-run.ts';

/** The answers of two runs for one row. */
export interface RowPair {
  /** From 1; null if the row has left the table. */
  readonly row: number | null;
  readonly id: string | null;
  readonly a: RunAnswer;
  readonly b: RunAnswer;
  /** Null without a gold label. */
  readonly gold: readonly string[] | null;
}

/** The part of a comparison that the rows alone determine. */
export type RowComparison = Pick<
  RunComparison,
  'rows' | 'agreement' | 'agreementInterval' | 'accuracyDifference' | 'mcnemar' | 'transitions' | 'examples'
> & { readonly scores: { readonly a: Scores; readonly b: Scores } | null };

const MAX_EXAMPLES = 20;
/** More pairs of answers than this are not labels: their list would help nobody. */
const MAX_TRANSITIONS = 1000;
const MAX_SHOWN_CHARACTERS = 200;

/** Compares two runs row by row; its memory does not grow with the rows. @param field null compares whole answers */
export function createRunComparer(field: Field | null, seed: number) {
  const changes: Record<RowChange, number> = { same: 0, changed: 0, answeredOnlyInA: 0, answeredOnlyInB: 0, unanswered: 0 };
  const correct = { a: 0, b: 0, onlyA: 0, onlyB: 0, rows: 0 };
  const tallies = field === null ? null : { a: createTally(field.name), b: createTally(field.name) };
  const examples: ChangedRow[] = [];
  let transitions: Map<string, Map<string, number>> | null = field === null ? null : new Map();
  let pairs = 0;

  const read = (answer: RunAnswer): readonly string[] | null =>
    answer.status === 'ok' ? (field?.read(answer.value) ?? [showAnswer(answer.value)]) : null;

  function countTransition(from: string, to: string): void {
    if (transitions === null) return;
    const line = transitions.get(from) ?? new Map<string, number>();
    if (!line.has(to)) pairs += 1;
    transitions.set(from, line.set(to, (line.get(to) ?? 0) + 1));
    if (pairs > MAX_TRANSITIONS) transitions = null;
  }

  function countGold(gold: readonly string[], a: readonly string[] | null, b: readonly string[] | null): void {
    tallies?.a.add(gold, a);
    tallies?.b.add(gold, b);
    const isRight = { a: isCorrect(gold, a), b: isCorrect(gold, b) };
    correct.rows += 1;
    if (isRight.a && !isRight.b) correct.onlyA += 1;
    if (isRight.b && !isRight.a) correct.onlyB += 1;
  }

  return {
    /** @returns the row if it differs; null if both runs have the same answer for it, or none */
    add({ row, id, a, b, gold }: RowPair): ChangedRow | null {
      const labels = { a: read(a), b: read(b) };
      const change = decideChange(a, b, field, labels);
      changes[change] += 1;
      if (labels.a !== null && labels.b !== null) countTransition(labels.a.join(' | '), labels.b.join(' | '));
      if (gold !== null && isJudged(a) && isJudged(b)) countGold(gold, labels.a, labels.b);
      if (change === 'same' || change === 'unanswered') return null;
      const show = (answer: RunAnswer, own: readonly string[] | null) => (answer.status === 'ok' ? (own ?? []).join(' | ') : answer.why);
      const changed = { row, id, change, a: show(a, labels.a), b: show(b, labels.b), gold: gold?.join(' | ') ?? null };
      if (examples.length < MAX_EXAMPLES)
        examples.push({ ...changed, a: clip(changed.a, MAX_SHOWN_CHARACTERS), b: clip(changed.b, MAX_SHOWN_CHARACTERS) });
      return changed;
    },
    read(outside: Pick<RunComparison['rows'], 'onlyInA' | 'onlyInB' | 'notInTable'>): RowComparison {
      const compared = Object.values(changes).reduce((sum, count) => sum + count, 0);
      const both = changes.same + changes.changed;
      const hasGold = correct.rows > 0;
      return {
        rows: { ...changes, compared, ...outside },
        agreement: both === 0 ? null : changes.same / both,
        agreementInterval: both === 0 ? null : makeWilsonInterval(changes.same, both),
        accuracyDifference: hasGold ? makeDifferenceInterval(correct.onlyA, correct.onlyB, correct.rows) : null,
        mcnemar: hasGold
          ? testMcNemar('correct', correct.onlyA, correct.onlyB)
          : testMcNemar('answered', changes.answeredOnlyInA, changes.answeredOnlyInB),
        transitions:
          transitions === null ? null : Object.fromEntries([...transitions].map(([from, line]) => [from, Object.fromEntries(line)])),
        examples,
        scores: hasGold && tallies !== null ? { a: makeScores(tallies.a.cells, seed), b: makeScores(tallies.b.cells, seed) } : null,
      };
    },
  };
}

function decideChange(
  a: RunAnswer,
  b: RunAnswer,
  field: Field | null,
  labels: { readonly a: readonly string[] | null; readonly b: readonly string[] | null },
): RowChange {
  if (a.status === 'ok' && b.status === 'ok') {
    const isSame = field === null ? isDeepStrictEqual(a.value, b.value) : isDeepStrictEqual(labels.a, labels.b);
    return isSame ? 'same' : 'changed';
  }
  if (a.status === 'ok') return 'answeredOnlyInA';
  return b.status === 'ok' ? 'answeredOnlyInB' : 'unanswered';
}

function showAnswer(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
