import { formatCount } from '../format-numbers.ts';
import type { ReportFacts } from './facts.ts';
import { clipHtml, type Html, html, NOTHING } from './html.ts';

/** Escaped bytes of one warning. */
const WARNING_BYTES = 1_000;

/** What was told while the run worked, for whoever was not there. */
export function renderWarnings({ warnings: { messages, more } }: Pick<ReportFacts, 'warnings'>): Html {
  if (messages.length === 0) return NOTHING;
  const items = messages.map((message) => html`<li>${clipHtml(message, WARNING_BYTES)}</li>`);
  const rest = more === 0 ? NOTHING : html`<p class="small soft">And ${formatCount(more)} more.</p>`;
  return html`<section aria-labelledby="warnings"><h2 id="warnings">Warnings</h2><ul>${items}</ul>${rest}</section>`;
}
