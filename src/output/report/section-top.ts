import { EXIT } from '../../core/errors.ts';
import { formatCount, formatDollars, formatSmallDollars } from '../format-numbers.ts';
import { describeEmptyRows } from '../verdict.ts';
import { renderStack } from './charts.ts';
import type { ReportFacts } from './facts.ts';
import { formatDuration, formatInstant } from './format-times.ts';
import { type Html, html, NOTHING } from './html.ts';

/** Who ran what, when, and how it ended. */
export function renderTop(facts: ReportFacts): Html {
  const { summary } = facts;
  const { exitCode, verdict } = summary;
  const emptyRows = describeEmptyRows(summary);
  const tone = exitCode === EXIT.done || emptyRows !== null ? 'good' : exitCode === EXIT.refused || exitCode === EXIT.bug ? 'bad' : 'warn';
  const simulated = summary.simulated
    ? html`<p class="note" role="note"><b>Simulated.</b> No real model answered and nothing was billed: every answer and every figure on this page is made up.</p>`
    : NOTHING;
  return html`<div class="head"><h1>${summary.job}</h1><span class="badge ${tone}">${emptyRows?.verdict ?? verdict}</span></div>
${facts.description === null ? NOTHING : html`<p class="lead">${facts.description}</p>`}
<ul class="meta"><li><b>${summary.model}</b></li><li>${nameLanes(facts)}</li><li>run <b>${summary.run}</b></li><li>${formatInstant(facts.startedAt)}</li><li>exit code <b>${exitCode}</b></li></ul>
${simulated}`;
}

function nameLanes({ summary: { attempts } }: ReportFacts): string {
  if (attempts.batch > 0 && attempts.live > 0) return 'Batch API and live calls';
  if (attempts.live > 0) return 'live calls';
  return attempts.batch > 0 ? 'Batch API' : 'nothing was sent: every answer already existed';
}

/** The figures one looks for next. */
export function renderTiles(facts: ReportFacts): Html {
  const { attempts, tokens } = facts.summary;
  const asked = facts.rowFigures?.cost?.mean ?? null;
  return html`<div class="tiles">
${tile('Took', formatDuration(Date.parse(facts.endedAt) - Date.parse(facts.startedAt)), html`from start to table`)}
${tile('Per 1,000 rows asked', asked === null ? '–' : formatDollars(Math.round(asked * 1000)), html`${asked === null ? 'nothing was asked' : `${formatSmallDollars(asked)} a row`}`)}
${tile('Attempts', formatCount(attempts.total), html`${describeResponses(facts)}`)}
${tile('Tokens', formatCount(tokens.input + tokens.output), html`${formatCount(tokens.input)} in, ${formatCount(tokens.output)} out`)}
</div>`;
}

/** What came back. An error of the provider is a response, but not an answer. */
function describeResponses({ summary: { attempts }, models }: ReportFacts): string {
  if (attempts.total === 0) return 'nothing was sent';
  if (attempts.unknown > 0) return `${formatCount(attempts.unknown)} without a response`;
  return models.some(({ model }) => model !== null) ? 'all of them with a response' : 'none answered by a model';
}

function tile(name: string, value: string, say: Html): Html {
  return html`<div class="tile"><div class="name">${name}</div><div class="value">${value}</div><div class="say">${say}</div></div>`;
}

/** Every row has exactly one end, and every answer a source. */
export function renderIdentity({ summary: { rows, causes } }: ReportFacts): Html {
  const { ok, failed, skipped, pending } = rows;
  const ends = `${formatCount(rows.in)} rows in = ${formatCount(ok)} ok + ${formatCount(failed)} failed + ${formatCount(skipped)} skipped + ${formatCount(pending)} pending`;
  const sources = `${formatCount(ok)} ok = ${formatCount(rows.new)} new + ${formatCount(rows.reused)} reused + ${formatCount(rows.duplicate)} duplicate`;
  const { where = 0 } = causes;
  const notMeant = where === 0 ? NOTHING : html`<br>${formatCount(where)} of the skipped rows do not match input.where`;
  return html`<section aria-labelledby="rows"><h2 id="rows">Rows</h2>
<p class="equation">${ends}<br>${sources}${notMeant}</p>
${renderStack('Rows', [
  { name: 'answered in this run', count: rows.new, fill: 'f-ok' },
  { name: 'reused from earlier runs', count: rows.reused, fill: 'f-reused' },
  { name: 'duplicates of other rows', count: rows.duplicate, fill: 'f-dup' },
  { name: 'failed', count: failed, fill: 'f-bad' },
  { name: 'skipped', count: skipped, fill: 'f-skip' },
  { name: 'pending', count: pending, fill: 'f-wait' },
])}</section>`;
}
