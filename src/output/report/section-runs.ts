import { formatCount, formatDollars, formatSpent } from '../format-numbers.ts';
import { renderSeries } from './charts.ts';
import type { ReportFacts } from './facts.ts';
import { formatInstant, formatShare } from './format-times.ts';
import { clipHtml, type Html, html, NOTHING } from './html.ts';

/** How many runs a state directory keeps. */
const KEPT_RUNS = 14;

/** The last runs of the job, the newest first. */
export function renderRuns({ runs, summary }: ReportFacts): Html {
  if (runs.length < 2) return NOTHING;
  const lines = runs
    .toReversed()
    .map(
      ({ run, startedAt, verdict, exitCode, rows, nanoUsd, unpricedAttempts = 0 }) =>
        html`<tr><th scope="row">${run === summary.run ? html`<b>${formatInstant(startedAt)}</b>` : formatInstant(startedAt)}<br><span class="mono soft">${run}</span></th><td>${verdict} <span class="soft">(exit ${exitCode})</span></td><td class="n">${formatCount(rows.in)}</td><td class="n">${formatCount(rows.new)}</td><td class="n">${formatCount(rows.failed + rows.skipped)}</td><td class="n">${formatShare(rows.in === 0 ? 0 : rows.ok / rows.in)}</td><td class="n">${formatSpent(nanoUsd, unpricedAttempts)}</td></tr>`,
    );
  const days = runs.map(({ startedAt }) => formatInstant(startedAt));
  const chart = (what: string, values: readonly number[], show: (value: number) => string, fill: string) => {
    const words = `${what}: the latest ${show(values.at(-1) ?? 0)}, the highest ${show(Math.max(...values))}`;
    // A place for each run that is kept, so that two runs do not fill the whole width.
    const free = Math.max(0, KEPT_RUNS - values.length);
    const bars = renderSeries({
      label: words,
      values: [...Array.from({ length: free }, () => 0), ...values],
      fill,
      limit: null,
      marked: [],
      nameOf: (place) => (place < free ? '' : `${days[place - free] ?? ''}: ${show(values[place - free] ?? 0)}`),
    });
    return html`<div><figure><figcaption>${words}</figcaption>${bars}<div class="axis"><span>from ${days[0] ?? ''}</span><span>to ${days.at(-1) ?? ''}</span></div></figure></div>`;
  };
  const failed = runs.map(({ rows }) => rows.failed + rows.skipped);
  return html`<section aria-labelledby="runs"><h2 id="runs">The last ${runs.length} runs</h2><div class="two">${chart(
    'Spent',
    runs.map(({ nanoUsd }) => nanoUsd),
    formatDollars,
    'f-main',
  )}${chart('Failed and skipped rows', failed, formatCount, 'f-bad')}</div>
<div class="scroll" tabindex="0" role="region" aria-label="The last runs"><table><thead><tr><th scope="col">run</th><th scope="col">verdict</th><th scope="col" class="n">rows</th><th scope="col" class="n">new</th><th scope="col" class="n">failed</th><th scope="col" class="n">ok</th><th scope="col" class="n">spent</th></tr></thead><tbody>${lines}</tbody></table></div></section>`;
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
    ['model asked for', modelRequested],
    ['models that answered', answered.length === 0 ? 'none in this run' : answered.join(', ')],
    ['answers of', origin],
    ['prices as of', `${summary.cost.pricesAsOf}${summary.cost.priceNote === undefined ? '' : `, ${summary.cost.priceNote}`}`],
    ['finished', formatInstant(endedAt)],
    ['table', summary.outputs.table ?? 'none'],
    ['failures', summary.outputs.failures ?? 'none'],
    ['state directory', state],
    ['made by', `rowmill ${rowmill}, Node ${node}`],
    ...(anomalies.length === 0 ? [] : [['lines that are no answers', anomalies.join(', ')] as const]),
  ];
  return html`<section aria-labelledby="provenance"><h2 id="provenance">Where this comes from</h2><dl class="answer">${entries.map(([name, value]) => html`<dt>${name}</dt><dd>${clipHtml(value, 1_000)}</dd>`)}</dl>
<details><summary>The job file</summary><pre>${clipHtml(jobText, JOB_BYTES)}</pre></details></section>`;
}
