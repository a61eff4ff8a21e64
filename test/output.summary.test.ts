import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import fc from 'fast-check';
import type { FinishedRow } from '../src/core/finished-row.ts';
import type { Disposition } from '../src/core/row.ts';
import { NO_USAGE } from '../src/core/usage.ts';
import { escapeForTerminal, escapeLineForTerminal } from '../src/output/escape-for-terminal.ts';
import { formatCount, formatDollars } from '../src/output/format-numbers.ts';
import { makeSummary, type SummaryFacts } from '../src/output/make-summary.ts';
import { renderSummary } from '../src/output/render-summary.ts';
import { createSummaryCounter } from '../src/output/summary-counter.ts';
import { decideVerdict } from '../src/output/verdict.ts';

const FACTS: SummaryFacts = {
  job: 'review-sentiment',
  run: '20261121-1200-a1',
  simulated: true,
  model: 'gpt-4o-mini',
  rows: { in: 200, ok: 197, failed: 3, skipped: 0, pending: 0, new: 190, reused: 0, duplicate: 7 },
  causes: { truncated: 1, invalid: 2 },
  attempts: { batch: 199, live: 0, unknown: 0 },
  tokens: { input: 24_110, cachedInput: 0, output: 6021, reasoning: 0 },
  cost: {
    rowsNanoUsd: 3_614_550,
    orphanedNanoUsd: 450,
    failedRowsNanoUsd: 110_250,
    batchSavedNanoUsd: 3_614_550,
    reuseSavedNanoUsd: 0,
    possiblyBilledNanoUsd: 0,
    unpricedAttempts: 0,
    estimateNanoUsd: 3_700_000,
    pricesAsOf: '2026-11-21',
  },
  ledger: { attempts: 199, nanoUsd: 3_615_000 },
  batches: [{ id: 'batch_1', status: 'completed', requests: 193 }],
  anomalies: { 'foreign line': 2 },
  outputs: { table: 'out/reviews.csv', failures: 'out/reviews.failures.csv', report: null },
  next: 'rowmill failures jobs/review-sentiment.yaml',
  failIf: { failedRows: { type: 'count', over: 0 }, skippedRows: { type: 'count', over: 0 } },
  stop: null,
};

test('the totals, the verdict and the exit code follow from the facts', () => {
  const summary = makeSummary(FACTS);
  assert.equal(summary.schema, 'rowmill.summary/1');
  assert.deepEqual(summary.attempts, { total: 199, batch: 199, live: 0, unknown: 0 });
  assert.deepEqual([summary.cost.nanoUsd, summary.cost.usd], [3_615_000, '0.003615000']);
  assert.deepEqual([summary.verdict, summary.exitCode], ['failed rows', 3]);
  assert.ok(!('failIf' in summary) && !('stop' in summary));
});

test('rows that do not add up are a bug, not a summary', () => {
  assert.throws(() => makeSummary({ ...FACTS, rows: { ...FACTS.rows, failed: 2 } }), /rows do not add up/);
  assert.throws(() => makeSummary({ ...FACTS, rows: { ...FACTS.rows, new: 191 } }), /answers do not add up/);
});

test('a verdict depends on the stop, then on pending rows, then on fail_if', () => {
  const rows = { in: 100, ok: 98, failed: 1, skipped: 1, pending: 0, new: 98, reused: 0, duplicate: 0 };
  const strict = { failedRows: { type: 'count', over: 0 }, skippedRows: { type: 'count', over: 0 } } as const;
  const share = { failedRows: { type: 'share', over: 0.01 }, skippedRows: { type: 'share', over: 0.01 } } as const;
  const code = (...parameters: Parameters<typeof decideVerdict>) => decideVerdict(...parameters).exitCode;
  assert.equal(code(rows, strict, null), 3);
  assert.equal(decideVerdict(rows, strict, null).verdict, 'failed and skipped rows');
  assert.equal(decideVerdict(rows, { ...strict, failedRows: { type: 'count', over: 1 } }, null).verdict, 'skipped rows');
  assert.equal(code(rows, share, null), 0);
  assert.equal(code({ ...rows, failed: 2, ok: 97 }, share, null), 3);
  assert.equal(code({ ...rows, pending: 1 }, share, null), 7);
  assert.deepEqual(decideVerdict(rows, strict, { exitCode: 5, why: 'budget reached' }), { verdict: 'budget reached', exitCode: 5 });
  const none = { in: 0, ok: 0, failed: 0, skipped: 0, pending: 0, new: 0, reused: 0, duplicate: 0 };
  assert.equal(code(none, share, null), 0);
});

test('counting finished rows gives a summary that adds up, whatever they are', () => {
  const disposition = fc.constantFrom<Disposition>(
    { status: 'ok', source: 'new' },
    { status: 'ok', source: 'reused' },
    { status: 'ok', source: 'duplicate' },
    { status: 'failed', cause: 'invalid', message: '' },
    { status: 'skipped', cause: 'empty', message: '' },
    { status: 'pending' },
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(disposition, fc.option(fc.nat(1000)))), (ends) => {
      const counter = createSummaryCounter((row) => ({ batchNanoUsd: row.costNanoUsd ?? 0, reuseNanoUsd: 1 }));
      for (const [disposition, costNanoUsd] of ends) counter.add(finished(disposition, costNanoUsd));
      const totals = counter.read();
      makeSummary({ ...FACTS, rows: totals.rows, causes: totals.causes });
      const costs = ends.map(([, cost]) => cost ?? 0).reduce((a, b) => a + b, 0);
      const failed = ends.filter(([end]) => end.status === 'failed');
      assert.deepEqual([totals.rowsNanoUsd, totals.batchSavedNanoUsd, totals.reuseSavedNanoUsd], [costs, costs, ends.length]);
      assert.equal(
        totals.failedRowsNanoUsd,
        failed.map(([, cost]) => cost ?? 0).reduce((a, b) => a + b, 0),
      );
      assert.equal(totals.unpricedRows, ends.filter(([, cost]) => cost === null).length);
      assert.deepEqual(totals.causes.invalid ?? 0, failed.length);
      assert.equal(totals.usage.inputTokens, ends.length * 10);
    }),
  );
});

test('the requests of a run are those it has made and those still to make: equal rows share one, rows that failed before have none', () => {
  const counter = createSummaryCounter(() => ({ batchNanoUsd: 0, reuseNanoUsd: 0 }));
  const pending = finished({ status: 'pending' }, 0);
  const failed = finished({ status: 'failed', cause: 'invalid', message: '' }, 0);
  const unsent = { ...pending, isUnsent: true };
  const shared = { isDuplicate: true, attempts: 0 };
  const ok = (['new', 'reused', 'duplicate'] as const).map((source) => finished({ status: 'ok', source }, 0));
  for (const row of [...ok, pending, { ...pending, ...shared }, unsent, { ...unsent, ...shared }]) counter.add(row);
  for (const row of [failed, { ...failed, ...shared }, { ...failed, attempts: 0 }]) counter.add(row);
  const { requests, unsent: left } = counter.read();
  assert.deepEqual([requests, left], [4, { rows: 2, requests: 1 }]);
});

function finished(disposition: Disposition, costNanoUsd: number | null): FinishedRow {
  const row = { index: 0, file: 'in.csv', line: 2, cells: [], record: null, key: null };
  const usage = { usage: { ...NO_USAGE, inputTokens: 10 }, answerUsage: NO_USAGE };
  return { row, disposition, answer: 'x', attempts: 1, model: 'm', ...usage, costNanoUsd, requestId: null, key: null };
}

test('the report shows the verdict, the run, the cost and what to type next', () => {
  assert.equal(
    renderSummary(makeSummary(FACTS), { colour: false, full: false }),
    `review-sentiment  gpt-4o-mini  run 20261121-1200-a1  simulated: no real model answered, nothing was billed
failed rows (exit 3)
rows in   200 = 197 ok + 3 failed + 0 skipped + 0 pending
ok        197 = 190 new + 0 reused + 7 duplicate
causes    2 invalid, 1 truncated
attempts  199 = 199 batch + 0 live, 0 without an answer
tokens    24,110 in (0 cached), 6,021 out (0 reasoning)
spent     $0.003615, estimated $0.0037, on failed rows $0.00011
saved     $0.003615 by the batch price
orphaned  $0.00000045 for calls whose answer no row uses, such as those of earlier prompts or rows that are gone
table     out/reviews.csv
failures  out/reviews.failures.csv
next      rowmill failures jobs/review-sentiment.yaml`,
  );
});

test('a report with everything in it has at most 20 lines, and more only on request', () => {
  const cost = { ...FACTS.cost, reuseSavedNanoUsd: 5e9, possiblyBilledNanoUsd: 7e6, unpricedAttempts: 4 };
  const batches = Array.from({ length: 40 }, (_, index) => ({ id: `batch_${index}`, status: 'completed', requests: 50_000 }));
  const summary = makeSummary({ ...FACTS, cost, batches, outputs: { ...FACTS.outputs, report: 'out/r.html' } });
  const short = renderSummary(summary, { colour: false, full: false });
  assert.ok(short.split('\n').length <= 20);
  assert.match(short, /spent {5}\$0\.003615 \+ 4 attempts of unknown price/);
  assert.match(short, /maybe {5}up to \$0\.007 more/);
  const full = renderSummary(summary, { colour: false, full: true });
  assert.match(full, /batch {5}batch_39 {2}completed {2}50,000 requests\n/);
  assert.match(full, /anomaly {3}2 foreign line\n/);
  assert.match(full, /prices {4}as of 2026-11-21\n/);
});

test('spending without any known price is unknown, not zero', () => {
  const cost = { ...FACTS.cost, rowsNanoUsd: 0, orphanedNanoUsd: 0, unpricedAttempts: 199 };
  assert.match(
    renderSummary(makeSummary({ ...FACTS, cost }), { colour: false, full: false }),
    /spent {5}unknown, 199 attempts of unknown price/,
  );
});

test('reasoning that made a run more expensive than any estimate is explained, and so is which rows saved money', () => {
  const show = (estimateNanoUsd: number, reasoning: number, rows = FACTS.rows) => {
    const cost = { ...FACTS.cost, estimateNanoUsd, reuseSavedNanoUsd: 1_000_000 };
    return renderSummary(makeSummary({ ...FACTS, rows, cost, tokens: { ...FACTS.tokens, reasoning } }), { colour: false, full: false });
  };
  assert.match(show(1_500_000, 5_000), /\n {10}more than estimated: most of the output is reasoning/);
  for (const other of [show(3_700_000, 5_000), show(1_500_000, 100)]) assert.ok(!other.includes('more than estimated'));
  assert.match(show(1, 0), /by duplicate rows\n/);
  assert.match(show(1, 0, { ...FACTS.rows, new: 100, reused: 90 }), /by reused and duplicate rows\n/);
});

test('colour appears only on request, and removes nothing', () => {
  const summary = makeSummary({ ...FACTS, simulated: false });
  const plain = renderSummary(summary, { colour: false, full: true });
  const coloured = renderSummary(summary, { colour: true, full: true });
  assert.ok(!plain.includes('\u001b') && coloured.includes('\u001b['));
  assert.equal(stripVTControlCharacters(coloured), plain);
  assert.ok(!plain.includes('simulated'));
});

test('no text from a table or a provider can control the terminal', () => {
  const hostile = '\u001b]52;c;x\u0007 \u009b2J \u202egnp.exe \u2066 a\rb \u007f\u061c\u200f\u2028';
  assert.equal(
    escapeForTerminal(hostile),
    '\\u{1b}]52;c;x\\u{7} \\u{9b}2J \\u{202e}gnp.exe \\u{2066} a\\u{d}b \\u{7f}\\u{61c}\\u{200f}\\u{2028}',
  );
  assert.equal(escapeForTerminal('Zeile\n\tzwei, 日本語 🙂'), 'Zeile\n\tzwei, 日本語 🙂');
  assert.equal(escapeLineForTerminal('a\nb\tc'), 'a\\u{a}b\\u{9}c');
  const report = renderSummary(makeSummary({ ...FACTS, outputs: { ...FACTS.outputs, table: `${hostile}\nfake` } }), {
    colour: false,
    full: true,
  });
  for (const dangerous of ['\u001b', '\u0007', '\u202e', '\r', '\nfake']) assert.ok(!report.includes(dangerous));
});

test('amounts are short and never look like zero', () => {
  const cases: readonly (readonly [number, string])[] = [
    [0, '$0'],
    [1, '$0.000000001'],
    [18_000, '$0.000018'],
    [412_345_678, '$0.4123'],
    [600_000_000, '$0.60'],
    [5_900_000_000, '$5.90'],
    [1_234_567_890_000, '$1,234.57'],
    [999_999_999, '$1.00'],
  ];
  for (const [nanoUsd, text] of cases) assert.equal(formatDollars(nanoUsd), text);
  assert.deepEqual([0, 999, 1000, 41_220, 1_000_000].map(formatCount), ['0', '999', '1,000', '41,220', '1,000,000']);
});
