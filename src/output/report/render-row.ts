import { formatCount, formatSmallDollars, formatThings } from '../format-numbers.ts';
import type { SampleFacts, SampleText } from './facts.ts';
import { formatDuration } from './format-times.ts';
import { clipHtml, type Html, html, joinHtml, NOTHING, renderName } from './html.ts';

/** A picked row with its text; null if its row is no longer in the table. */
export interface SampleRow {
  readonly facts: SampleFacts;
  readonly text: SampleText | null;
}

/** Escaped bytes of the message shown in a folded row: two lines. */
const LINE_BYTES = 240;
const ID_BYTES = 160;

/** The first `open` pieces, and the others behind a click. */
export function foldRows(rows: readonly Html[], open: number): Html {
  const folded = rows.slice(open);
  if (folded.length === 0) return joinHtml(rows);
  return html`${rows.slice(0, open)}<details class="more"><summary>${formatThings(folded.length, 'more row')}</summary>${folded}</details>`;
}

/** A failed row: what went wrong in two lines; the full message, prompt and raw answer behind a click. One that was never sent has none to show. */
export function renderFailedRow({ facts, text }: SampleRow, textBytes: number): Html {
  const message = text === null ? 'The table no longer holds this row.' : (text.message ?? '');
  if (text !== null && text.prompt.length === 0 && text.raw === null)
    return html`<p class="row brief" id="row-${facts.row}"><b>Row ${formatCount(facts.row)}</b> ${showId(facts, text)} <span class="bad" dir="auto">${clipHtml(message, LINE_BYTES)}</span> <span class="small soft">${facts.file}:${facts.line}</span></p>
`;
  const more =
    text === null
      ? NOTHING
      : html`<p class="small soft">${[`${facts.file}:${facts.line}`, listFigures(facts)].filter((part) => part !== '').join(' · ')}</p><p class="plain bad" dir="auto">${clipHtml(message, Math.floor(textBytes * 0.1))}</p>${renderAsked(text, textBytes)}`;
  return html`<details class="row" id="row-${facts.row}"><summary><b>Row ${formatCount(facts.row)}</b> ${showId(facts, text)} <span class="bad" dir="auto">${clipHtml(message, LINE_BYTES)}</span></summary>${more}</details>
`;
}

/** An answered row: the answer first, prompt and raw answer behind a click. */
export function renderAnsweredRow({ facts, text }: SampleRow, textBytes: number): Html {
  const head = html`<h4><span>Row ${formatCount(facts.row)}</span>${showId(facts, text)}<span class="soft">${listFigures(facts)}</span></h4>`;
  const body =
    text === null
      ? html`<p class="soft small">The table no longer holds this row.</p>`
      : html`${text.answer === null ? NOTHING : renderAnswer(text.answer, Math.floor(textBytes * 0.35))}<details><summary>Prompt${text.raw === null ? '' : ' and raw answer'} · ${facts.file}:${facts.line}</summary>${renderAsked(text, textBytes)}</details>`;
  return html`<article class="row" id="row-${facts.row}">${head}${body}</article>
`;
}

function showId({ row }: SampleFacts, text: SampleText | null): Html {
  return text === null || text.id === String(row) ? NOTHING : html`<span dir="auto">${clipHtml(text.id, ID_BYTES)}</span>`;
}

function listFigures({ source, attempts, inputTokens, outputTokens, costNanoUsd, callMs }: SampleFacts): string {
  return [
    source === 'new' || source === null ? null : source,
    attempts > 1 ? `${attempts} attempts` : null,
    attempts > 0 ? `${formatCount(inputTokens)} in, ${formatCount(outputTokens)} out` : null,
    attempts === 0 || costNanoUsd === null ? null : formatSmallDollars(costNanoUsd),
    callMs === null ? null : formatDuration(callMs),
  ]
    .filter((figure) => figure !== null)
    .join(' · ');
}

/** The prompt, and the raw answer. */
function renderAsked({ prompt, raw }: SampleText, textBytes: number): Html {
  const promptBytes = Math.floor((textBytes * 0.35) / Math.max(1, prompt.length));
  const asked = prompt.map(({ role, text }) => html`<p class="role">${role}</p><pre dir="auto">${clipHtml(text, promptBytes)}</pre>`);
  if (raw === null) return joinHtml(asked);
  return html`${asked}<p class="role">the model’s own words</p><pre dir="auto">${clipHtml(raw, Math.floor(textBytes * 0.2))}</pre>`;
}

/** An object is shown field by field, anything else as it is. */
function renderAnswer(answer: string, bytes: number): Html {
  const fields = readFields(answer);
  if (fields === null) return html`<p class="plain" dir="auto">${clipHtml(answer, bytes)}</p>`;
  const each = Math.floor(bytes / Math.max(1, fields.length));
  const lines = fields.map(([name, value]) => html`<dt>${renderName(name, 80)}</dt><dd dir="auto">${clipHtml(value, each)}</dd>`);
  return html`<dl class="answer">${lines}</dl>`;
}

const MAX_FIELDS = 30;

function readFields(answer: string): readonly (readonly [string, string])[] | null {
  let value: unknown;
  try {
    value = JSON.parse(answer);
  } catch {
    return null;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
  return Object.entries(value)
    .slice(0, MAX_FIELDS)
    .map(([name, field]) => [name, typeof field === 'string' ? field : JSON.stringify(field)]);
}
