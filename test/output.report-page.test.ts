import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import type { ChangedRow, RunComparison } from '../src/core/quality.ts';
import type { QualityFacts, ReportFacts } from '../src/output/report/facts.ts';
import { clipHtml, escapeHtml, html } from '../src/output/report/html.ts';
import { renderFigures } from '../src/output/report/render-figures.ts';
import { renderReport } from '../src/output/report/render-report.ts';
import { HOSTILE, makeComparison, makeFacts, makeSample, makeText, replaceTexts } from './helpers/report-facts.ts';
import { wideTest } from './helpers/wide.ts';

const QUALITY: QualityFacts = {
  field: 'label',
  gold: { name: 'expected' },
  rows: { evaluated: 100, answered: 98, correct: 91 },
  accuracy: 0.91,
  macroF1: 0.887,
  intervals: { accuracy: { low: 0.84, high: 0.95 } },
  perClass: {
    billing: { support: 60, precision: 0.93, recall: 0.95, f1: 0.94 },
    bug: { support: 40, precision: null, recall: 0.8, f1: 0.834 },
  },
  confusion: { billing: { billing: 57, bug: 3 }, bug: { bug: 32, 'something else': 6 } },
  wrong: [
    { row: 12, id: 't12', gold: 'billing', answer: 'bug', text: 'I was charged twice' },
    { row: null, id: null, gold: 'bug', answer: 'refused: I will not', text: '' },
  ],
};

const EXTRAS = { quality: QUALITY, comparison: makeComparison() };

const withTexts = (facts: ReportFacts, say: (row: number) => string) =>
  facts.samples.map((sample) => ({ facts: sample, text: makeText(say(sample.row), sample.why === 'failed') }));

test('the accuracy section says if every row was answered', () => {
  const facts = makeFacts();
  const show = (answered: number) =>
    renderReport(facts, [], { quality: { ...QUALITY, rows: { ...QUALITY.rows, answered } }, comparison: null });
  assert.match(show(100), /All of them were answered\./);
  assert.match(show(98), /98 of them were answered, the others count as wrong\./);
});

test('the page shows everything a report must show', () => {
  const facts = makeFacts();
  const page = renderReport(
    facts,
    withTexts(facts, (row) => `text of row ${row}`),
    EXTRAS,
  );
  const text = page
    .replaceAll(/<style>.*?<\/style>/gs, '')
    .replaceAll(/<[^>]+>/g, ' ')
    .replaceAll(/\s+/g, ' ');
  const shown = [
    // verdict and identity
    'ticket-labels failed rows',
    'Simulated. No real model answered',
    '210 rows in = 200 ok + 6 failed + 4 skipped + 0 pending',
    '200 ok = 184 new + 9 reused + 7 duplicate',
    // money
    'Did it work? In part 200 of 210 rows answered, 95 %; 6 failed; 4 empty, never sent ( why ).',
    'Can I trust it? No clear winner, simulated compared : the candidate, this run, is right in 87.0 % [84.0, 95.0], the baseline in 82.0 % [84.0, 95.0]; difference +5.0 points [-1.2, +11.2].',
    'Every answer is made up. 5 warnings 2 conflicting lines : one request, two answers',
    'the shares of label have shifted by 13 % since the last run',
    'What next? Retry 4 rows rowmill retry jobs/ticket-labels.yaml --cause refused The other causes have commands of their own',
    'What did it cost? $0.0041 + unknown',
    '0.2 % of the budget of $2.00',
    'estimated $0.0039; it was 5.1 % more than that',
    'of it on rows that failed $0.00009',
    'Orphaned $0.0001',
    'Possibly billed up to $0.000012',
    'Unknown price unknown 2 attempts, in no sum',
    'Saved by the batch price $0.002',
    'Saved by the prompt cache $0.00015',
    'Saved by existing answers, and duplicates $0.0003',
    'gpt-6-luna 184 23,000 17 % 8,000 $0.00391',
    'no usable answer 6',
    'All runs together $0.021 800 attempts',
    // tokens, dearest rows, histogram
    'Input 127 120 190 260 24,035',
    'row 9 : $0.000021, 120 in, 40 out',
    'Prices as of 2026-11-21, list prices of another provider',
    'Conflicting lines unknown 2 lines more for requests that were answered',
    'The separate bar is the tail: 4 rows (2.1 %) beyond $0.0000425, up to $0.000061. The tallest bar is 60 rows; bars start at 0.',
    'No value is beyond the last bar.',
    '190 rows sent in this run, all attempts of a row together; the most expensive cost $0.000061',
    'median $0.00002 · p95 $0.00004',
    // time
    'call 120 ms 190 ms 240 ms 260 ms',
    'wait before it 600 ms',
    'batch_1 100 requests, completed',
    '2 h 11 min',
    'answers per minute: at most',
    'the limit is 12',
    '3 calls refused as too fast (429), marked red at the foot',
    // failures, answers, quality
    'All of them as a table: rowmill failures jobs/ticket-labels.yaml --csv failed.csv',
    'refused 4 rows, 1.9 %: the model refused to answer To retry them: rowmill retry jobs/ticket-labels.yaml --cause refused',
    'empty 4 rows, 1.9 %: every cell the prompt uses is empty Never sent: change the table or the job.',
    'billing 120 60 % +12.6',
    'Since run 20261121-0410-aaaaaaaaaa ( 190 answers) the shares of the values have shifted by 13 %',
    '91 % of 100 rows have the label that expected says (95 % interval 84 % to 95 %); macro-F1 89 %',
    'bug 40 – 80 % 83 %',
    'something else',
    'Wrong rows, the first 2 of 9; eval --csv writes all Row 12',
    'Row 12 t12 counted as wrong right billing given bug text I was charged twice',
    'No longer in the table counted as wrong right bug given refused: I will not',
    // warnings
    'Warnings 60 of the first 100 answers are refused the labels have shifted since the last run And 3 more.',
    // two runs
    'Baseline 20261121-0410-aaaaaaaaaa and candidate 20261122-0410-k3x9d02mqa , this run, in label , on the 190 rows they share',
    '150 the same 31 changed 2 answered only in the baseline 4 answered only in the candidate 3 answered in neither',
    'The job differs in model, prompt model in the baseline gpt-6-luna model in the candidate gpt-4.1-mini prompt in the baseline Label the ticket. prompt in the candidate Label the ticket with one label. prompt in the candidate bug: something is broken',
    'In short agreement 82.9 % [76.7, 87.7] of 181 answered in both',
    'accuracy candidate − baseline: +5.0 points [-1.2, +11.2] against expected',
    'McNemar’s test p = 0.2266 (exact): 3 rows correct only in the baseline, 8 only in the candidate',
    'cost candidate − baseline: +$0.001 for the answers of these rows; 2 answers of unknown price in no sum',
    'not compared 0 rows only in the baseline, 20 only in the candidate',
    'model gpt-6-luna gpt-4.1-mini',
    'accuracy 82.0 % 84.0 to 95.0 % 87.0 % 84.0 to 95.0 %',
    'cost of these answers $0.003 $0.004',
    'billing 60 86.7 % 95.0 %',
    'only with 52 3 86.7 % –',
    'billing bug 21',
    'Row 4 t4 changed baseline billing candidate bug right bug',
    'No longer in the table answered only in the candidate baseline refused: I will not candidate other',
    'Rows that differ the first 2 of 37; diff --csv writes all',
    // rows, runs, provenance
    'Row 3 text of row 3 text of row 3 tickets.csv:4 · 3 attempts',
    'The most expensive 1 row',
    'The slowest 1 row',
    'At random 1 row',
    'text of row 120',
    'The last 3 runs',
    'Spent: $0.0041 in the latest run, $0.0041 at most',
    `sha256 ${'a'.repeat(64)}`,
    'model requested gpt-6-luna',
    'models that answered gpt-6-luna',
    'rowmill 0.1.0, Node v20.20.2',
    'name: ticket-labels',
  ];
  for (const words of shown)
    assert.ok(text.includes(words.replaceAll('( ', '(')) || text.includes(words), `"${words}" is missing in: ${text}`);
  assert.equal(
    page,
    renderReport(
      facts,
      withTexts(facts, (row) => `text of row ${row}`),
      EXTRAS,
    ),
    'the same facts make the same bytes',
  );
});

test('sections without data are left out', () => {
  const facts = makeFacts({
    rowFigures: null,
    calls: null,
    batches: [],
    tempo: null,
    causes: [],
    warnings: { messages: [], more: 0 },
    fields: [],
    samples: [],
    runs: [],
    models: [],
  });
  const page = renderReport(facts, []);
  const ids = [...page.matchAll(/<h2 id="([a-z]+)"/g)].map(([, id]) => id);
  assert.deepEqual(ids, ['rows', 'money', 'provenance']);
  const contents = /<nav.*?<\/nav>/s.exec(page)?.[0] ?? '';
  assert.deepEqual(
    [...contents.matchAll(/href="#([a-z]+)"/g)].map(([, id]) => id),
    ['top', ...ids],
    'the contents link to what there is',
  );
});

/** Every text and every label is hostile. */
function makeHostileComparison(hostile: string): RunComparison {
  const comparison = makeComparison({ transitions: { [hostile]: { [hostile]: 3, [`${hostile}!`]: 2 } } });
  const kinds = /^(changed|answeredOnlyInB|answered|correct|exact)$/;
  const scores =
    comparison.a.scores === null ? null : { ...comparison.a.scores, perClass: { [hostile]: comparison.a.scores.perClass.billing } };
  return replaceTexts({ ...comparison, a: { ...comparison.a, scores } } as RunComparison, (text) => (kinds.test(text) ? text : hostile));
}

/** Every tag, with its attributes; what is no tag of ours fails. */
function assertInert(page: string): void {
  const [before = '', style = ''] = page.split(/<style>|<\/style>/);
  const policy = /content="(default-src[^"]*)"/.exec(before)?.[1] ?? '';
  assert.equal(
    policy,
    `default-src &#39;none&#39;; style-src &#39;sha256-${hash('sha256', style, 'base64')}&#39;; base-uri &#39;none&#39;; form-action &#39;none&#39;`,
  );
  const tags = [...page.replace(/<style>.*?<\/style>/s, '').matchAll(/<(\/?)([^\s/>]*)([^>]*)>/g)];
  assert.equal(tags.length, [...page.replace(/<style>.*?<\/style>/s, '').matchAll(/</g)].length, 'every < opens a tag');
  const allowed = new Set(
    '!doctype html head meta title body a header div h1 h2 h3 h4 span p ul li ol b br wbr nav main section table caption thead tbody tr th td figure figcaption svg rect line code details summary pre dl dt dd article footer'.split(
      ' ',
    ),
  );
  for (const [tag = '', , name = '', attributes = ''] of tags) {
    assert.ok(allowed.has(name), tag);
    const names = [...attributes.matchAll(/\s([^\s=]+)="[^"<>]*"/g)].map(([, attribute]) => attribute ?? '');
    assert.equal(
      attributes
        .replaceAll(/\s[^\s=]+="[^"<>]*"/g, '')
        .replace(/^\s?html$|\/$/, '')
        .trim(),
      '',
      `${tag} has an attribute without quotes`,
    );
    assert.ok(
      names.every((attribute) => !/^(on|style$|src|srcset|action|formaction|xlink)/i.test(attribute)),
      tag,
    );
    for (const [, target = ''] of attributes.matchAll(/\shref="([^"]*)"/g)) assert.match(target, /^#[a-z0-9-]+$/);
  }
}

wideTest('text that looks like markup stays text, wherever it is', () => {
  for (const hostile of HOSTILE) {
    const facts = makeFacts();
    const changed = replaceTexts(facts, (text) =>
      /^\d{4}-\d\d-|^(failed|dearest|slowest|random|ok|live|upload|validating|in progress|finalizing|collecting)$/.test(text)
        ? text
        : hostile,
    );
    const samples = changed.samples.map((sample) => ({ facts: sample, text: makeText(hostile, sample.why === 'failed') }));
    const quality = { ...replaceTexts(QUALITY, () => hostile), confusion: { [hostile]: { [hostile]: 1 } } };
    assertInert(renderReport(changed, samples, { quality, comparison: makeHostileComparison(hostile) }));
    const terminal = renderFigures(changed);
    assert.ok(!/(?!\n)\p{Cc}|[\u202e\u2066]/u.test(terminal), 'nothing reaches the terminal that moves it');
  }
});

test('any text is escaped so that none of it is markup, and reads as before', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.nat(0xffff).map((code) => String.fromCharCode(code)) }), (text) => {
      const escaped = escapeHtml(text);
      assert.ok(!/[<>"'\u202e]|(?![\n\t])\p{Cc}/u.test(escaped));
      const plain = text.replaceAll(/[\p{Cc}\u2028-\u202e\u2066-\u2069]/gu, '');
      const read = escapeHtml(plain)
        .replaceAll('&lt;', '<')
        .replaceAll('&gt;', '>')
        .replaceAll('&quot;', '"')
        .replaceAll('&#39;', "'")
        .replaceAll('&amp;', '&');
      assert.equal(read, plain.toWellFormed());
      assert.equal(html`<p title="${text}">${text}</p>`.html, `<p title="${escaped}">${escaped}</p>`);
    }),
  );
});

test('a text cut to a number of bytes has no more of them, and no half characters', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom('a', '<', '&', 'é', '社', '👩', '\u202e'), maxLength: 200 }),
      fc.integer({ min: 3, max: 300 }),
      (text, bytes) => {
        const clipped = clipHtml(text, bytes).html;
        assert.ok(Buffer.byteLength(clipped) <= bytes);
        assert.ok(clipped === escapeHtml(text) || clipped.endsWith('…'));
        assert.ok(!clipped.includes('\ufffd') && !/&[a-z#0-9]*$|&[a-z#0-9]*…/.test(clipped));
      },
    ),
  );
});

wideTest('the page stays below a megabyte with 300 rows that each say as much as is kept of them', () => {
  const say = '<&"👩‍👩‍👧‍👦社會'.repeat(2_000);
  const samples = Array.from({ length: 300 }, (_, row) => {
    const facts = makeSample(row + 1, row < 200 ? 'failed' : row < 220 ? 'dearest' : 'random');
    return { facts, text: makeText(say, row < 200) };
  });
  const batches = Array.from({ length: 500 }, (_, index) => ({
    ...(makeFacts().batches[0] as ReportFacts['batches'][number]),
    id: `batch_${index}`,
  }));
  const facts = makeFacts({
    batches,
    samples: samples.map(({ facts }) => facts),
    fields: Array.from({ length: 20 }, (_, field) => ({
      field: `field ${field}`,
      values: Array.from({ length: 60 }, (_, value) => ({ value: `value ${value}`, rows: 1, previousRows: 2 })),
      previousRun: 'before',
    })),
    warnings: { messages: Array.from({ length: 30 }, (_, index) => `${index} ${say.slice(0, 290)}`), more: 1_000_000 },
    provenance: { ...makeFacts().provenance, jobText: say.repeat(5) },
  });
  const labels = Array.from({ length: 900 }, (_, index) => `${index} ${say}`);
  const perClass = Object.fromEntries(labels.map((label) => [label, makeComparison().a.scores?.perClass.billing]));
  const [one] = makeComparison().examples;
  const large = makeComparison({
    transitions: Object.fromEntries(labels.map((label) => [label, { [`${label}!`]: 1 }])),
    examples: Array.from({ length: 20 }, () => ({ ...(one as ChangedRow), id: say, a: say, b: say, gold: say })),
  });
  const { a } = large;
  const quality = {
    ...QUALITY,
    perClass: perClass as QualityFacts['perClass'],
    confusion: Object.fromEntries(labels.map((label) => [label, { [label]: 2, [`${label}!`]: 1 }])),
    wrong: Array.from({ length: 20 }, (_, row) => ({ row, id: say, gold: say, answer: say, text: say })),
  };
  const comparison = { ...large, a: { ...a, scores: { ...a.scores, perClass } } } as RunComparison;
  const bytes = Buffer.byteLength(renderReport(facts, samples, { quality, comparison }));
  assert.ok(bytes < 1_000_000 && bytes > 400_000, `${bytes} bytes`);
});
