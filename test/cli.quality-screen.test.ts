import assert from 'node:assert/strict';
import { test } from 'node:test';
import { measureCells } from '../src/cli/render/cells.ts';
import { createPaint } from '../src/cli/render/paint.ts';
import { renderComparison } from '../src/cli/render/render-comparison.ts';
import { renderEvaluation } from '../src/cli/render/render-evaluation.ts';
import { renderSample } from '../src/cli/render/render-sample.ts';
import { wrapText } from '../src/cli/render/wrap-text.ts';
import type { Evaluation, McNemar } from '../src/core/quality.ts';
import { findJobDifferences } from '../src/inspect/quality/job-differences.ts';
import { describeResult, describeWinner, listDifferences } from '../src/output/report/comparison/describe-comparison.ts';
import { makeScores } from '../src/quality/scores.ts';
import { createTally } from '../src/quality/tally.ts';
import { makeComparison } from './helpers/report-facts.ts';

const RANGE = { low: 0.7654, high: 1 };
const LABELS = ['billing', 'a label with rather a long name', 'bug', 'feature request', 'other', 'account access'];

function makeEvaluation(change: Partial<Evaluation> = {}): Evaluation {
  const { scores } = makeComparison().a;
  if (scores === null) throw new Error('no scores');
  const intervals = { precision: RANGE, recall: RANGE, f1: RANGE };
  const scored = { support: 1_234, predicted: 1_200, correct: 1_000, unanswered: 12, precision: 1, recall: 0.891, f1: 0.9, intervals };
  return {
    ...scores,
    schema: 'rowmill.eval/1',
    job: 'tickets',
    run: 'r1',
    simulated: false,
    model: 'gpt-6-luna',
    field: 'label',
    gold: { type: 'column', name: 'gold', column: null, unmatched: 0, unknownLabels: {} },
    rows: { ...scores.rows, in: 100, withoutGold: 0, pending: 0 },
    perClass: Object.fromEntries(LABELS.map((label) => [label, scored])),
    confusion: Object.fromEntries(LABELS.map((label) => [label, { bug: 1_000, other: 3 }])),
    wrong: Array.from({ length: 12 }, (_, row) => ({
      row,
      id: `t${row}`,
      gold: 'bug',
      answer: 'other',
      text: 'It does not work. '.repeat(9),
    })),
    csv: null,
    ...change,
  } as Evaluation;
}

/** The lines of a screen as a terminal of this width gets them, after the breaking of sentences. */
const showAt = (columns: number, render: (paint: ReturnType<typeof createPaint>) => string) =>
  wrapText(render(createPaint(false, columns)), columns).split('\n');

for (const columns of [60, 80, 200])
  test(`at ${columns} columns every row of the tables of eval and diff is one line, with its figures whole`, () => {
    const evaluation = showAt(columns, (paint) => renderEvaluation(makeEvaluation(), paint));
    const comparison = showAt(columns, (paint) => renderComparison(makeComparison(), paint));
    for (const line of [...evaluation, ...comparison]) assert.ok(measureCells(line) <= columns, line);
    for (const label of ['billing', 'bug', 'other']) {
      const [row = ''] = evaluation.filter((line) => line.startsWith(`${label} `));
      assert.match(row, /100\.0 %.*89\.1 %.*90\.0 %/);
    }
    assert.ok(evaluation.some((line) => line.startsWith('a label with ra')));
    for (const name of ['model', 'coverage', 'accuracy', 'macro-F1', 'their cost', 'input tokens', 'output tokens', 'run spent']) {
      const rows = comparison.filter((line) => line.startsWith(`${name} `));
      assert.match(rows.at(-1) ?? '', /^\S+(?: \S+)? {2,}\S.* {2,}\S/, name);
    }
  });

test('eval names what a narrow terminal does not show: first the intervals, then counts, a matrix, the text of wrong rows', () => {
  const show = (columns: number) => showAt(columns, (paint) => renderEvaluation(makeEvaluation(), paint));
  const missing = (columns: number, change?: Partial<Evaluation>) =>
    renderEvaluation(makeEvaluation(change), createPaint(false, columns))
      .split('\n')
      .flatMap((line) => /^a wider terminal, or --json, shows more: (.*)$/.exec(line)?.[1] ?? []);
  assert.deepEqual(missing(200), []);
  assert.deepEqual(missing(90), ['95 % intervals']);
  assert.deepEqual(missing(60), ['95 % intervals, no answer', 'confusion matrix']);
  assert.deepEqual(missing(45), ['95 % intervals, rows, no answer, given', 'confusion matrix']);
  const wrong = makeEvaluation().wrong.map((row) => ({ ...row, answer: 'a long answer to a short question '.repeat(4) }));
  assert.deepEqual(missing(30, { wrong, confusion: {} }).at(-1), 'text');
  assert.match(show(60).find((line) => line.startsWith('t0 ')) ?? '', /^t0 +bug +other +It does not work\..*…$/);
  assert.ok(show(60).includes('and 8 more; --csv PATH writes all'));
  assert.ok(!show(60).some((line) => line.startsWith('t10 ')));
});

const chance = (pValue: number): McNemar => ({ ...makeComparison().mcnemar, pValue });

test('diff says in its second line which run is more accurate and how certain that is, and names the runs by what differs', () => {
  const difference = { value: 0.05, low: 0.01, high: 0.09 };
  const say = (change: Parameters<typeof makeComparison>[0]) => describeResult(makeComparison(change));
  const [a, b] = ['baseline (gpt-6-luna, earlier prompt)', 'candidate (gpt-4.1-mini, changed prompt)'];
  for (const [change, said] of [
    [
      { mcnemar: chance(0.012), accuracyDifference: difference },
      `The ${b} is more accurate than the ${a}: right in 87.0 % of 100 rows against 82.0 %, more than chance explains (p = 0.0120)`,
    ],
    [
      { mcnemar: chance(0.2), accuracyDifference: difference },
      `No clear winner: the ${a} is right in 82.0 % of 100 rows, the ${b} in 87.0 %; so small a difference may be chance (p = 0.2000)`,
    ],
    [
      { accuracyDifference: null, gold: null, jobChanges: ['params'] },
      'The baseline (gpt-6-luna) and the candidate (gpt-4.1-mini) give the same answer in 82.9 % of 181 rows; which of them is right needs --gold',
    ],
    [
      { accuracyDifference: null, jobChanges: ['params'] },
      'The baseline (gpt-6-luna) and the candidate (gpt-4.1-mini) give the same answer in 82.9 % of 181 rows; no row that both runs finished has a right answer to compare with',
    ],
    [{ accuracyDifference: null, agreement: null }, 'No row is answered in both runs'],
  ] as const)
    assert.equal(say(change), said);
  const same = makeComparison();
  const alike = {
    ...same,
    b: { ...same.b, model: same.a.model },
    jobChanges: [],
    mcnemar: chance(0.00001),
    accuracyDifference: difference,
  };
  assert.match(describeResult(alike), /^The candidate is more accurate than the baseline: .*\(p < 0\.0001\)$/);
  const lines = renderComparison(makeComparison({ simulated: true }), createPaint(false)).split('\n');
  assert.match(lines[1] ?? '', /^No clear winner: /);
  assert.match(lines[2] ?? '', /^Made up: the simulator answered/);
  assert.ok(lines.includes('           prompt in the candidate: bug: something is broken'));
  assert.doesNotMatch(renderComparison(makeComparison({ simulated: false }), createPaint(false)), /Made up/);
  assert.match(lines.join('\n'), /^accuracy +candidate - baseline: .*\nMcNemar /m);
  const unjudged = renderComparison(makeComparison({ accuracyDifference: null }), createPaint(false));
  assert.doesNotMatch(unjudged, /McNemar|p = /);
  assert.match(renderEvaluation(makeEvaluation({ simulated: true }), createPaint(false)), /\nMade up: the simulator answered/);
});

test('diff and the first screen say in the same sentence if the more accurate run has a lower macro-F1, or one answer for nearly all rows', () => {
  const scoresOf = (lines: readonly (readonly [gold: string, given: string, rows: number])[]) => {
    const tally = createTally('label');
    for (const [gold, given, rows] of lines) for (let row = 0; row < rows; row += 1) tally.add([gold], [given]);
    return makeScores(tally.cells, 1);
  };
  const uniform: Parameters<typeof scoresOf>[0] = [
    ['bug', 'bug', 60],
    ['billing', 'bug', 20],
    ['other', 'bug', 19],
    ['other', 'other', 1],
  ];
  const varied: typeof uniform = [
    ['bug', 'bug', 32],
    ['bug', 'other', 28],
    ['billing', 'billing', 14],
    ['billing', 'other', 6],
    ['other', 'bug', 10],
    ['other', 'other', 10],
  ];
  const { a, b, ...rest } = makeComparison({ mcnemar: chance(0.001), accuracyDifference: { value: 0.05, low: 0.01, high: 0.09 } });
  const collapsed = { ...rest, a: { ...a, scores: scoresOf(varied) }, b: { ...b, scores: scoresOf(uniform) } };
  const caveat = 'but the candidate has the lower macro-F1, 28.3 % against 58.8 % and answers "bug" in 99 of 100 rows';
  assert.ok(describeResult(collapsed).endsWith(`(p = 0.0010); ${caveat}`), describeResult(collapsed));
  assert.equal(describeWinner(collapsed), 'The candidate is more accurate, but not clearly better');
  assert.ok(describeResult({ ...collapsed, mcnemar: chance(0.5) }).endsWith(`(p = 0.5000); ${caveat}`));
  // Of the run that is less accurate anyway nothing is said, nor if the right answers are as uniform.
  assert.doesNotMatch(describeResult({ ...collapsed, a: collapsed.b, b: collapsed.a }), /but/);
  const rare = {
    ...b,
    scores: scoresOf([
      ['bug', 'bug', 97],
      ['other', 'bug', 3],
    ]),
  };
  assert.doesNotMatch(describeResult({ ...rest, a: rare, b: rare }), /but/);
});

test('differences between two jobs are shown line by line, and of long lines only the part around the difference', () => {
  const prompt = { system: 'You label tickets.\nBe strict.\nAnswer in JSON.', user: '{{ body }}' };
  const changed = { system: 'You label tickets.\nBe kind.\nAnswer in JSON.', user: '{{ body }}' };
  const found = findJobDifferences(
    { name: 'x', model: 'gpt-6-luna', prompt, params: { temperature: 0 }, labels: ['a', 'b'] },
    { name: 'x', model: 'gpt-6-sol', prompt: changed, labels: ['a', 'b', 'c'], budget: { usd: 2 } },
  );
  assert.deepEqual(found, [
    { key: 'model', onlyInA: ['gpt-6-luna'], onlyInB: ['gpt-6-sol'] },
    { key: 'prompt', onlyInA: ['Be strict.'], onlyInB: ['Be kind.'] },
    { key: 'params', onlyInA: ['temperature: 0'], onlyInB: [] },
    { key: 'labels', onlyInA: ['a, b'], onlyInB: ['a, b, c'] },
    { key: 'budget', onlyInA: [], onlyInB: ['usd: 2'] },
  ]);
  const [moved] = findJobDifferences({ prompt: 'one\ntwo' }, { prompt: 'two\none' });
  assert.deepEqual(moved, { key: 'prompt', onlyInA: [], onlyInB: [] });
  const long = 'word '.repeat(100);
  const shown = listDifferences(findJobDifferences({ prompt: `${long}old end` }, { prompt: `${long}new end` }));
  assert.deepEqual(
    shown.map(({ run, text }) => [run, text]),
    [
      ['baseline', `…${'word '.repeat(8)}old end`],
      ['candidate', `…${'word '.repeat(8)}new end`],
    ],
  );
  const many = Array.from({ length: 9 }, (_, index) => `line ${index}`).join('\n');
  const cut = listDifferences(findJobDifferences({}, { prompt: `${many}\n${'x'.repeat(900)}` }));
  assert.deepEqual(cut.map(({ text }) => text.length <= 201 && text).slice(-2), ['line 3', 'and 6 more lines']);
});

test('a sample shows an empty value by a word, not by a blank line', () => {
  const sample = {
    schema: 'rowmill.sample/1',
    job: 'j',
    run: 'r',
    simulated: false,
    path: 's.csv',
    field: 'label',
    labels: ['a'],
  } as const;
  const strata = [
    { value: 'x', rows: 3, sampled: 1 },
    { value: '', rows: 2, sampled: 1 },
  ];
  const rows = { eligible: 5, sampled: 2, added: 2, inSheet: 2, marked: 0 };
  assert.match(renderSample({ ...sample, seed: 1, by: 'shop', rows, strata }, 'next', createPaint(false)), /^\(empty\) +2 +1$/m);
});
