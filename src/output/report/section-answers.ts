import { formatCount, formatThings } from '../format-numbers.ts';
import { renderMeter } from './charts.ts';
import type { FieldFacts, QualityFacts, ReportFacts } from './facts.ts';
import { formatShare } from './format-times.ts';
import { type Html, html, NOTHING } from './html.ts';

/** How the answers are distributed, and how that has moved since the run before. */
export function renderAnswers({ fields }: ReportFacts): Html {
  if (fields.length === 0) return NOTHING;
  return html`<section aria-labelledby="answers"><h2 id="answers">Answers</h2><div class="flow">${fields.map((field) => html`<div>${renderField(field)}</div>`)}</div></section>`;
}

function renderField({ field, values, previousRun }: FieldFacts): Html {
  const total = sumOf(values.map(({ rows }) => rows));
  const previousTotal = sumOf(values.map(({ previousRows }) => previousRows ?? 0));
  const hasPrevious = previousRun !== null && previousTotal > 0;
  const most = Math.max(...values.map(({ rows }) => rows));
  const lines = values.map(({ value, rows, previousRows }) => {
    const share = total === 0 ? 0 : rows / total;
    const shift = hasPrevious ? share - (previousRows ?? 0) / previousTotal : 0;
    return html`<tr><th scope="row">${value}</th><td class="bar">${renderMeter(`${value}: ${formatShare(share)}`, most === 0 ? 0 : rows / most, 'f-main')}</td><td class="n">${formatCount(rows)}</td><td class="n">${formatShare(share)}</td>${hasPrevious ? html`<td class="n">${formatShift(shift)}</td>` : NOTHING}</tr>`;
  });
  const moved = hasPrevious
    ? sumOf(values.map(({ rows, previousRows }) => Math.abs(rows / total - (previousRows ?? 0) / previousTotal))) / 2
    : null;
  return html`<table><caption><b>${field}</b> in ${formatThings(total, 'answer')}</caption><thead><tr><th scope="col">value</th><th scope="col"><span class="soft">&nbsp;</span></th><th scope="col" class="n">rows</th><th scope="col" class="n">share</th>${hasPrevious ? html`<th scope="col" class="n">since</th>` : NOTHING}</tr></thead><tbody>${lines}</tbody></table>${moved === null ? NOTHING : html`<p class="small soft">Since run ${previousRun} (${formatThings(previousTotal, 'answer')}), ${formatShare(moved)} of the answers have moved to another value.</p>`}`;
}

/** Percentage points with their sign: `+1.2`. */
function formatShift(shift: number): string {
  const points = shift * 100;
  return Math.abs(points) < 0.05 ? '±0' : `${points > 0 ? '+' : '−'}${Math.abs(points).toFixed(1)}`;
}

function sumOf(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0);
}

/** How right the answers are, where somebody knows what is right. */
export function renderQuality(quality: QualityFacts | null): Html {
  if (quality === null) return NOTHING;
  const { field, gold, rows, accuracy, macroF1, intervals, perClass } = quality;
  const share = (value: number | null) => (value === null ? '–' : formatShare(value));
  const lines = Object.entries(perClass).map(
    ([value, { support, precision, recall, f1 }]) =>
      html`<tr><th scope="row">${value}</th><td class="n">${formatCount(support)}</td><td class="n">${share(precision)}</td><td class="n">${share(recall)}</td><td class="n">${f1.toFixed(3)}</td></tr>`,
  );
  const { low, high } = intervals.accuracy;
  return html`<section aria-labelledby="quality"><h2 id="quality">Accuracy</h2><p><b>${formatShare(accuracy)}</b> of ${formatCount(rows.evaluated)} rows have the <b>${field}</b> that ${gold.name} says (95 % interval ${formatShare(low)} to ${formatShare(high)}); macro-F1 ${macroF1.toFixed(3)}. ${formatCount(rows.answered)} of them were answered, the others count as wrong.</p>
<div class="two"><div class="scroll" tabindex="0" role="region" aria-label="Accuracy by class"><table><thead><tr><th scope="col">class</th><th scope="col" class="n">rows</th><th scope="col" class="n">precision</th><th scope="col" class="n">recall</th><th scope="col" class="n">F1</th></tr></thead><tbody>${lines}</tbody></table></div>${renderConfusion(quality)}</div></section>`;
}

function renderConfusion({ confusion, gold }: QualityFacts): Html {
  const golds = Object.keys(confusion);
  const answers = [...new Set([...golds, ...Object.values(confusion).flatMap((answered) => Object.keys(answered))])];
  if (golds.length === 0) return NOTHING;
  const lines = golds.map(
    (right) =>
      html`<tr><th scope="row">${right}</th>${answers.map((answer) => {
        const count = confusion[right]?.[answer] ?? 0;
        return html`<td class="n ${count === 0 ? 'soft' : answer === right ? 'good' : 'bad'}">${formatCount(count)}</td>`;
      })}</tr>`,
  );
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Confusion matrix"><table><caption>${gold.name} down, answers across</caption><thead><tr><th scope="col">&nbsp;</th>${answers.map((answer) => html`<th scope="col" class="n">${answer}</th>`)}</tr></thead><tbody>${lines}</tbody></table></div>`;
}
