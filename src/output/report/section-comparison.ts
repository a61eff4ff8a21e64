import type { ChangedRow, ClassScores, ComparedRun, RunComparison, Scores } from '../../core/quality.ts';
import { formatCount, formatSpent, formatThings } from '../format-numbers.ts';
import { describeMcNemar, formatDollarDifference, formatPointsWithin, formatShareWithin } from '../format-quality.ts';
import { renderMeter, renderStack } from './charts.ts';
import { countDifferent, describeResult, listDifferences, RUN_NAMES } from './comparison/describe-comparison.ts';
import { formatShare } from './format-times.ts';
import { renderFrame } from './frame.ts';
import { clipHtml, type Html, html, NOTHING } from './html.ts';
import { describePart, renderJudgedRow } from './judged-row.ts';
import { foldRows } from './render-row.ts';

/** More labels than this are shown only by `diff --json`. */
const MAX_CLASSES = 40;
const MAX_TRANSITIONS = 30;
/** Escaped bytes of a label, and of a fact. */
const LABEL_BYTES = 160;
const FACT_BYTES = 1_000;
/** Visible rows that differ; the others are behind a click. */
const OPEN_EXAMPLES = 1;

/** What changed between two runs, row by row, in quality and in cost. */
export function renderComparison(comparison: RunComparison | null): Html {
  if (comparison === null) return NOTHING;
  const { a, b, rows, field } = comparison;
  const facts = listFacts(comparison).map(([name, value]) => html`<dt>${name}</dt><dd>${clipHtml(value, FACT_BYTES)}</dd>`);
  return html`<section aria-labelledby="comparison"><h2 id="comparison">Comparison</h2>
<p>Baseline <b class="mono">${a.run}</b> and candidate <b class="mono">${b.run}</b>, this run, in ${field === null ? 'the whole answer' : html`<b>${clipHtml(field, LABEL_BYTES)}</b>`}, on the ${formatThings(rows.compared, 'row')} they share. ${describeResult(comparison)}.</p>
${renderDifferences(comparison)}
${renderStack('Rows of both runs', [
  { name: 'the same', count: rows.same, fill: 'f-ok' },
  { name: 'changed', count: rows.changed, fill: 'f-main' },
  { name: 'answered only in the baseline', count: rows.answeredOnlyInA, fill: 'f-skip' },
  { name: 'answered only in the candidate', count: rows.answeredOnlyInB, fill: 'f-second' },
  { name: 'answered in neither', count: rows.unanswered, fill: 'f-bad' },
])}
<h3>In short</h3><dl class="answer facts">${facts}</dl>
<h3>In figures</h3><div class="flow">${renderRuns(a, b)}${a.scores === null || b.scores === null ? NOTHING : renderClasses(a.scores, b.scores)}${renderTransitions(comparison)}</div>
${renderExamples(comparison)}</section>`;
}

function listFacts(comparison: RunComparison): readonly (readonly [name: string, value: string])[] {
  const { a, b, rows, gold, jobChanges, agreement, agreementInterval, accuracyDifference, mcnemar } = comparison;
  const outside = rows.onlyInA + rows.onlyInB;
  const unpriced = a.unpricedAnswers + b.unpricedAnswers;
  const cost = `candidate − baseline: ${formatDollarDifference(comparison.costDifferenceNanoUsd)} for the answers of these rows`;
  return [
    ...(jobChanges.length === 0 ? [['job', 'the same in both'] as const] : []),
    ['agreement', `${formatShareWithin(agreement, agreementInterval)} of ${formatCount(rows.same + rows.changed)} answered in both`],
    ...(accuracyDifference === null
      ? []
      : [
          [
            'accuracy',
            `candidate − baseline: ${formatPointsWithin(accuracyDifference)} against ${gold?.name ?? 'the right answers'}`,
          ] as const,
          ['McNemar’s test', describeMcNemar(mcnemar)] as const,
        ]),
    ['cost', unpriced === 0 ? cost : `${cost}; ${formatThings(unpriced, 'answer')} of unknown price in no sum`],
    ...(outside === 0
      ? []
      : [
          [
            'not compared',
            `${formatCount(rows.onlyInA)} rows only in the baseline, ${formatCount(rows.onlyInB)} only in the candidate`,
          ] as const,
        ]),
  ];
}

/** The lines that differ between the two jobs, behind a click on what they belong to. */
function renderDifferences({ jobChanges, jobDifferences }: RunComparison): Html {
  if (jobChanges.length === 0) return NOTHING;
  const lines = listDifferences(jobDifferences).map(
    ({ key, run, text }) => html`<dt>${key} in the ${run}</dt><dd dir="auto">${clipHtml(text, FACT_BYTES)}</dd>`,
  );
  return html`<details class="more"><summary>The job differs in ${jobChanges.join(', ')}</summary><dl class="answer facts">${lines}</dl></details>
`;
}

function renderRuns(a: ComparedRun, b: ComparedRun): Html {
  const line = (name: string, show: (run: ComparedRun) => Html) =>
    html`<tr><th scope="row">${name}</th><td class="n">${show(a)}</td><td class="n">${show(b)}</td></tr>`;
  const score = (name: 'coverage' | 'accuracy' | 'macroF1') => (run: ComparedRun) =>
    run.scores === null ? NOTHING : showScore(run.scores, name);
  const lines = [
    line('model', ({ model }) => clipHtml(model, LABEL_BYTES)),
    line('rows', ({ rows }) => html`${formatCount(rows)}`),
    ...(a.scores === null || b.scores === null
      ? []
      : [line('coverage', score('coverage')), line('accuracy', score('accuracy')), line('macro-F1', score('macroF1'))]),
    line('cost of these answers', ({ answersNanoUsd, unpricedAnswers }) => html`${formatSpent(answersNanoUsd, unpricedAnswers)}`),
    line('input tokens', ({ inputTokens }) => html`${formatCount(inputTokens)}`),
    line('output tokens', ({ outputTokens }) => html`${formatCount(outputTokens)}`),
    line('spent by the run', ({ spentNanoUsd, spentUnpricedAttempts = 0 }) => html`${formatSpent(spentNanoUsd, spentUnpricedAttempts)}`),
  ];
  return renderTable({
    caption: 'Both runs; small: 95 % intervals',
    words: [''],
    numbers: [RUN_NAMES.a, RUN_NAMES.b],
    lines,
    isPair: true,
  });
}

function showScore({ intervals, ...scores }: Scores, name: 'coverage' | 'accuracy' | 'macroF1'): Html {
  const { low, high } = intervals[name];
  return html`${formatShareWithin(scores[name], null)}<br><span class="soft small">${(low * 100).toFixed(1)} to ${formatShareWithin(high, null).replace(' ', '\u00a0')}</span>`;
}

function renderClasses(a: Scores, b: Scores): Html {
  const [inA, inB] = [new Map(Object.entries(a.perClass)), new Map(Object.entries(b.perClass))];
  const labels = new Map([...inA, ...inB]);
  const shown = [...labels].toSorted(([, one], [, other]) => other.support - one.support).slice(0, MAX_CLASSES);
  const f1 = (scores: ClassScores | undefined) => (scores === undefined ? '–' : formatShareWithin(scores.f1, null));
  const lines = shown.map(
    ([label, { support }]) =>
      html`<tr><th scope="row">${clipHtml(label, LABEL_BYTES)}</th><td class="n">${formatCount(support)}</td><td class="n">${f1(inA.get(label))}</td><td class="n">${f1(inB.get(label))}</td></tr>`,
  );
  const caption = `F1 by class${labels.size > shown.length ? `, the ${shown.length} most frequent of ${formatCount(labels.size)}` : ''}`;
  return renderTable({ caption, words: ['class'], numbers: ['rows', RUN_NAMES.a, RUN_NAMES.b], lines, isFolded: true });
}

function renderTransitions({ transitions, rows }: RunComparison): Html {
  const moves = Object.entries(transitions ?? {})
    .flatMap(([from, line]) => Object.entries(line).map(([to, count]) => ({ from, to, count })))
    .filter(({ from, to }) => from !== to)
    .toSorted((one, other) => other.count - one.count);
  if (moves.length === 0) return NOTHING;
  const shown = moves.slice(0, MAX_TRANSITIONS);
  const lines = shown.map(({ from, to, count }) => {
    const share = count / rows.compared;
    const meter = renderMeter(`${formatShare(share)} of the rows compared`, share, 'f-main');
    return html`<tr><th scope="row">${clipHtml(from, LABEL_BYTES)}</th><td>${clipHtml(to, LABEL_BYTES)}</td><td class="n">${formatCount(count)}<div class="bar">${meter}</div></td></tr>`;
  });
  const caption = `Answers that changed${moves.length > shown.length ? `, the ${shown.length} most frequent of ${formatCount(moves.length)}` : ''}`;
  return renderTable({ caption, words: [RUN_NAMES.a, RUN_NAMES.b], numbers: ['rows'], lines });
}

interface TableParts {
  readonly caption: string;
  /** Headings of the first columns, which hold words, and of the others, which hold numbers. */
  readonly words: readonly string[];
  readonly numbers: readonly string[];
  readonly lines: readonly Html[];
  /** Behind a click on its caption. */
  readonly isFolded?: true;
  /** A line of names above two columns on a phone. */
  readonly isPair?: true;
}

function renderTable({ caption, words, numbers, lines, isFolded, isPair }: TableParts): Html {
  const heads = [
    ...words.map((name) => html`<th scope="col">${name}</th>`),
    ...numbers.map((name) => html`<th scope="col" class="n">${name}</th>`),
  ];
  const shown = isFolded ? NOTHING : html`<caption>${caption}</caption>`;
  const table = renderFrame(
    caption,
    html`<table${isPair ? html` class="pair"` : NOTHING}>${shown}<thead><tr>${heads}</tr></thead><tbody>${lines}</tbody></table>`,
  );
  return html`<div>${isFolded ? html`<details class="more"><summary>${caption}</summary>${table}</details>` : table}</div>`;
}

const CHANGES: Readonly<Record<ChangedRow['change'], string>> = {
  changed: 'changed',
  answeredOnlyInA: 'answered only in the baseline',
  answeredOnlyInB: 'answered only in the candidate',
};

function renderExamples({ examples, rows }: RunComparison): Html {
  if (examples.length === 0) return NOTHING;
  const articles = examples.map(({ change, a, b, gold, ...row }) => {
    const right = gold === null ? [] : [['right', gold] as const];
    return renderJudgedRow(row, CHANGES[change], [[RUN_NAMES.a, a], [RUN_NAMES.b, b], ...right]);
  });
  return html`<h3>Rows that differ <span class="soft small">${describePart(examples.length, countDifferent(rows), 'diff --csv')}</span></h3>${foldRows(articles, OPEN_EXAMPLES)}`;
}
