import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Summary } from '../src/core/summary.ts';
import type { SampleRow } from '../src/output/report/render-row.ts';
import { renderFailures } from '../src/output/report/section-failures.ts';
import { renderTop } from '../src/output/report/section-top.ts';
import { renderVerdict } from '../src/output/report/section-verdict.ts';
import { makeFacts } from './helpers/report-facts.ts';

const readText = ({ html }: { readonly html: string }) => html.replaceAll(/<[^>]+>/g, ' ').replaceAll(/\s+/g, ' ');

/** A page of 120 rows, of which some were never sent. */
function makePage(rows: Partial<Summary['rows']>, causes: Summary['causes'], change: Partial<Summary> = {}) {
  const facts = makeFacts();
  const counts = { in: 120, ok: 118, failed: 0, skipped: 2, pending: 0, new: 118, reused: 0, duplicate: 0, ...rows };
  const summary: Summary = {
    ...facts.summary,
    verdict: 'skipped rows',
    exitCode: 3,
    next: 'rowmill failures t.yaml',
    rows: counts,
    causes,
    ...change,
  };
  const listed = Object.entries(causes).map(([cause, count]) => {
    const isFailed = cause === 'refused';
    const status: 'failed' | 'skipped' = isFailed ? 'failed' : 'skipped';
    return { cause, status, rows: count, retry: isFailed ? 'rowmill retry t.yaml --cause refused' : null };
  });
  return { ...facts, summary, causes: listed };
}

test('a page whose only rows without an answer are empty says that it worked, and that they were never sent', () => {
  const page = makePage({}, { empty: 2 }, { next: null });
  const verdict = readText(renderVerdict(page, null));
  assert.match(verdict, /Did it work\? Yes 118 of 120 rows answered, 98 %; 2 empty, never sent \( why \)/);
  assert.match(verdict, /What next\? Nothing to do .*skipped_rows: &quot;&gt; 2%&quot;/);
  assert.match(renderTop(page).html, /<span class="badge good">done, 2 empty<\/span>/);
  assert.match(renderTop(makePage({}, { empty: 2 }, { verdict: 'done', exitCode: 0 })).html, /<span class="badge good">done<\/span>/);
  const failures = readText(renderFailures(page, [], 1_000));
  assert.match(failures, /^ Rows that were not sent The first 10 rows of each cause; they were never sent, and cost nothing\./);
  assert.doesNotMatch(failures, /click/);
});

test('empty rows are distinguished from other rows without an answer', () => {
  const failed = makePage({ ok: 112, failed: 6 }, { refused: 6, empty: 2 }, { verdict: 'failed rows' });
  assert.match(readText(renderVerdict(failed, null)), /In part 112 of 120 rows answered, 93 %; 6 failed; 2 empty, never sent/);
  assert.match(renderTop(failed).html, />failed rows</);
  assert.match(readText(renderFailures(failed, [], 1_000)), /^ Failures .*click a failed one for its prompt/);
  const large = makePage({}, { too_large: 1, empty: 1 });
  const verdict = readText(renderVerdict(large, null));
  assert.match(verdict, /In part .*; 1 skipped; 1 empty, never sent.*See what was skipped rowmill failures t\.yaml/);
  const none = makePage({ ok: 0, new: 0, skipped: 120 }, { empty: 120 });
  assert.match(readText(renderVerdict(none, null)), /Did it work\? No 0 of 120/);
});

test('a row that was never sent has nothing to click', () => {
  const page = makePage({}, { empty: 2 });
  const [facts] = page.samples.filter(({ why }) => why === 'failed');
  assert.ok(facts);
  const text = { id: '5', answer: null, message: 'every templated cell is empty', prompt: [], raw: null };
  const sample = { facts: { ...facts, cause: 'empty' }, text } as SampleRow;
  const { html } = renderFailures(page, [sample], 1_000);
  assert.match(html, /<p class="row brief"[^>]*>.*every templated cell is empty/);
  assert.doesNotMatch(html, /<details/);
});
