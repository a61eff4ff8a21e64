import { formatCount, formatThings } from '../format-numbers.ts';
import { renderBars, renderSegments, renderSeries, swatch } from './charts.ts';
import type { BatchTimeline, CallFigures, Phase, ReportFacts, Spread, Tempo, TempoStep } from './facts.ts';
import { formatDuration, formatInstant, formatTimeOfDay } from './format-times.ts';
import { renderFrame } from './frame.ts';
import { type Html, html, joinHtml, NOTHING } from './html.ts';

/** How long things took: calls, batches, and the answers over time. */
export function renderTime(facts: ReportFacts): Html {
  const parts = joinHtml([
    facts.calls === null ? NOTHING : renderCalls(facts.calls),
    renderBatches(facts.batches),
    facts.tempo === null ? NOTHING : renderTempo(facts.tempo),
  ]);
  return parts.html === '' ? NOTHING : html`<section aria-labelledby="time"><h2 id="time">Time</h2>${parts}</section>`;
}

function renderCalls({ call, wait, callHistogram }: CallFigures): Html {
  const chart = renderBars({
    label: `How long ${formatThings(call.count, 'call')} took`,
    histogram: callHistogram,
    show: formatDuration,
    thing: 'call',
    max: call.max,
    marks: [
      { name: 'median', value: call.p50 },
      { name: 'p95', value: call.p95 },
    ],
  });
  return html`<div class="two"><div><h3>How long a call took</h3><figure><figcaption>${formatThings(call.count, 'call')}; the slowest took ${formatDuration(call.max)}</figcaption>${chart}</figure></div>
<div><h3>Latency</h3>${renderFrame('Latency', html`<table><thead><tr><th scope="col">&nbsp;</th><th scope="col" class="n">p50</th><th scope="col" class="n">p95</th><th scope="col" class="n">p99</th><th scope="col" class="n">max</th></tr></thead><tbody>${spreadLine('call', call)}${spreadLine('wait before it', wait)}</tbody></table>`)}<p class="small soft">A call waits for a free place and for the account’s limits; the wait costs nothing.</p></div></div>`;
}

function spreadLine(name: string, spread: Spread): Html {
  return html`<tr><th scope="row">${name}</th><td class="n">${formatDuration(spread.p50)}</td><td class="n">${formatDuration(spread.p95)}</td><td class="n">${formatDuration(spread.p99)}</td><td class="n">${formatDuration(spread.max)}</td></tr>`;
}

const PHASE_FILLS: Readonly<Record<Phase['name'], string>> = {
  upload: 'f-second',
  validating: 'f-third',
  'in progress': 'f-main',
  finalizing: 'f-skip',
  collecting: 'f-ok',
};
const MAX_BATCHES = 40;

function renderBatches(batches: readonly BatchTimeline[]): Html {
  const phases = batches.flatMap((batch) => batch.phases);
  if (phases.length === 0) return NOTHING;
  const from = Math.min(...phases.map(({ fromAt }) => Date.parse(fromAt)));
  const to = Math.max(from + 1, ...phases.map(({ toAt }) => Date.parse(toAt)));
  const place = (at: string) => (Date.parse(at) - from) / (to - from);
  const lines = batches.slice(0, MAX_BATCHES).map(({ id, requests, status, phases }) => {
    const words = phases.map(({ name, fromAt, toAt }) => `${name} ${formatDuration(Date.parse(toAt) - Date.parse(fromAt))}`);
    const segments = phases.map(({ name, fromAt, toAt }, index) => ({
      name: words[index] as string,
      from: place(fromAt),
      to: place(toAt),
      fill: PHASE_FILLS[name],
    }));
    const lasted = phases.length === 0 ? 0 : Date.parse((phases.at(-1) as Phase).toAt) - Date.parse((phases[0] as Phase).fromAt);
    return html`<div><span class="mono">${id}</span><br><span class="soft small">${formatThings(requests, 'request')}, ${status}</span></div><div class="line">${renderSegments(`${id}: ${words.join(', ')}`, segments)}</div><div class="n">${formatDuration(lasted)}</div>`;
  });
  const more = batches.length - lines.length;
  const key = Object.entries(PHASE_FILLS).map(([name, fill]) => html`<li>${swatch(fill)}${name}</li>`);
  return html`<h3>The way of each batch</h3><div class="lines">${lines}</div><div class="axis"><span>${formatInstant(new Date(from).toISOString())}</span><span>${formatInstant(new Date(to).toISOString())}</span></div><ul class="key">${key}</ul>${more > 0 ? html`<p class="small soft">${formatCount(more)} more batches are not shown.</p>` : NOTHING}`;
}

/** The account's limits are per minute: the period over which a rate is averaged. */
const RATE_WINDOW_MS = 60_000;
/** A shorter run has no meaningful rate per minute. */
const MIN_TEMPO_MS = 2 * RATE_WINDOW_MS;

function renderTempo({ fromAt, stepMs, steps, lane, requestsPerMinute, tokensPerMinute }: Tempo): Html {
  // The answers of a batch arrive all at once, when it is collected.
  if (lane === 'batch' || steps.length * stepMs <= MIN_TEMPO_MS) return NOTHING;
  const startMs = Date.parse(fromAt);
  const marked = steps.flatMap(({ rateLimited }, place) => (rateLimited > 0 ? [place] : []));
  const chart = (what: string, amounts: readonly number[], limit: number | null, fill: string) => {
    if (amounts.every((amount) => amount === 0)) return NOTHING;
    const rates = makeRates(amounts, stepMs);
    const words = `${what} per minute: at most ${formatCount(Math.round(Math.max(...rates)))}${limit === null ? '' : `, the limit is ${formatCount(limit)}`}`;
    const nameOf = (place: number) => {
      const refused = steps[place]?.rateLimited ?? 0;
      const rate = `${formatTimeOfDay(startMs + place * stepMs)}: ${formatCount(Math.round(rates[place] ?? 0))} ${what} per minute`;
      return refused === 0 ? rate : `${rate}, ${formatThings(refused, 'call')} refused as too fast (429)`;
    };
    const ends = [startMs, startMs + steps.length * stepMs].map(formatTimeOfDay);
    return html`<div><figure><figcaption>${words}</figcaption>${renderSeries({ label: words, values: rates, fill, limit, marked, nameOf })}<div class="axis"><span>${ends[0] ?? ''}</span><span>${ends[1] ?? ''} UTC</span></div></figure></div>`;
  };
  const answers = steps.map((step) => step.answers);
  const tokens = steps.map((step) => step.tokens);
  return html`<h3>Throughput</h3><div class="two">${chart('answers', answers, requestsPerMinute, 'f-main')}${chart('tokens', tokens, tokensPerMinute, 'f-third')}</div>
<p class="small soft">In steps of ${formatDuration(stepMs)}, each the mean of the minute before it; bars start at 0. ${describeRefused(steps, requestsPerMinute !== null || tokensPerMinute !== null)}</p>`;
}

/** What happened per minute, over the last minute, or since the start if that is shorter. */
function makeRates(amounts: readonly number[], stepMs: number): readonly number[] {
  const window = Math.max(1, Math.round(RATE_WINDOW_MS / stepMs));
  return amounts.map((_, place) => {
    const part = amounts.slice(Math.max(0, place + 1 - window), place + 1);
    return (part.reduce((sum, amount) => sum + amount, 0) / (part.length * stepMs)) * RATE_WINDOW_MS;
  });
}

function describeRefused(steps: readonly TempoStep[], hasLimits: boolean): string {
  const refused = steps.reduce((sum, { rateLimited }) => sum + rateLimited, 0);
  const said =
    refused === 0
      ? 'No call was refused as too fast.'
      : `${formatThings(refused, 'call')} refused as too fast (429), marked red at the foot; they cost nothing and were made again.`;
  return hasLimits ? `The dashed line is the account’s limit, where it is near. ${said}` : said;
}
