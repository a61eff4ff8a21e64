import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Summary } from '../src/core/summary.ts';
import { renderSummary } from '../src/output/render-summary.ts';
import type { ReportFacts } from '../src/output/report/facts.ts';
import { renderVerdict } from '../src/output/report/section-verdict.ts';
import { makeComparison, makeFacts } from './helpers/report-facts.ts';

const readText = ({ html }: { readonly html: string }) => html.replaceAll(/<[^>]+>/g, ' ').replaceAll(/\s+/g, ' ');

/** A run of $0.0152 that nobody has anything to say against. */
function makeRun(change: Partial<Summary> = {}): ReportFacts {
  const facts = makeFacts({ causes: [], fields: [], warnings: { messages: [], more: 0 }, budgetNanoUsd: null });
  const rows = { in: 5, ok: 5, failed: 0, skipped: 0, pending: 0, new: 5, reused: 0, duplicate: 0 };
  const cost = { ...facts.summary.cost, nanoUsd: 15_200_000, unpricedAttempts: 0, possiblyBilledNanoUsd: 0 };
  const ledger = { attempts: 9, nanoUsd: 15_200_000 };
  const summary: Summary = {
    ...facts.summary,
    simulated: false,
    exitCode: 0,
    rows,
    causes: {},
    anomalies: {},
    next: null,
    cost,
    ledger,
    ...change,
  };
  return { ...facts, summary };
}

const notAsked = { rows: 293, requests: 280, of: 300, expectedNanoUsd: 4_100_000, command: 'rowmill run reviews.yaml' };
const withoutAnswer = { truncated: { attempts: 107, nanoUsd: 1_568_000 }, invalid: { attempts: 2, nanoUsd: 32_000 } };
const lost =
  '$0.0016 for answers that do not count (107 cut at the output limit, 2 invalid); a larger params.max_output_tokens saves asking twice';

test('the first screen shows the cost of answers that do not count, the cost of all runs, and what a pilot left out', () => {
  const text = (change: Partial<Summary>) => readText(renderVerdict(makeRun(change), null));
  assert.ok(text({ withoutAnswer }).includes(`Of it ${lost}.`));
  assert.ok(
    !text({ withoutAnswer: { invalid: { attempts: 1, nanoUsd: 32_000 } } }).includes('do not count'),
    'a trifle is not worth a line',
  );
  assert.ok(
    text({ ledger: { attempts: 400, nanoUsd: 94_500_000 } }).includes('$0.0152 of $0.0945 this run, of all runs of this table; estimated'),
  );
  assert.ok(!text({}).includes('all runs'));
  const pilot = text({ notAsked, next: notAsked.command });
  for (const words of [
    '293 of 300 rows of the table not asked',
    'Ask the rest 293 of 300 rows (280 requests), about $0.0041. rowmill run reviews.yaml',
  ])
    assert.ok(pilot.includes(words), `"${words}" is missing in: ${pilot}`);
  const blocked = text({ notAsked, next: 'rowmill failures reviews.yaml' });
  assert.ok(blocked.includes('See what failed'), 'failed rows come first');
});

test('the first screen shows the accuracy, or which run is more accurate, also for simulated runs', () => {
  const { a, b, ...comparison } = makeComparison();
  assert.ok(b.scores !== null);
  const quality = { ...b.scores, gold: makeComparison().gold, field: 'label' } as unknown as Parameters<typeof renderVerdict>[1];
  const won = { a, b, ...comparison, mcnemar: { ...comparison.mcnemar, pValue: 0.01 } };
  const cases = [
    { quality, comparison: null, says: ['87 % right on 100 rows (95 % interval 84 % to 95 %).'] },
    {
      quality: null,
      comparison: makeComparison(),
      says: ['No clear winner', 'difference +5.0 points [-1.2, +11.2]', 'the candidate, this run, is right in 87.0 % [84.0, 95.0]'],
    },
    { quality: null, comparison: won, says: ['The candidate is more accurate'] },
    {
      quality: null,
      comparison: {
        ...won,
        b: { ...b, scores: { ...b.scores, macroF1: 0.1, intervals: { ...b.scores.intervals, macroF1: { low: 0, high: 0.2 } } } },
      },
      says: [
        'The candidate is more accurate, but not clearly better',
        '; but the candidate has the lower macro-F1, 10.0 % against 87.1 %.',
      ],
    },
    {
      quality: null,
      comparison: { ...won, accuracyDifference: null },
      says: ['83 % the same', 'the same answers in both runs: 82.9 % [76.7, 87.7]'],
    },
  ];
  for (const { says, ...given } of cases)
    for (const simulated of [false, true]) {
      const text = readText(renderVerdict(makeRun({ simulated }), given.quality, given.comparison));
      for (const words of says) assert.ok(text.replace(', simulated', '').includes(words), `"${words}" is missing in: ${text}`);
      assert.equal(text.includes(', simulated'), simulated);
    }
});

test('the summary shows the same', () => {
  const text = renderSummary(makeRun({ withoutAnswer, notAsked, next: notAsked.command }).summary, { colour: false, full: false });
  assert.ok(text.includes(`\nof it     ${lost}\n`), text);
  assert.match(text, /^not asked 293 of 300 rows \(280 requests\), about \$0\.0041$/m);
});

test('rows that had nothing to ask are no failure: the headline, what comes next and the page say so, and which setting makes it exit 0', () => {
  const rows = { in: 130, ok: 118, failed: 0, skipped: 12, pending: 0, new: 118, reused: 0, duplicate: 0 };
  const run = makeRun({ rows, causes: { empty: 2, where: 10 }, exitCode: 3, verdict: 'skipped rows' });
  const text = renderSummary(run.summary, { colour: false, full: false });
  assert.match(text, /^118 of 120 rows answered; 2 empty, never sent \(exit 3\)$/m);
  assert.match(text, /^next {6}skipped_rows: "> 2%" under fail_if in the job makes it exit 0$/m);
  assert.doesNotMatch(text, /skipped rows/);
  const screen = readText(renderVerdict(run, null));
  assert.match(screen, /Did it work\? Yes 118 of 120 rows answered, 98 %; 2 empty, never sent\./);
  assert.match(screen, /What next\? Nothing to do .*exit 3: skipped_rows: &quot;&gt; 2%&quot; under fail_if in the job makes it exit 0/);
  for (const change of [
    { causes: { empty: 1, too_large: 1, where: 10 } },
    { rows: { ...rows, ok: 0, new: 0, skipped: 130 }, causes: { empty: 120, where: 10 } },
  ])
    assert.match(
      renderSummary(makeRun({ ...run.summary, ...change }).summary, { colour: false, full: false }),
      /^skipped rows \(exit 3\)$/m,
    );
});
