import type { ComparedRun, RunComparison } from '../../core/quality.ts';
import { escapeLineForTerminal } from '../../output/escape-for-terminal.ts';
import { formatCount, formatSpent } from '../../output/format-numbers.ts';
import { describeMcNemar, formatDollarDifference, formatPointsWithin, formatShareWithin } from '../../output/format-quality.ts';
import { describeResult, listDifferences, MADE_UP } from '../../output/report/describe-comparison.ts';
import type { Paint } from './paint.ts';
import { renderTable } from './render-table.ts';

const MAX_CELLS = 36;
const LEAST_CELLS = 12;
const MAX_EXAMPLES = 10;
const MAX_TRANSITIONS = 10;

/** A comparison for the terminal, without a final newline. */
export function renderComparison(comparison: RunComparison, paint: Paint): string {
  const { rows, a, b, jobChanges } = comparison;
  const differences = listDifferences(comparison.jobDifferences);
  const line = (label: string, text: string) => paint('dim', label.padEnd(11)) + escapeLineForTerminal(text);
  const what = comparison.field ?? 'the whole answer';
  const both = rows.same + rows.changed;
  const oneSided = `${formatCount(rows.answeredOnlyInA)} answered only in A, ${formatCount(rows.answeredOnlyInB)} only in B, ${formatCount(rows.unanswered)} in neither`;
  const outside =
    rows.onlyInA + rows.onlyInB === 0 ? '' : `; ${formatCount(rows.onlyInA)} rows only in A, ${formatCount(rows.onlyInB)} only in B`;
  return [
    paint('bold', escapeLineForTerminal(`${comparison.job}: ${what}, run A ${a.run} and run B ${b.run}`)) +
      (comparison.simulated ? paint('yellow', '  simulated') : ''),
    escapeLineForTerminal(describeResult(comparison)),
    ...(comparison.simulated ? [paint('yellow', `Made up: ${MADE_UP}`)] : []),
    line('job', jobChanges.length === 0 ? 'the same in both' : `differs in ${jobChanges.join(', ')}`),
    ...differences.map(({ key, run, text }) => line('', `${key} in ${run}: ${text}`)),
    line(
      'rows',
      `${formatCount(rows.compared)} compared: ${formatCount(rows.same)} same, ${formatCount(rows.changed)} changed, ${oneSided}${outside}`,
    ),
    line('agreement', `${formatShareWithin(comparison.agreement, comparison.agreementInterval)} of ${formatCount(both)} answered in both`),
    ...(comparison.accuracyDifference === null ? [] : [line('accuracy', `B - A: ${formatPointsWithin(comparison.accuracyDifference)}`)]),
    line('McNemar', describeMcNemar(comparison.mcnemar)),
    line('cost', `B - A: ${formatDollarDifference(comparison.costDifferenceNanoUsd)} for the answers of these rows`),
    '',
    renderRuns(a, b, paint),
    ...renderTransitions(comparison.transitions, paint),
    ...renderExamples(comparison, paint),
  ].join('\n');
}

function renderRuns(a: ComparedRun, b: ComparedRun, paint: Paint): string {
  const row = (label: string, show: (run: ComparedRun) => string) => [label, show(a), show(b)];
  const price = ({ answersNanoUsd, unpricedAnswers }: ComparedRun) =>
    formatSpent(answersNanoUsd, unpricedAnswers) + (unpricedAnswers === 0 ? '' : `, ${formatCount(unpricedAnswers)} of unknown price`);
  const scored = a.scores !== null && b.scores !== null;
  return renderTable(
    [
      ['', 'A', 'B'],
      row('model', ({ model }) => model),
      row('rows', ({ rows }) => formatCount(rows)),
      ...(scored
        ? [
            row('coverage', ({ scores }) => formatShareWithin(scores?.coverage ?? null, scores?.intervals.coverage ?? null)),
            row('accuracy', ({ scores }) => formatShareWithin(scores?.accuracy ?? null, scores?.intervals.accuracy ?? null)),
            row('macro-F1', ({ scores }) => formatShareWithin(scores?.macroF1 ?? null, scores?.intervals.macroF1 ?? null)),
          ]
        : []),
      row('their cost', price),
      row('input tokens', ({ inputTokens }) => formatCount(inputTokens)),
      row('output tokens', ({ outputTokens }) => formatCount(outputTokens)),
      row('run spent', ({ spentNanoUsd, spentUnpricedAttempts = 0 }) => formatSpent(spentNanoUsd, spentUnpricedAttempts)),
    ],
    { maxCells: MAX_CELLS, leastCells: LEAST_CELLS },
    paint,
  );
}

function renderTransitions(transitions: RunComparison['transitions'], paint: Paint): readonly string[] {
  const moves = Object.entries(transitions ?? {})
    .flatMap(([from, line]) => Object.entries(line).map(([to, count]) => ({ from, to, count })))
    .filter(({ from, to }) => from !== to)
    .toSorted((a, b) => b.count - a.count)
    .slice(0, MAX_TRANSITIONS);
  if (moves.length === 0) return [];
  return [
    '',
    renderTable(
      [['in A', 'in B', 'rows'], ...moves.map(({ from, to, count }) => [from, to, formatCount(count)])],
      { maxCells: MAX_CELLS, leastCells: LEAST_CELLS },
      paint,
    ),
  ];
}

function renderExamples({ examples, gold }: RunComparison, paint: Paint): readonly string[] {
  if (examples.length === 0) return [];
  const rows = examples
    .slice(0, MAX_EXAMPLES)
    .map((example) => [example.id ?? '(left the table)', example.a, example.b, ...(gold === null ? [] : [example.gold ?? ''])]);
  return [
    '',
    renderTable(
      [['for example', 'in A', 'in B', ...(gold === null ? [] : ['right'])], ...rows],
      { maxCells: MAX_CELLS, leastCells: LEAST_CELLS },
      paint,
    ),
  ];
}
