import { formatThings } from '../format-numbers.ts';
import type { SampleFacts } from './facts.ts';
import { type Html, html, NOTHING } from './html.ts';
import { foldRows, renderAnsweredRow, type SampleRow } from './render-row.ts';

const GROUPS: readonly { readonly why: SampleFacts['why']; readonly title: string; readonly say: string; readonly open: number }[] = [
  { why: 'dearest', title: 'The most expensive', say: 'of the rows sent in this run', open: 1 },
  { why: 'slowest', title: 'The slowest', say: 'by the duration of their call', open: 1 },
  { why: 'random', title: 'At random', say: 'every answered row had the same chance', open: 2 },
];

/** A sample of answered rows, in groups; the first of each group are open. */
export function renderSamples(samples: readonly SampleRow[], textBytes: number): Html {
  const groups = GROUPS.map(({ why, title, say, open }) => {
    const rows = samples.filter(({ facts }) => facts.why === why).map((row) => renderAnsweredRow(row, textBytes));
    if (rows.length === 0) return NOTHING;
    return html`<h3 id="${why}">${title} <span class="soft small">${formatThings(rows.length, 'row')}, ${say}</span></h3>${foldRows(rows, open)}`;
  });
  if (groups.every(({ html }) => html === '')) return NOTHING;
  return html`<section aria-labelledby="samples"><h2 id="samples">Samples</h2>${groups}</section>`;
}
