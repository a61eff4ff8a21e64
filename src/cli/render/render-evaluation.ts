import type { ClassScores, Evaluation, Interval } from '../../core/quality.ts';
import { escapeLineForTerminal } from '../../output/escape-for-terminal.ts';
import { formatCount } from '../../output/format-numbers.ts';
import { formatShareWithin } from '../../output/format-quality.ts';
import { MADE_UP } from '../../output/report/comparison/describe-comparison.ts';
import type { Paint } from './paint.ts';
import { fitsTable, renderFirst, renderTable } from './render-table.ts';

const MAX_CELLS = 28;
const LEAST_CELLS = 8;
/** Figures and their headings stay whole. */
const LEAST_LABEL_CELLS = 16;
/** With more labels than this, or in a narrow terminal, no matrix fits; the most frequent confusions are listed instead. */
const MAX_MATRIX_LABELS = 10;
const MAX_CONFUSIONS = 15;
/** Of the wrong rows, and of the text of one. */
const MAX_WRONG = 10;
const MAX_TEXT_CELLS = 60;
/** More labels than this are shown only by --json. */
const MAX_CLASSES = 100;

/** An evaluation for the terminal, without a final newline. */
export function renderEvaluation(evaluation: Evaluation, paint: Paint): string {
  const { rows, intervals, gold } = evaluation;
  const from = gold.type === 'file' ? `${gold.name}, column ${gold.column}` : `column ${gold.name}`;
  const line = (label: string, text: string) => paint('dim', label.padEnd(11)) + escapeLineForTerminal(text);
  return [
    paint('bold', escapeLineForTerminal(`${evaluation.job}: ${evaluation.field} against ${from}`)) +
      (evaluation.simulated ? paint('yellow', '  simulated') : ''),
    ...(evaluation.simulated ? [paint('yellow', `Made up: ${MADE_UP}`)] : []),
    line('answers', `${evaluation.model}${evaluation.run === null ? '' : `, run ${evaluation.run}`}`),
    line('rows', describeRows(rows)),
    line('coverage', `${formatShareWithin(evaluation.coverage, intervals.coverage)} have an answer; the others count as wrong`),
    line(
      'accuracy',
      `${formatShareWithin(evaluation.accuracy, intervals.accuracy)}, ${formatCount(rows.correct)} of ${formatCount(rows.evaluated)}`,
    ),
    line('macro-F1', formatShareWithin(evaluation.macroF1, intervals.macroF1)),
    paint('dim', `${' '.repeat(11)}in brackets 95 %: Wilson for proportions, ${describeBootstrap(evaluation)} for F1`),
    '',
    renderClasses(evaluation.perClass, paint),
    ...renderConfusion(evaluation.confusion, paint),
    ...renderWrong(evaluation, paint),
  ].join('\n');
}

function describeRows({ in: all, evaluated, withoutGold, pending, where = 0, skipped = 0 }: Evaluation['rows']): string {
  const left = [
    withoutGold > 0 ? `${formatCount(withoutGold)} have no right answer to compare with` : '',
    pending > 0 ? `${formatCount(pending)} have not been sent yet` : '',
    skipped > 0 ? `${formatCount(skipped)} skipped, never sent` : '',
    where > 0 ? `${formatCount(where)} do not match input.where` : '',
  ].filter((part) => part !== '');
  return `${formatCount(evaluated)} of ${formatCount(all)} compared${left.length > 0 ? `; ${left.join(', ')}` : ''}`;
}

function describeBootstrap({ intervals }: Pick<Evaluation, 'intervals'>): string {
  return `bootstrap (${formatCount(intervals.f1.resamples)} draws, seed ${intervals.f1.seed})`;
}

function renderClasses(perClass: Readonly<Record<string, ClassScores>>, paint: Paint): string {
  const classes = Object.entries(perClass);
  const most = classes.length <= MAX_CLASSES ? classes : classes.toSorted(([, a], [, b]) => b.support - a.support).slice(0, MAX_CLASSES);
  const list = (hasIntervals: boolean) => {
    const show = (share: number | null, interval: Interval | null) => formatShareWithin(share, hasIntervals ? interval : null);
    const rows = most.map(([label, { support, predicted, unanswered, precision, recall, f1, intervals }]) => [
      label,
      formatCount(support),
      formatCount(predicted),
      formatCount(unanswered),
      show(precision, intervals.precision),
      show(recall, intervals.recall),
      show(f1, intervals.f1),
    ]);
    return [['label', 'rows', 'given', 'no answer', 'precision', 'recall', 'F1'], ...rows];
  };
  // Figures are never cut: a narrow terminal does without their intervals, then without counts.
  const narrow = { spare: ['given', 'no answer', 'rows'], missing: ['95 % intervals'], leastCells: LEAST_LABEL_CELLS };
  const table = fitsTable(list(true), { maxCells: MAX_CELLS }, paint)
    ? renderTable(list(true), { maxCells: MAX_CELLS }, paint)
    : renderTable(list(false), { maxCells: MAX_CELLS, ...narrow }, paint);
  return most === classes ? table : `${table}\nand ${formatCount(classes.length - most.length)} labels with fewer rows; --json has all`;
}

type Confusion = Evaluation['confusion'];

function renderConfusion(confusion: Confusion, paint: Paint): readonly string[] {
  const labels = [...new Set(Object.entries(confusion).flatMap(([right, line]) => [right, ...Object.keys(line)]))].toSorted();
  if (labels.length === 0) return [];
  if (labels.length <= MAX_MATRIX_LABELS) {
    const rows = labels.map((right) => [right, ...labels.map((given) => formatCount(countOf(confusion, right, given)))]);
    const [matrix, shape] = [[['right \\ given', ...labels], ...rows], { maxCells: MAX_CELLS, leastCells: LEAST_CELLS }];
    if (fitsTable(matrix, shape, paint)) return ['', renderTable(matrix, shape, paint)];
  }
  const wrong = Object.entries(confusion)
    .flatMap(([right, line]) => Object.entries(line).map(([given, count]) => ({ right, given, count })))
    .filter(({ right, given }) => right !== given)
    .toSorted((a, b) => b.count - a.count);
  if (wrong.length === 0) return [];
  const rows = wrong.map(({ right, given, count }) => [right, given, formatCount(count)]);
  const shape = { maxCells: MAX_CELLS, leastCells: LEAST_CELLS, missing: labels.length <= MAX_MATRIX_LABELS ? ['confusion matrix'] : [] };
  const list = { most: MAX_CONFUSIONS, all: rows.length, rest: '--json has all' };
  return ['', renderFirst([['right', 'given instead (most frequent)', 'rows'], ...rows], { ...shape, ...list }, paint)];
}

function renderWrong({ wrong, rows }: Evaluation, paint: Paint): readonly string[] {
  if (wrong.length === 0) return [];
  const lines = wrong.map(({ id, gold, answer, text }) => [id ?? '(left the table)', gold, answer, text]);
  const shape = { maxCells: MAX_TEXT_CELLS, leastCells: LEAST_CELLS, spare: ['text'] };
  const list = { most: MAX_WRONG, all: rows.evaluated - rows.correct, rest: '--csv PATH writes all' };
  return ['', renderFirst([['wrong rows', 'right', 'given', 'text'], ...lines], { ...shape, ...list }, paint)];
}

function countOf(confusion: Confusion, right: string, given: string): number {
  const line = Object.hasOwn(confusion, right) ? confusion[right] : undefined;
  return line !== undefined && Object.hasOwn(line, given) ? (line[given] ?? 0) : 0;
}
