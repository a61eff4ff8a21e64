import { formatCount, formatDollars, formatSpent } from '../format-numbers.ts';
import { renderSeries } from './charts.ts';
import type { ReportFacts } from './facts.ts';
import { formatInstant, formatShare } from './format-times.ts';
import { renderFrame } from './frame.ts';
import { clipHtml, type Html, html, NOTHING } from './html.ts';

/** Two runs are a difference, three are the minimum for a trend. */
const TREND_RUNS = 3;
/** How many runs a state directory keeps, and a chart has room for: few runs do not fill its whole width. */
const KEPT_RUNS = 14;

/** The last runs of the job, newest first. */
export function renderRuns({ runs, summary }: ReportFacts): Html {
  if (runs.length < 2) return NOTHING;
  const lines = runs
    .toReversed()
    .map(
      ({ run, startedAt, verdict, exitCode, rows, nanoUsd, unpricedAttempts = 0 }) =>
        html`<tr><th scope="row">${run === summary.run ? html`<b>${formatInstant(startedAt)}</b>` : formatInstant(startedAt)}<br><span class="mono soft">${run}</span></th><td>${verdict} <span class="soft">(exit ${exitCode})</span></td><td class="n">${formatCount(rows.in)}</td><td class="n">${formatCount(rows.new)}</td><td class="n">${formatCount(rows.failed + rows.skipped)}</td><td class="n">${formatShare(rows.in === 0 ? 0 : rows.ok / rows.in)}</td><td class="n">${formatSpent(nanoUsd, unpricedAttempts)}</td></tr>`,
    );
  const table = html`<table class="keep"><caption>The last ${runs.length} runs</caption><thead><tr><th scope="col">run</th><th scope="col">verdict</th><th scope="col" class="n">rows</th><th scope="col" class="n">new</th><th scope="col" class="n">failed</th><th scope="col" class="n">ok</th><th scope="col" class="n">spent</th></tr></thead><tbody>${lines}</tbody></table>`;
  return html`<section aria-labelledby="runs"><h2 id="runs">Runs</h2>${runs.length < TREND_RUNS ? NOTHING : renderTrends(runs)}${renderFrame('The last runs', table)}</section>`;
}

function renderTrends(runs: ReportFacts['runs']): Html {
  const days = runs.map(({ startedAt }) => formatInstant(startedAt));
  const chart = (what: string, values: readonly number[], show: (value: number) => string, fill: string) => {
    const words = `${what}: ${show(values.at(-1) ?? 0)} in the latest run, ${show(Math.max(...values))} at most`;
    const bars = renderSeries({
      label: words,
      values: [...values, ...Array.from({ length: Math.max(0, KEPT_RUNS - values.length) }, () => 0)],
      fill,
      limit: null,
      marked: [],
      nameOf: (place) => (place < values.length ? `${days[place] ?? ''}: ${show(values[place] ?? 0)}` : ''),
    });
    return html`<div><figure><figcaption>${words}</figcaption>${values.some((value) => value > 0) ? bars : NOTHING}</figure></div>`;
  };
  const known = runs.some(({ unpricedAttempts = 0 }) => unpricedAttempts > 0) ? 'Spent, as far as it is known' : 'Spent';
  return html`<div class="two">${chart(
    known,
    runs.map(({ nanoUsd }) => nanoUsd),
    formatDollars,
    'f-main',
  )}${chart(
    'Failed and skipped rows',
    runs.map(({ rows }) => rows.failed + rows.skipped),
    formatCount,
    'f-bad',
  )}</div><p class="small soft">One bar per run, the oldest on the left; bars start at 0.</p>`;
}

/** Escaped bytes of the job file that are shown. */
const JOB_BYTES = 40_000;

/** What the figures were made from. */
export function renderProvenance({ provenance, models, summary, endedAt }: ReportFacts): Html {
  const { jobText, jobSha256, jobFile, inputs, rowmill, node, modelRequested, origin, state } = provenance;
  const answered = models.flatMap(({ model }) => (model === null ? [] : [model]));
  const anomalies = Object.entries(summary.anomalies).map(([kind, count]) => `${formatCount(count)} ${kind}`);
  const entries: readonly (readonly [string, string])[] = [
    ['job', `${jobFile ?? 'defined in a program'}, sha256 ${jobSha256}`],
    ['input', inputs.join(', ')],
    ['model requested', modelRequested],
    ['models that answered', answered.length === 0 ? 'none in this run' : answered.join(', ')],
    ['answers of', origin],
    ['prices as of', `${summary.cost.pricesAsOf}${summary.cost.priceNote === undefined ? '' : `, ${summary.cost.priceNote}`}`],
    ['finished', formatInstant(endedAt)],
    ['table', summary.outputs.table ?? 'none'],
    ['failures', summary.outputs.failures ?? 'none'],
    ['state directory', state],
    ['made by', `rowmill ${rowmill}, Node ${node}`],
    ...(anomalies.length === 0 ? [] : [['lines that are not answers', anomalies.join(', ')] as const]),
  ];
  return html`<section aria-labelledby="provenance"><h2 id="provenance">Provenance</h2><dl class="answer facts">${entries.map(([name, value]) => html`<dt>${name}</dt><dd>${clipHtml(value, 1_000)}</dd>`)}</dl>
<details><summary>The job file</summary><pre>${clipHtml(jobText, JOB_BYTES)}</pre></details></section>`;
}
