import type { ComparedRun, RunComparison } from '../../core/quality.ts';
import { escapeLineForTerminal } from '../../output/escape-for-terminal.ts';
import { formatCount, formatSpent } from '../../output/format-numbers.ts';
import { describeMcNemar, formatDollarDifference, formatPointsWithin, formatShareWithin } from '../../output/format-quality.ts';
import { countDifferent, describeResult, listDifferences, MADE_UP, RUN_NAMES } from '../../output/report/comparison/describe-comparison.ts';
import type { Paint } from './paint.ts';
import { renderFirst, renderTable } from './render-table.ts';

const SHAPE = { maxCells: 36, leastCells: 12 };
const MAX_EXAMPLES = 10;
const MAX_TRANSITIONS = 10;

/** A comparison for the terminal, without a final newline. */
export function renderComparison(comparison: RunComparison, paint: Paint): string {
  const { rows, a, b, jobChanges } = comparison;
  const differences = listDifferences(comparison.jobDifferences);
  const line = (label: string, text: string) => paint('dim', label.padEnd(11)) + escapeLineForTerminal(text);
  const what = comparison.field ?? 'the whole answer';
  const both = rows.same + rows.changed;
  const oneSided = `${formatCount(rows.answeredOnlyInA)} answered only in the baseline, ${formatCount(rows.answeredOnlyInB)} only in the candidate, ${formatCount(rows.unanswered)} in neither`;
  const outside =
    rows.onlyInA + rows.onlyInB === 0
      ? ''
      : `; ${formatCount(rows.onlyInA)} rows only in the baseline, ${formatCount(rows.onlyInB)} only in the candidate`;
  return [
    paint('bold', escapeLineForTerminal(`${comparison.job}: ${what}`)) + (comparison.simulated ? paint('yellow', '  simulated') : ''),
    escapeLineForTerminal(describeResult(comparison)),
    ...(comparison.simulated ? [paint('yellow', `Made up: ${MADE_UP}`)] : []),
    line(RUN_NAMES.a, a.run),
    line(RUN_NAMES.b, b.run),
    line('job', jobChanges.length === 0 ? 'the same in both' : `differs in ${jobChanges.join(', ')}`),
    ...differences.map(({ key, run, text }) => line('', `${key} in the ${run}: ${text}`)),
    line(
      'rows',
      `${formatCount(rows.compared)} compared: ${formatCount(rows.same)} same, ${formatCount(rows.changed)} changed, ${oneSided}${outside}`,
    ),
    line('agreement', `${formatShareWithin(comparison.agreement, comparison.agreementInterval)} of ${formatCount(both)} answered in both`),
    ...(comparison.accuracyDifference === null
      ? []
      : [
          line('accuracy', `candidate - baseline: ${formatPointsWithin(comparison.accuracyDifference)}`),
          line('McNemar', describeMcNemar(comparison.mcnemar)),
        ]),
    line('cost', `candidate - baseline: ${formatDollarDifference(comparison.costDifferenceNanoUsd)} for the answers of these rows`),
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
      ['', RUN_NAMES.a, RUN_NAMES.b],
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
    SHAPE,
    paint,
  );
}

function renderTransitions(transitions: RunComparison['transitions'], paint: Paint): readonly string[] {
  const moves = Object.entries(transitions ?? {})
    .flatMap(([from, line]) => Object.entries(line).map(([to, count]) => ({ from, to, count })))
    .filter(({ from, to }) => from !== to)
    .toSorted((a, b) => b.count - a.count);
  if (moves.length === 0) return [];
  return [
    '',
    renderFirst(
      [[RUN_NAMES.a, RUN_NAMES.b, 'rows'], ...moves.map(({ from, to, count }) => [from, to, formatCount(count)])],
      { ...SHAPE, most: MAX_TRANSITIONS, all: moves.length, rest: '--json has all' },
      paint,
    ),
  ];
}

function renderExamples({ examples, gold, rows }: RunComparison, paint: Paint): readonly string[] {
  if (examples.length === 0) return [];
  const lines = examples.map(({ id, a, b, ...row }) => [id ?? '(left the table)', a, b, ...(gold === null ? [] : [row.gold ?? ''])]);
  return [
    '',
    renderFirst(
      [['rows that differ', RUN_NAMES.a, RUN_NAMES.b, ...(gold === null ? [] : ['right'])], ...lines],
      { ...SHAPE, most: MAX_EXAMPLES, all: countDifferent(rows), rest: '--csv PATH writes all' },
      paint,
    ),
  ];
}
