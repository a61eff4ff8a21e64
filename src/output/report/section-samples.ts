import { formatCount, formatSmallDollars, formatThings } from '../format-numbers.ts';
import type { SampleFacts, SampleText } from './facts.ts';
import { formatDuration } from './format-times.ts';
import { clipHtml, type Html, html, joinHtml, NOTHING } from './html.ts';

/** A picked row with what it says; null when its row is no longer in the table. */
export interface SampleRow {
  readonly facts: SampleFacts;
  readonly text: SampleText | null;
}

/** Escaped bytes all rows together may take at most: it keeps the whole page below a megabyte. */
export const SAMPLES_BYTES = 760_000;
/** What the text of one row may take at most. */
const TEXT_BYTES = 9_000;

const GROUPS: readonly { readonly why: SampleFacts['why']; readonly title: string; readonly say: string }[] = [
  { why: 'failed', title: 'Failed and skipped', say: 'in the order of the table' },
  { why: 'dearest', title: 'The dearest', say: 'of the rows asked in this run' },
  { why: 'slowest', title: 'The slowest', say: 'by the time of their call' },
  { why: 'random', title: 'At random', say: 'every answered row had the same chance' },
];

/** A sample of rows: the answer first, prompt and raw answer behind a click. Texts are cut shorter the more there are. */
export function renderSamples(samples: readonly SampleRow[], budgetBytes = SAMPLES_BYTES): Html {
  if (samples.length === 0) return NOTHING;
  for (let textBytes = TEXT_BYTES; ; textBytes = Math.floor(textBytes * 0.7)) {
    const section = renderGroups(samples, textBytes);
    if (Buffer.byteLength(section.html) <= budgetBytes || textBytes < 40) return section;
  }
}

function renderGroups(samples: readonly SampleRow[], textBytes: number): Html {
  const groups = GROUPS.map(({ why, title, say }) => {
    const rows = samples.filter(({ facts }) => facts.why === why);
    if (rows.length === 0) return NOTHING;
    const articles = joinHtml(rows.map((row) => renderRow(row, textBytes)));
    return html`<h3 id="${why}">${title} <span class="soft small">${formatThings(rows.length, 'row')}, ${say}</span></h3>${articles}`;
  });
  return html`<section aria-labelledby="samples"><h2 id="samples">Rows worth a look</h2>${groups}</section>`;
}

function renderRow({ facts, text }: SampleRow, textBytes: number): Html {
  const { row, status, cause, source, callMs, attempts, costNanoUsd } = facts;
  const tone = status === 'ok' ? 'good' : status === 'failed' ? 'bad' : 'warn';
  const figures = [
    source === 'new' || source === null ? null : source,
    attempts > 1 ? `${attempts} attempts` : null,
    attempts > 0 ? `${formatCount(facts.inputTokens)} in, ${formatCount(facts.outputTokens)} out` : null,
    attempts === 0 || costNanoUsd === null ? null : formatSmallDollars(costNanoUsd),
    callMs === null ? null : formatDuration(callMs),
  ].filter((figure) => figure !== null);
  const id = text === null || text.id === String(row) ? NOTHING : html`<span dir="auto">${clipHtml(text.id, 160)}</span>`;
  return html`<article class="row" id="row-${row}"><h4><span>Row ${formatCount(row)}</span>${id}<span class="${tone}">${cause ?? status}</span><span class="soft">${figures.join(' · ')}</span></h4>${text === null ? html`<p class="soft small">The table no longer holds this row.</p>` : renderText(facts, text, textBytes)}</article>
`;
}

function renderText({ file, line }: SampleFacts, { message, answer, prompt, raw }: SampleText, textBytes: number): Html {
  const share = (part: number) => Math.floor(textBytes * part);
  const said = message === null ? NOTHING : html`<p class="plain bad" dir="auto">${clipHtml(message, share(0.1))}</p>`;
  const promptBytes = Math.floor(share(0.35) / Math.max(1, prompt.length));
  const asked = prompt.map(({ role, text }) => html`<p class="role">${role}</p><pre dir="auto">${clipHtml(text, promptBytes)}</pre>`);
  const rawAnswer =
    raw === null ? NOTHING : html`<p class="role">the model’s own words</p><pre dir="auto">${clipHtml(raw, share(0.2))}</pre>`;
  const details =
    prompt.length === 0 && raw === null
      ? NOTHING
      : html`<details><summary>Prompt${raw === null ? '' : ' and raw answer'} · ${file}:${line}</summary>${asked}${rawAnswer}</details>`;
  return html`${said}${answer === null ? NOTHING : renderAnswer(answer, share(0.35))}${details}`;
}

/** An object is shown field by field, anything else as it is. */
function renderAnswer(answer: string, bytes: number): Html {
  const fields = readFields(answer);
  if (fields === null) return html`<p class="plain" dir="auto">${clipHtml(answer, bytes)}</p>`;
  const each = Math.floor(bytes / Math.max(1, fields.length));
  const lines = fields.map(([name, value]) => html`<dt>${clipHtml(name, 80)}</dt><dd dir="auto">${clipHtml(value, each)}</dd>`);
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
