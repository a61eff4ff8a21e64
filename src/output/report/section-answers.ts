import { formatCount, formatThings } from '../format-numbers.ts';
import { renderMeter } from './charts.ts';
import { countAskedAbout } from './count-asked-about.ts';
import type { FieldFacts, ReportFacts } from './facts.ts';
import { formatShare } from './format-times.ts';
import { renderFrame } from './frame.ts';
import { type Html, html, NOTHING, renderName } from './html.ts';
import { shareMoved } from './share-moved.ts';

/** Escaped bytes of a value. */
const LABEL_BYTES = 160;

/** How the answers are distributed, and how that has changed since the previous run. */
export function renderAnswers({ fields, summary }: ReportFacts): Html {
  if (fields.length === 0) return NOTHING;
  const all = countAskedAbout(summary);
  return html`<section aria-labelledby="answers"><h2 id="answers">Answers</h2><p class="small soft">The full width of a bar is all ${formatThings(all, 'row')}, here and under failures.</p><div class="flow">${fields.map((field) => html`<div>${renderField(field, all)}</div>`)}</div></section>`;
}

function renderField(facts: FieldFacts, all: number): Html {
  const { field, values, previousRun } = facts;
  const total = sumOf(values.map(({ rows }) => rows));
  const previousTotal = sumOf(values.map(({ previousRows }) => previousRows ?? 0));
  const moved = shareMoved(facts);
  const hasPrevious = moved !== null;
  const lines = values.map(({ value, rows, previousRows }) => {
    const share = total === 0 ? 0 : rows / total;
    const shift = hasPrevious ? share - (previousRows ?? 0) / previousTotal : 0;
    return html`<tr><th scope="row" dir="auto">${renderName(value, LABEL_BYTES)}</th><td class="bar">${renderMeter(`${value}: ${formatShare(all === 0 ? 0 : rows / all)} of all rows`, all === 0 ? 0 : rows / all, 'f-main')}</td><td class="n">${formatCount(rows)}</td><td class="n">${formatShare(share)}</td>${hasPrevious ? html`<td class="n">${formatShift(shift)}</td>` : NOTHING}</tr>`;
  });
  const table = html`<table><caption><b>${field}</b> in ${formatThings(total, 'answer')}</caption><thead><tr><th scope="col">value</th><th scope="col"><span class="soft">&nbsp;</span></th><th scope="col" class="n">rows</th><th scope="col" class="n">of answers</th>${hasPrevious ? html`<th scope="col" class="n">since</th>` : NOTHING}</tr></thead><tbody>${lines}</tbody></table>`;
  return html`${renderFrame(`Values of ${field}`, table)}${moved === null ? NOTHING : html`<p class="small soft">Since run ${previousRun} (${formatThings(previousTotal, 'answer')}) the shares of the values have shifted by ${formatShare(moved)}; “since” is in percentage points.</p>`}`;
}

/** Percentage points with their sign: `+1.2`. */
function formatShift(shift: number): string {
  const points = shift * 100;
  return Math.abs(points) < 0.05 ? '±0' : `${points > 0 ? '+' : '−'}${Math.abs(points).toFixed(1)}`;
}

function sumOf(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0);
}
