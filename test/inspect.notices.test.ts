import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openNoticeRecords } from '../src/host/notices/notice-records.ts';
import { type ComparedRun, findShifts } from '../src/inspect/notices/find-shifts.ts';
import { findUncollected } from '../src/inspect/notices/make-notices.ts';
import type { BatchState, LedgerFold } from '../src/ledger/events/fold.ts';
import { testRates } from '../src/quality/binomial.ts';
import { testChiSquared } from '../src/quality/chi-squared.ts';

test('the chi-squared test gives the critical values of its tables', () => {
  for (const [degreesOfFreedom, critical] of [
    [1, 10.828],
    [2, 13.816],
    [3, 16.266],
    [4, 18.467],
    [5, 20.515],
    [9, 27.877],
  ] as const) {
    const size = 10_000;
    // Columns that differ in the first two alone, by d: the statistic is 4 d^2 / size.
    const d = Math.sqrt(critical * size) / 2;
    const flat = Array.from({ length: degreesOfFreedom - 1 }, () => size);
    const test = testChiSquared([size + d, size - d, ...flat], [size - d, size + d, ...flat]);
    assert.equal(test?.degreesOfFreedom, degreesOfFreedom);
    assert.ok(Math.abs((test?.statistic ?? 0) - critical) < 1e-6, `${test?.statistic} of ${critical}`);
    assert.ok(Math.abs((test?.pValue ?? 0) - 0.001) < 2e-6, `${degreesOfFreedom}: ${test?.pValue}`);
  }
  assert.equal(testChiSquared([3, 2], [2, 3]), null, 'too few to tell');
  assert.equal(testChiSquared([0, 0], [50, 50]), null);
  // Of two in two, both on one of two equal sides: a quarter, twice.
  assert.equal(testRates(2, 100, 0, 100), 0.5);
  assert.ok(Math.abs(testRates(10, 100, 0, 100) - 2 / 1024) < 1e-15 && Math.abs(testRates(0, 100, 10, 100) - 2 / 1024) < 1e-15);
  assert.equal(testRates(0, 100, 0, 100), 1);
});

const makeRun = (
  counts: readonly number[],
  change: { refused?: number; nanoUsd?: number; unpricedAttempts?: number } = {},
): ComparedRun => {
  const rows = counts.reduce((sum, count) => sum + count, 0);
  const { refused = 0, nanoUsd = rows * 1_000, unpricedAttempts = 0 } = change;
  return {
    summary: {
      rows: { in: rows + refused, ok: rows, failed: refused, skipped: 0, pending: 0, new: rows, reused: 0, duplicate: 0 },
      causes: { refused },
      cost: { nanoUsd, unpricedAttempts } as ComparedRun['summary']['cost'],
    },
    fields: [
      {
        field: 'label',
        values: counts.map((newRows, place) => ({ value: 'abc'[place] as string, rows: 500 + newRows, newRows, previousRows: null })),
        previousRun: null,
      },
    ],
  };
};

test('shifts of labels, refusals and cost beyond the thresholds are reported, those explained by chance are not', () => {
  const usual = [makeRun([60, 30, 10]), makeRun([58, 32, 10]), makeRun([62, 28, 10])];
  const told = (run: ComparedRun, earlier = usual) => findShifts(run, earlier).map(({ of }) => of);
  assert.deepEqual(told(makeRun([60, 30, 10])), []);
  assert.deepEqual(told(makeRun([52, 36, 12])), [], 'chance');
  assert.deepEqual(told(makeRun([20, 70, 10])), ['field label']);
  assert.deepEqual(told(makeRun([4, 36, 2])), [], 'fewer than 50 answers tell nothing');
  assert.deepEqual(told(makeRun([60, 30, 10], { refused: 12 })), ['refusals']);
  assert.deepEqual(told(makeRun([60, 30, 10], { refused: 1 })), []);
  assert.deepEqual(told(makeRun([60, 30, 10], { nanoUsd: 151_000 })), ['cost']);
  assert.deepEqual(told(makeRun([60, 30, 10], { nanoUsd: 149_000 })), []);
  assert.deepEqual(told(makeRun([60, 30, 10], { nanoUsd: 60_000 })), ['cost']);
  assert.deepEqual(told(makeRun([60, 30, 10], { nanoUsd: 151_000, unpricedAttempts: 1 })), [], 'an unknown cost tells nothing');
  assert.deepEqual(told(makeRun([60, 30, 10], { nanoUsd: 151_000 }), usual.slice(1)), [], 'two runs are no habit');
  assert.deepEqual(told(makeRun([20, 70, 10]), []), [], 'the first run has nothing to shift from');
  const [shift] = findShifts(makeRun([20, 70, 10]), usual);
  assert.match(
    shift?.what ?? '',
    /^answers of label, most of all a: 60\.0 % to 20\.0 % \(chi-squared \d+\.\d, 2 df, p < 0\.001, V 0\.\d\d\)$/,
  );
});

test('a batch is uncollected if it has ended, or is 20 hours old, and its answers have not been downloaded', () => {
  const now = new Date('2026-11-29T10:00:00Z');
  const uncollected = (change: Partial<BatchState>) => {
    const batch = {
      id: 'batch_1',
      shard: '000001',
      status: 'in_progress',
      isCollected: false,
      submittedAt: '2026-11-28T14:01:00.000Z',
      run: 'r1',
      ...change,
    };
    const fold = { batches: new Map([['batch_1', batch]]), shards: new Map([['000001', { rows: 1_200 }]]) } as unknown as LedgerFold;
    return findUncollected({ job: 'nightly', fold, now });
  };
  assert.deepEqual(uncollected({}), []);
  const [old] = uncollected({ submittedAt: '2026-11-28T14:00:00.000Z' });
  const about = '(1,200 requests, sent on 2026-11-28 14:00 UTC)';
  assert.equal(old?.sentence, `nightly: batch batch_1 ${about} has had 20 hours, and nobody has collected its answers, which are paid for`);
  assert.deepEqual([old?.id, old?.next], ['uncollected batch_1', 'continue']);
  for (const status of ['completed', 'expired', 'cancelled'])
    assert.match(uncollected({ status })[0]?.sentence ?? '', new RegExp(`has ended \\(${status}\\)`));
  for (const change of [{ isCollected: true }, { status: 'lost' }, { status: 'failed' }])
    assert.deepEqual(uncollected({ submittedAt: '2026-11-20T00:00:00.000Z', ...change }), []);
});

test('a notice is claimed by one process, posted once, and posted again only if nobody can have received it', (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'rowmill-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const [one, other] = [openNoticeRecords(directory), openNoticeRecords(directory)];
  const at = (seconds: number) => new Date(Date.UTC(2026, 10, 29) + seconds * 1000);
  const notice = { id: 'done r1', event: 'done', sentence: 'x: done' };
  const settle = (status: 'told' | 'unanswered' | 'failed', tries: number) =>
    one.settle({ ...notice, status, tries, at: at(0).toISOString() });
  assert.deepEqual([one.claim(notice, at(0)), other.claim(notice, at(5)), one.claim(notice, at(59))], [0, null, null]);
  assert.equal(other.claim(notice, at(60)), 1, 'the process that had it was killed before it knew');
  settle('failed', 2);
  assert.equal(one.claim(notice, at(61)), 2);
  settle('failed', 5);
  assert.equal(one.claim(notice, at(62)), null, 'five times are enough');
  for (const status of ['told', 'unanswered'] as const) {
    settle(status, 1);
    assert.equal(other.claim(notice, at(86_400)), null, status);
  }
});
