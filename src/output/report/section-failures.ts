import { formatCount, formatThings } from '../format-numbers.ts';
import { renderMeter } from './charts.ts';
import { countAskedAbout } from './count-asked-about.ts';
import type { CauseFacts, ReportFacts } from './facts.ts';
import { formatShare } from './format-times.ts';
import { clipHtml, type Html, html, NOTHING, renderCommand } from './html.ts';
import { foldRows, renderFailedRow, type SampleRow } from './render-row.ts';

/** The meaning of each cause, for a reader who sees it for the first time. */
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
  empty: 'every cell the prompt uses is empty',
  too_large: 'the request exceeds a limit of the API',
  unrenderable: 'the prompt of the row cannot be made or sent',
  bad_row: 'the line of the table cannot be read',
};

/** The number of rows per cause on the page. */
const ROWS_OF_CAUSE = 10;
/** How many of them are visible, by the position of their cause; the others are behind a click. The rarest causes are all behind one. */
const OPEN_ROWS: readonly number[] = [6, 3, 1, 1];
const OPEN_CAUSES = OPEN_ROWS.length;

/** Failed and skipped rows by cause: how many, the command to run, and the first of them with their text. */
export function renderFailures(facts: ReportFacts, samples: readonly SampleRow[], textBytes: number): Html {
  const causes = facts.causes.filter(({ cause }) => cause !== 'where');
  if (causes.length === 0) return NOTHING;
  const all = countAskedAbout(facts.summary);
  const groups = causes.map((cause, place) => {
    const rows = samples.filter(({ facts: { why, cause: its } }) => why === 'failed' && its === cause.cause).slice(0, ROWS_OF_CAUSE);
    const open = OPEN_ROWS[place] ?? 1;
    const shown = rows.map((row) => renderFailedRow(row, textBytes));
    const rest = cause.rows - rows.length;
    const more = rest > 0 && rows.length > 0 ? html`<p class="small soft">And ${formatThings(rest, 'more row')}.</p>` : NOTHING;
    return html`<div class="cause">${renderCause(cause, all)}${foldRows(shown, open)}${more}</div>`;
  });
  const rare = causes.slice(OPEN_CAUSES);
  const names = rare.map(({ cause, rows }) => `${cause} ${formatCount(rows)}`).join(', ');
  const folded =
    rare.length === 0
      ? NOTHING
      : html`<details class="more"><summary>${formatThings(rare.length, 'rarer cause')}: ${names}</summary>${groups.slice(OPEN_CAUSES)}</details>`;
  return html`<section aria-labelledby="failures"><h2 id="failures">${hasFailed(causes) ? 'Failures' : 'Rows that were not sent'}</h2>${renderWhere(facts)}${groups.slice(0, OPEN_CAUSES)}${folded}</section>`;
}

/** Whether any row was sent and failed; others have neither prompt nor answer. */
function hasFailed(causes: ReportFacts['causes']): boolean {
  return causes.some(({ status }) => status === 'failed');
}

function renderCause({ cause, status, rows, retry }: CauseFacts, all: number): Html {
  const share = all === 0 ? 0 : rows / all;
  const meter = renderMeter(`${cause}: ${formatShare(share)} of all rows`, share, status === 'failed' ? 'f-bad' : 'f-skip');
  const command =
    retry === null
      ? status === 'skipped'
        ? html`<p class="small soft">Never sent: change the table or the job.</p>`
        : NOTHING
      : html`<p class="small">To retry them: ${renderCommand(retry)}</p>`;
  return html`<h3>${cause} <span class="soft small">${formatThings(rows, 'row')}, ${formatShare(share)}: ${MEANINGS[cause] ?? status}</span></h3><div class="meter">${meter}</div>${command}`;
}

/** Where to find all of the rows. */
function renderWhere({ causes, commands, summary: { outputs } }: ReportFacts): Html {
  const what = hasFailed(causes) ? 'click a failed one for its prompt and raw answer' : 'they were never sent, and cost nothing';
  const file = outputs.failures === null ? NOTHING : html` They are also in <b>${outputs.failures}</b>.`;
  const command =
    commands === undefined ? NOTHING : html` All of them as a table: ${renderCommand(`${commands.failures} --csv failed.csv`)}`;
  return html`<p class="small">The first ${ROWS_OF_CAUSE} rows of each cause; ${what}.${file}${command}</p>`;
}

/** Escaped bytes of one warning. */
const WARNING_BYTES = 1_000;

/** The warnings of the run, for readers who did not watch it. */
export function renderWarnings({ warnings: { messages, more } }: Pick<ReportFacts, 'warnings'>): Html {
  if (messages.length === 0) return NOTHING;
  const items = messages.map((message) => html`<li>${clipHtml(message, WARNING_BYTES)}</li>`);
  const rest = more === 0 ? NOTHING : html`<p class="small soft">And ${formatCount(more)} more.</p>`;
  return html`<section aria-labelledby="warnings"><h2 id="warnings">Warnings</h2><ul>${items}</ul>${rest}</section>`;
}
