import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ReportFacts } from '../src/output/report/facts.ts';
import { renderFailures } from '../src/output/report/section-failures.ts';
import { renderMoney } from '../src/output/report/section-money.ts';
import { renderRuns } from '../src/output/report/section-runs.ts';
import { renderTime } from '../src/output/report/section-time.ts';
import { renderTiles } from '../src/output/report/section-top.ts';
import { renderVerdict } from '../src/output/report/section-verdict.ts';
import { makeFacts, makeSample, makeText } from './helpers/report-facts.ts';

const readText = ({ html }: { readonly html: string }) => html.replaceAll(/<[^>]+>/g, ' ').replaceAll(/\s+/g, ' ');

/** A run without anything to say against it. */
function makeGood(change: Partial<ReportFacts['summary']> = {}): ReportFacts {
  const facts = makeFacts({ causes: [], fields: [], warnings: { messages: [], more: 0 } });
  const rows = { ...facts.summary.rows, in: 200, failed: 0, skipped: 0 };
  return { ...facts, summary: { ...facts.summary, simulated: false, exitCode: 0, rows, causes: {}, anomalies: {}, next: null, ...change } };
}

test('the first screen answers whether it worked, whether it can be trusted and what to type next', () => {
  const { commands: _, ...withoutCommands } = makeGood();
  const pending = makeGood({ exitCode: 7, next: 'rowmill run job.yaml' });
  const cases: readonly (readonly [facts: ReportFacts, says: readonly string[]])[] = [
    [
      makeGood(),
      ['Yes 200 of 200 rows answered, 100 %.', 'No doubts found', 'rowmill sample jobs/ticket-labels.yaml -n 50', 'Nothing to do'],
    ],
    [withoutCommands, ['Accuracy is not measured.', 'What next? Nothing to do The table: out/tickets.csv']],
    [makeFacts(), ['In part', 'No, simulated', 'Retry 4 rows']],
    [
      { ...pending, summary: { ...pending.summary, rows: { ...pending.summary.rows, in: 250, pending: 50 } } },
      ['In part 200 of 250 rows answered, 80 %; 50 not asked yet.', 'What next? Continue rowmill run job.yaml'],
    ],
    [
      { ...makeFacts({ causes: [{ cause: 'empty', status: 'skipped', rows: 4, retry: null }] }) },
      ['What next? See what failed rowmill failures jobs/ticket-labels.yaml'],
    ],
    [
      makeGood({ rows: { in: 3, ok: 0, failed: 3, skipped: 0, pending: 0, new: 0, reused: 0, duplicate: 0 }, exitCode: 3 }),
      ['Did it work? No'],
    ],
    [makeGood({ unmarked: 2 }), ['Look first 2 answers not marked as finished']],
  ];
  for (const [facts, says] of cases) {
    const text = readText(renderVerdict(facts, null));
    for (const words of says) assert.ok(text.includes(words), `"${words}" is missing in: ${text}`);
  }
});

test('ten failed rows of each cause are shown, also from files of an earlier version; the others are counted', () => {
  const causes = ['refused', 'invalid', 'truncated'].map((cause) => ({ cause, status: 'failed' as const, rows: 6_700, retry: null }));
  const samples = Array.from({ length: 200 }, (_, row) => ({
    facts: { ...makeSample(row + 1, 'failed'), cause: causes[row % 3]?.cause ?? null },
    text: makeText(`text ${row + 1}.`, true),
  }));
  const page = renderFailures(makeFacts({ causes, samples: [] }), samples, 1_000);
  assert.equal(page.html.split('<details class="row"').length - 1, 30);
  assert.equal(readText(page).split('And 6,690 more rows.').length - 1, 3);
  assert.ok(page.html.includes('<summary>9 more rows</summary>'), 'of a rarer cause one row is open');
});

test('throughput is drawn only for live runs longer than two minutes, trends only from three runs on', () => {
  const { tempo, runs } = makeFacts();
  assert.ok(tempo !== null);
  const isDrawn = (change: Partial<NonNullable<ReportFacts['tempo']>>) =>
    renderTime(makeFacts({ tempo: { ...tempo, ...change } })).html.includes('Throughput');
  assert.deepEqual(
    [isDrawn({}), isDrawn({ lane: 'batch' }), isDrawn({ stepMs: 1_200 }), isDrawn({ stepMs: 1_201 })],
    [true, false, false, true],
  );
  const drawsTrend = (count: number) => renderRuns(makeFacts({ runs: runs.slice(-count) })).html.includes('<svg');
  assert.deepEqual([2, 3].map(drawsTrend), [false, true]);
  assert.equal(renderRuns(makeFacts({ runs: runs.slice(-1) })).html, '');
});

test('errors are responses but no answers, and rows that cost nothing have no distribution of costs', () => {
  const facts = makeFacts();
  const attempts = { total: 51, batch: 0, live: 51, unknown: 0 };
  const say = (models: ReportFacts['models'], unknown = 0) =>
    renderTiles({ ...facts, models, summary: { ...facts.summary, attempts: { ...attempts, unknown } } }).html;
  assert.match(say([]), /none answered by a model/);
  assert.match(say(facts.models), /all of them with a response/);
  assert.match(say(facts.models, 3), /3 without a response/);
  assert.match(renderMoney(facts).html, /What a row cost/);
  const { rowFigures } = facts;
  assert.ok(rowFigures?.cost);
  const free = { ...facts, rowFigures: { ...rowFigures, cost: { ...rowFigures.cost, max: 0 } } };
  assert.doesNotMatch(renderMoney(free).html, /What a row cost/);
});
