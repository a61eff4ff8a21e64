import { formatCount } from '../format-numbers.ts';
import type { QualityFacts } from './facts.ts';
import { formatShare } from './format-times.ts';
import { renderFrame } from './frame.ts';
import { type Html, html, NOTHING, renderName } from './html.ts';
import { describePart, renderJudgedRow } from './judged-row.ts';

/** A field without labels may have any number of classes; this many are shown. `eval --json` has all. */
const MAX_CLASSES = 60;
/** With more labels than this nobody can read the matrix; the most frequent confusions are listed instead. */
const MAX_MATRIX_LABELS = 30;
const MAX_CONFUSIONS = 30;
/** Escaped bytes of a label; a matrix repeats none of them more than twice. */
const LABEL_BYTES = 160;

/** How correct the answers are, if there are gold labels. */
export function renderQuality(quality: QualityFacts | null): Html {
  if (quality === null) return NOTHING;
  const { field, gold, rows, accuracy, macroF1, intervals } = quality;
  const { low, high } = intervals.accuracy;
  return html`<section aria-labelledby="quality"><h2 id="quality">Accuracy</h2><p><b>${formatShare(accuracy)}</b> of ${formatCount(rows.evaluated)} rows have the <b>${field}</b> that ${gold.name} says (95 % interval ${formatShare(low)} to ${formatShare(high)}); macro-F1 ${formatShare(macroF1)}. ${describeAnswered(rows)}</p>
<div class="two">${renderClasses(quality)}${renderConfusion(quality)}</div>${renderWrong(quality)}</section>`;
}

function describeAnswered({ answered, evaluated }: QualityFacts['rows']): string {
  if (answered === evaluated) return 'All of them were answered.';
  return `${formatCount(answered)} of them were answered, the others count as wrong.`;
}

function renderWrong({ wrong, rows }: QualityFacts): Html {
  if (wrong.length === 0) return NOTHING;
  const articles = wrong.map((one) =>
    renderJudgedRow(one, 'counted as wrong', [
      ['right', one.gold],
      ['given', one.answer],
      ...(one.text === '' ? [] : [['text', one.text] as const]),
    ]),
  );
  return html`<details class="more"><summary><h3>Wrong rows, ${describePart(wrong.length, rows.evaluated - rows.correct, 'eval --csv')}</h3></summary>${articles}</details>`;
}

function renderClasses({ perClass }: QualityFacts): Html {
  const classes = Object.entries(perClass);
  const isCut = classes.length > MAX_CLASSES;
  const shown = isCut ? classes.toSorted(([, a], [, b]) => b.support - a.support).slice(0, MAX_CLASSES) : classes;
  const share = (value: number | null) => (value === null ? '–' : formatShare(value));
  const lines = shown.map(
    ([value, { support, precision, recall, f1 }]) =>
      html`<tr><th scope="row">${renderName(value, LABEL_BYTES)}</th><td class="n">${formatCount(support)}</td><td class="n">${share(precision)}</td><td class="n">${share(recall)}</td><td class="n">${formatShare(f1)}</td></tr>`,
  );
  const caption = isCut
    ? html`<caption>the ${MAX_CLASSES} most frequent of ${formatCount(classes.length)} classes; eval --json has all</caption>`
    : NOTHING;
  return html`${renderFrame('Accuracy by class', html`<table>${caption}<thead><tr><th scope="col">class</th><th scope="col" class="n">rows</th><th scope="col" class="n">precision</th><th scope="col" class="n">recall</th><th scope="col" class="n">F1</th></tr></thead><tbody>${lines}</tbody></table>`)}`;
}

function renderConfusion({ confusion, gold }: QualityFacts): Html {
  const golds = Object.keys(confusion);
  const answers = [...new Set([...golds, ...Object.values(confusion).flatMap((answered) => Object.keys(answered))])];
  if (golds.length === 0) return NOTHING;
  if (answers.length > MAX_MATRIX_LABELS) return renderConfusions(confusion);
  const totalOf = (right: string) => Object.values(confusion[right] ?? {}).reduce((sum, count) => sum + count, 0);
  const lines = golds.map(
    (right) =>
      html`<tr><th scope="row">${renderName(right, LABEL_BYTES)}</th>${answers.map((answer) => {
        const count = confusion[right]?.[answer] ?? 0;
        return html`<td class="n ${chooseShade(count, totalOf(right), answer === right)}">${formatCount(count)}</td>`;
      })}</tr>`,
  );
  return html`<div><p class="soft small">${gold.name} down, answers across; a darker shade is a larger share of its line, green is right, red is wrong</p>${renderFrame('Confusion matrix', html`<table class="matrix"><thead><tr><th scope="col">&nbsp;</th>${answers.map((answer) => html`<th scope="col" class="n">${renderName(answer, LABEL_BYTES)}</th>`)}</tr></thead><tbody>${lines}</tbody></table>`)}</div>`;
}

/** Four shades, by the share of a line: `g` correct, `b` wrong. */
const SHADES = 4;

function chooseShade(count: number, total: number, isRight: boolean): string {
  if (count === 0) return 'soft';
  return `${isRight ? 'g' : 'b'}${Math.max(1, Math.ceil((count / total) * SHADES))}`;
}

function renderConfusions(confusion: QualityFacts['confusion']): Html {
  const wrong = Object.entries(confusion)
    .flatMap(([right, line]) => Object.entries(line).map(([given, count]) => ({ right, given, count })))
    .filter(({ right, given }) => right !== given)
    .toSorted((a, b) => b.count - a.count)
    .slice(0, MAX_CONFUSIONS);
  if (wrong.length === 0) return NOTHING;
  const lines = wrong.map(
    ({ right, given, count }) =>
      html`<tr><th scope="row">${renderName(right, LABEL_BYTES)}</th><td>${renderName(given, LABEL_BYTES)}</td><td class="n">${formatCount(count)}</td></tr>`,
  );
  return html`${renderFrame('The most frequent confusions', html`<table><caption>The most frequent confusions</caption><thead><tr><th scope="col">right</th><th scope="col">given instead</th><th scope="col" class="n">rows</th></tr></thead><tbody>${lines}</tbody></table>`)}`;
}
