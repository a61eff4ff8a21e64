import type { CostSummary, DoubtfulCalls, Summary } from '../../core/summary.ts';
import { describeDoubts, describeMost } from '../describe-doubts.ts';
import { describeOrphaned, formatCount, formatDollars, formatSmallDollars, formatSpent, formatThings } from '../format-numbers.ts';
import { renderBars } from './charts.ts';
import { describeEstimate } from './describe-estimate.ts';
import type { ModelShare, ReportFacts, Spread } from './facts.ts';
import { formatShare } from './format-times.ts';
import { renderFrame } from './frame.ts';
import { type Html, html, joinHtml, NOTHING } from './html.ts';

/** What was paid, for what, and what was not. */
export function renderMoney(facts: ReportFacts): Html {
  const { cost, ledger, attempts, possiblyBilled = [] } = facts.summary;
  const lines = joinHtml([
    line('On rows', formatSpent(cost.rowsNanoUsd, cost.unpricedAttempts), 'the sum of the table’s _cost_usd'),
    html`<tr><th scope="row" class="sub">of it on rows that failed</th><td class="n">${showPart(cost.failedRowsNanoUsd, cost)}</td><td></td></tr>`,
    line('Orphaned', showPart(cost.orphanedNanoUsd, cost), describeOrphaned(cost.unpricedAttempts)),
    html`<tr class="sum"><th scope="row">Spent</th><td class="n">${formatSpent(cost.nanoUsd, cost.unpricedAttempts)}</td><td class="soft">${describeEstimate(facts)}</td></tr>`,
    facts.budgetNanoUsd === null
      ? NOTHING
      : line('Budget', formatDollars(facts.budgetNanoUsd), 'of the run; nothing is sent that could pass it'),
    cost.unpricedAttempts === 0
      ? NOTHING
      : line('Unknown price', 'unknown', `${formatThings(cost.unpricedAttempts, 'attempt')}, in no sum`),
    facts.cacheSavedNanoUsd >= 0
      ? NOTHING
      : line('Of it lost to the prompt cache', formatDollars(-facts.cacheSavedNanoUsd), 'writes that cost more than reads saved'),
    cost.possiblyBilledNanoUsd === 0 && possiblyBilled.length === 0
      ? NOTHING
      : line('Possibly billed', describeMost(cost.possiblyBilledNanoUsd, possiblyBilled), 'calls without an answer, in no sum'),
    line('All runs together', formatSpent(ledger.nanoUsd, ledger.unpricedAttempts ?? 0), formatThings(ledger.attempts, 'attempt')),
    ...listAnomalies(facts.summary),
  ]);
  const saved = [
    { by: attempts.batch > 0 ? 'the batch price' : 'the flex price', nanoUsd: cost.batchSavedNanoUsd },
    { by: 'the prompt cache', nanoUsd: facts.cacheSavedNanoUsd },
    { by: 'existing answers, and duplicates', nanoUsd: cost.reuseSavedNanoUsd },
  ].filter(({ nanoUsd }) => nanoUsd > 0);
  return html`<section aria-labelledby="money"><h2 id="money">Money</h2><div class="two"><div>
${renderFrame('What was paid', html`<table class="pay"><caption>Prices as of ${cost.pricesAsOf}${cost.priceNote === undefined ? '' : html`, <b>${cost.priceNote}</b>`}</caption><tbody>${lines}</tbody></table>`)}</div><div>
${saved.length === 0 ? NOTHING : html`<h3>Not paid</h3>${renderFrame('What was saved', html`<table class="pay"><tbody>${saved.map(({ by, nanoUsd }) => line(`Saved by ${by}`, formatDollars(nanoUsd), ''))}</tbody></table>`)}`}
${renderModels(facts.models)}</div></div>${renderDoubts(possiblyBilled)}${renderCosts(facts)}</section>`;
}

/** More of them only repeat the same. */
const MAX_DOUBTS = 50;

function renderDoubts(items: readonly DoubtfulCalls[]): Html {
  if (items.length === 0) return NOTHING;
  const named = describeDoubts(items);
  const rest = named.length - MAX_DOUBTS;
  return html`<h3>What may have been billed without an answer</h3><ul>${joinHtml(named.slice(0, MAX_DOUBTS).map((text) => html`<li>${text}</li>`))}</ul>
${rest > 0 ? html`<p class="small soft">and ${formatCount(rest)} more; the summary object names all of them</p>` : NOTHING}`;
}

/** A part of what was spent: not shown if it may be larger than the known total. */
function showPart(nanoUsd: number, { unpricedAttempts }: CostSummary): string {
  return unpricedAttempts > 0 && nanoUsd === 0 ? '–' : formatDollars(nanoUsd);
}

function listAnomalies({ anomalies, anomalyCosts = {} }: Summary): readonly Html[] {
  const show = (nanoUsd: number | null = null) => (nanoUsd === null ? 'unknown' : formatDollars(nanoUsd));
  const { conflict = 0, foreign = 0 } = anomalies;
  return [
    conflict === 0
      ? NOTHING
      : line(
          'Conflicting lines',
          show(anomalyCosts.conflict),
          `${formatThings(conflict, 'line')} more for requests that were answered, a part of what was spent`,
        ),
    foreign === 0
      ? NOTHING
      : line('Foreign lines', show(anomalyCosts.foreign), `${formatThings(foreign, 'line')} answering nothing of ours, in no sum`),
  ];
}

function line(name: string, amount: string, say: string): Html {
  return html`<tr><th scope="row">${name}</th><td class="n">${amount}</td><td class="soft">${say}</td></tr>`;
}

function renderModels(models: readonly ModelShare[]): Html {
  if (models.length === 0) return NOTHING;
  const lines = models.map(
    ({ model, rows, nanoUsd, inputTokens, cachedInputTokens, outputTokens, unpricedRows = 0 }) =>
      html`<tr><th scope="row">${model ?? 'no usable answer'}</th><td class="n">${formatCount(rows)}</td><td class="n">${formatCount(inputTokens)}</td><td class="n">${formatShare(inputTokens === 0 ? 0 : cachedInputTokens / inputTokens)}</td><td class="n">${formatCount(outputTokens)}</td><td class="n">${formatSpent(nanoUsd, unpricedRows)}</td></tr>`,
  );
  return html`<h3>By model that answered</h3>${renderFrame('Cost by model', html`<table><thead><tr><th scope="col">model</th><th scope="col" class="n">rows</th><th scope="col" class="n">tokens in</th><th scope="col" class="n">cached</th><th scope="col" class="n">out</th><th scope="col" class="n">cost</th></tr></thead><tbody>${lines}</tbody></table>`)}`;
}

function renderCosts({ rowFigures }: ReportFacts): Html {
  const { cost, costHistogram } = rowFigures ?? {};
  // Rows that all cost nothing have no distribution.
  if (cost == null || costHistogram == null || cost.max === 0) return NOTHING;
  const chart = renderBars({
    label: `Cost of ${formatThings(cost.count, 'row')}`,
    histogram: costHistogram,
    show: formatSmallDollars,
    thing: 'row',
    max: cost.max,
    marks: listMarks(cost),
  });
  return html`<h3>What a row cost</h3><figure><figcaption>${formatThings(cost.count, 'row')} sent in this run, all attempts of a row together; the most expensive cost ${formatSmallDollars(cost.max)}</figcaption>${chart}</figure>`;
}

function listMarks(spread: Spread) {
  return [
    { name: 'median', value: spread.p50 },
    { name: 'p95', value: spread.p95 },
  ];
}

/** How many tokens a row took, and which rows were the most expensive. */
export function renderTokens({ rowFigures, samples, summary: { tokens } }: ReportFacts): Html {
  if (rowFigures === null) return NOTHING;
  const { inputTokens, outputTokens, cost } = rowFigures;
  const lines = [
    spreadLine('Input', inputTokens, formatCount(tokens.input), (value) => formatCount(Math.round(value))),
    spreadLine('Output', outputTokens, formatCount(tokens.output), (value) => formatCount(Math.round(value))),
    cost === null ? NOTHING : spreadLine('Cost', cost, formatDollars(Math.round(cost.mean * cost.count)), formatSmallDollars),
  ];
  const dearest = samples.filter(({ why }) => why === 'dearest').slice(0, 5);
  const links = dearest.map(
    ({ row, costNanoUsd, inputTokens, outputTokens }) =>
      html`<li><a href="#row-${row}">row ${formatCount(row)}</a>: ${formatSmallDollars(costNanoUsd ?? 0)}, ${formatCount(inputTokens)} in, ${formatCount(outputTokens)} out</li>`,
  );
  return html`<section aria-labelledby="tokens"><h2 id="tokens">Tokens</h2><div class="two wide"><div>${renderFrame('Tokens of a row', html`<table><caption>Per row asked, all its attempts together</caption><thead><tr><th scope="col">&nbsp;</th><th scope="col" class="n">mean</th><th scope="col" class="n">p50</th><th scope="col" class="n">p95</th><th scope="col" class="n">max</th><th scope="col" class="n">total</th></tr></thead><tbody>${lines}</tbody></table>`)}
<p class="small soft">${formatCount(tokens.cachedInput)} of the input tokens (${formatShare(tokens.input === 0 ? 0 : tokens.cachedInput / tokens.input)}) came from the prompt cache${tokens.cacheWrite === undefined ? '' : `, ${formatCount(tokens.cacheWrite)} were written to it`}; ${formatCount(tokens.reasoning)} of the output tokens were reasoning.</p></div>
${links.length === 0 ? NOTHING : html`<div><h3>The most expensive rows</h3><ol>${links}</ol></div>`}</div></section>`;
}

function spreadLine(name: string, spread: Spread, total: string, show: (value: number) => string): Html {
  return html`<tr><th scope="row">${name}</th><td class="n">${show(spread.mean)}</td><td class="n">${show(spread.p50)}</td><td class="n">${show(spread.p95)}</td><td class="n">${show(spread.max)}</td><td class="n">${total}</td></tr>`;
}
