import { createHash } from 'node:crypto';
import type { RunComparison } from '../../core/quality.ts';
import type { QualityFacts, ReportFacts } from './facts.ts';
import { type Html, html, NOTHING } from './html.ts';
import { renderAnswers } from './section-answers.ts';
import { renderComparison } from './section-comparison.ts';
import { renderFailures, renderWarnings } from './section-failures.ts';
import { renderMoney, renderTokens } from './section-money.ts';
import { renderQuality } from './section-quality.ts';
import { renderProvenance, renderRuns } from './section-runs.ts';
import { renderSamples, SAMPLES_BYTES, type SampleRow } from './section-samples.ts';
import { renderTime } from './section-time.ts';
import { renderIdentity, renderTiles, renderTop } from './section-top.ts';
import { STYLE } from './style.ts';

/** What a page shows beyond what its run kept; null is not shown. */
export interface ReportExtras {
  /** The answers against the right ones. */
  readonly quality?: QualityFacts | null;
  /** The run, as B, against another one. */
  readonly comparison?: RunComparison | null;
}

/**
 * The report as one HTML file that needs nothing else: no script, no request; its policy forbids both. It stays below a megabyte whatever
 * the table's size, and its bytes follow from what it is given alone.
 */
export function renderReport(
  facts: ReportFacts,
  samples: readonly SampleRow[],
  { quality = null, comparison = null }: ReportExtras = {},
): string {
  const provenanceSection = renderProvenance(facts);
  const others = [
    renderIdentity(facts),
    renderWarnings(facts),
    renderFailures(facts, samples),
    renderMoney(facts),
    renderTokens(facts),
    renderAnswers(facts),
    renderQuality(quality),
    renderComparison(comparison),
    renderTime(facts),
    renderRuns(facts),
  ];
  const takenBytes = [...others, provenanceSection].reduce((sum, { html }) => sum + Buffer.byteLength(html), 0);
  const samplesSection = renderSamples(samples, Math.min(SAMPLES_BYTES, SECTIONS_BYTES - takenBytes));
  const sections = [...others, samplesSection, provenanceSection].filter(({ html }) => html !== '');
  const { summary, provenance } = facts;
  return `${
    html`<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<meta name="viewport" content="width=device-width,initial-scale=1"><meta name="color-scheme" content="light dark"><meta name="referrer" content="no-referrer"><meta name="robots" content="noindex">
<title>${summary.job}: ${summary.verdict}</title>
<style>${STYLE_HTML}</style></head>
<body><a class="skip" href="#main">To the report</a>
<header class="top">${renderTop(facts)}${renderContents(sections)}</header>
<main id="main">${renderTiles(facts)}${sections}</main>
<footer>Made by rowmill ${provenance.rowmill}. This page asks nothing of the network and runs no script.</footer>
</body></html>`.html
  }\n`;
}

/** What all sections may take together; the texts of rows get what the others leave. Style and heading take some twelve thousand more. */
const SECTIONS_BYTES = 960_000;
/** The one piece of HTML that is not made of values: the style sheet is ours. */
const STYLE_HTML: Html = { html: STYLE };
const POLICY = `default-src 'none'; style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'; base-uri 'none'; form-action 'none'`;

/** Links to the sections there are, read from their headings. */
function renderContents(sections: readonly Html[]): Html {
  const headings = sections.flatMap(({ html }) => {
    const found = /<h2 id="([a-z]+)">([^<]+)<\/h2>/.exec(html);
    return found === null ? [] : [{ id: found[1] as string, title: found[2] as string }];
  });
  if (headings.length === 0) return NOTHING;
  return html`<nav aria-label="Contents"><ul>${headings.map(({ id, title }) => html`<li><a href="#${id}">${{ html: title }}</a></li>`)}</ul></nav>`;
}
