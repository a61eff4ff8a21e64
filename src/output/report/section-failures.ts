import { formatCount } from '../format-numbers.ts';
import { renderMeter } from './charts.ts';
import type { ReportFacts } from './facts.ts';
import { formatShare } from './format-times.ts';
import { clipHtml, type Html, html, NOTHING } from './html.ts';
import type { SampleRow } from './section-samples.ts';

/** What each cause is, for whoever sees it for the first time. */
const MEANINGS: Readonly<Record<string, string>> = {
  invalid: 'the answer is not JSON, or breaks the schema',
  truncated: 'the answer was cut at the output limit',
  refused: 'the model refused to answer',
  filtered: 'the provider’s content filter withheld the answer',
  rate_limited: 'too many calls in too short a time',
  server_error: 'the provider failed',
  timeout: 'no answer in time',
  bad_request: 'the provider refused the request',
  expired: 'the batch ended before the row’s turn came',
  cancelled: 'the batch was cancelled before the row’s turn came',
  missing: 'the batch ended without a line for the row',
  unknown: 'the answer was lost; it may have been billed',
  empty: 'every cell the prompt shows is empty',
  too_large: 'the request exceeds a limit of the API',
  unrenderable: 'the prompt of the row cannot be made or sent',
  bad_row: 'the line of the table cannot be read',
};

/** Failed and skipped rows by cause, each with an example and what to type. */
export function renderFailures({ causes: all, summary: { rows, next } }: ReportFacts, samples: readonly SampleRow[]): Html {
  const causes = all.filter(({ cause }) => cause !== 'where');
  if (causes.length === 0) return NOTHING;
  const lines = causes.map(({ cause, status, rows: count, retry }) => {
    const example = samples.find(({ facts }) => facts.cause === cause);
    const message = example?.text?.message ?? null;
    const where = example === undefined ? NOTHING : html`<a href="#row-${example.facts.row}">row ${formatCount(example.facts.row)}</a>`;
    const share = rows.in === 0 ? 0 : count / rows.in;
    return html`<tr><th scope="row">${cause}<br><span class="soft small">${MEANINGS[cause] ?? status}</span></th><td class="n">${formatCount(count)}<div class="bar">${renderMeter(`${cause}: ${formatShare(share)} of the rows`, share, status === 'failed' ? 'f-bad' : 'f-skip')}</div></td><td>${where}${message === null ? NOTHING : html`<br><span class="soft small">${message.slice(0, 200)}</span>`}</td><td>${retry === null ? html`<span class="soft small">${status === 'skipped' ? 'never sent: change the table or the job' : ''}</span>` : html`<code class="cmd">${retry}</code>`}</td></tr>`;
  });
  return html`<section aria-labelledby="failures"><h2 id="failures">What failed, and why</h2><div class="scroll" tabindex="0" role="region" aria-label="Failures by cause"><table class="cards"><thead><tr><th scope="col">cause</th><th scope="col" class="n">rows</th><th scope="col">for example</th><th scope="col">to try these again</th></tr></thead><tbody>${lines}</tbody></table></div>${next === null ? NOTHING : html`<p class="small soft">Next: <code class="cmd">${next}</code></p>`}</section>`;
}

/** Escaped bytes of one warning. */
const WARNING_BYTES = 1_000;

/** What was told while the run worked, for whoever was not there. */
export function renderWarnings({ warnings: { messages, more } }: Pick<ReportFacts, 'warnings'>): Html {
  if (messages.length === 0) return NOTHING;
  const items = messages.map((message) => html`<li>${clipHtml(message, WARNING_BYTES)}</li>`);
  const rest = more === 0 ? NOTHING : html`<p class="small soft">And ${formatCount(more)} more.</p>`;
  return html`<section aria-labelledby="warnings"><h2 id="warnings">Warnings</h2><ul>${items}</ul>${rest}</section>`;
}
