import { createHash } from 'node:crypto';
import type { RunComparison } from '../../core/quality.ts';
import { describeEmptyRows } from '../verdict.ts';
import type { QualityFacts, ReportFacts } from './facts.ts';
import { type Html, html, NOTHING } from './html.ts';
import type { SampleRow } from './render-row.ts';
import { renderAnswers } from './section-answers.ts';
import { renderComparison } from './section-comparison.ts';
import { renderFailures, renderWarnings } from './section-failures.ts';
import { renderMoney, renderTokens } from './section-money.ts';
import { renderQuality } from './section-quality.ts';
import { renderProvenance, renderRuns } from './section-runs.ts';
import { renderSamples } from './section-samples.ts';
import { renderTime } from './section-time.ts';
import { renderIdentity, renderTiles, renderTop } from './section-top.ts';
import { renderVerdict } from './section-verdict.ts';
import { STYLE } from './style.ts';

/** What a page shows beyond what its run stored; null is not shown. */
export interface ReportExtras {
  /** The answers compared with gold labels. */
  readonly quality?: QualityFacts | null;
  /** The run, as B, compared with another one. */
  readonly comparison?: RunComparison | null;
}

/**
 * The report as one self-contained HTML file: no script, no request; its policy forbids both. It stays below a megabyte whatever
 * the table's size, and its bytes depend only on its input.
 */
export function renderReport(
  facts: ReportFacts,
  samples: readonly SampleRow[],
  { quality = null, comparison = null }: ReportExtras = {},
): string {
  const identity = renderIdentity(facts);
  const others = [
    renderMoney(facts),
    renderTokens(facts),
    renderAnswers(facts),
    renderQuality(quality),
    renderComparison(comparison),
    renderTime(facts),
    renderRuns(facts),
  ];
  const warnings = renderWarnings(facts);
  const provenanceSection = renderProvenance(facts);
  const takenBytes = countBytes([identity, warnings, ...others, provenanceSection]);
  const rows = renderRows(facts, samples, Math.min(ROWS_BYTES, SECTIONS_BYTES - takenBytes));
  const sections = [identity, warnings, rows.failures, ...others, rows.samples, provenanceSection].filter(({ html }) => html !== '');
  const { summary, provenance } = facts;
  return `${
    html`<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<meta name="viewport" content="width=device-width,initial-scale=1"><meta name="color-scheme" content="light dark"><meta name="referrer" content="no-referrer"><meta name="robots" content="noindex">
<title>${summary.job}: ${describeEmptyRows(summary)?.verdict ?? summary.verdict}</title>
<style>${STYLE_HTML}</style></head>
<body><a class="skip" href="#main">To the report</a>
<header class="top" id="top">${renderTop(facts)}${renderVerdict(facts, quality, comparison)}</header>
${renderContents(sections)}
<main id="main">${renderTiles(facts)}${sections}</main>
<footer>Made by rowmill ${provenance.rowmill}. This page loads nothing from the network and runs no script. <a href="#top">Back to the top</a></footer>
</body></html>`.html
  }\n`;
}

/** The budget of all sections together; the texts of rows get what the others leave. Style and heading take some sixteen thousand more. */
const SECTIONS_BYTES = 960_000;
/** The only HTML not built from values: the style sheet is ours. */
const STYLE_HTML: Html = { html: STYLE };
const POLICY = `default-src 'none'; style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'; base-uri 'none'; form-action 'none'`;

/** Escaped bytes of all rows together: keeps the whole page below a megabyte. */
const ROWS_BYTES = 760_000;
/** The maximum for the text of one row. */
const TEXT_BYTES = 9_000;

/** The rows of the page. The more there are, the shorter their texts are cut. */
function renderRows(facts: ReportFacts, samples: readonly SampleRow[], budgetBytes: number) {
  for (let textBytes = TEXT_BYTES; ; textBytes = Math.floor(textBytes * 0.7)) {
    const rows = { failures: renderFailures(facts, samples, textBytes), samples: renderSamples(samples, textBytes) };
    if (countBytes([rows.failures, rows.samples]) <= budgetBytes || textBytes < 40) return rows;
  }
}

function countBytes(pieces: readonly Html[]): number {
  return pieces.reduce((sum, { html }) => sum + Buffer.byteLength(html), 0);
}

/** A bar that stays in sight: a link to the top, and links to the existing sections, read from their headings. */
function renderContents(sections: readonly Html[]): Html {
  const headings = sections.flatMap(({ html }) => {
    const found = /<h2 id="([a-z]+)">([^<]+)<\/h2>/.exec(html);
    return found === null ? [] : [{ id: found[1] as string, title: found[2] as string }];
  });
  if (headings.length === 0) return NOTHING;
  return html`<nav aria-label="Contents"><ul><li><a href="#top">Top</a></li>${headings.map(({ id, title }) => html`<li><a href="#${id}">${{ html: title }}</a></li>`)}</ul></nav>`;
}
