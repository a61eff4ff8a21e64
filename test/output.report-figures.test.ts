import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { FinishedRow } from '../src/core/finished-row.ts';
import type { Disposition } from '../src/core/row.ts';
import { NO_USAGE } from '../src/core/usage.ts';
import { createFieldCounter, findClosedFields } from '../src/output/report/count/closed-fields.ts';
import { createRandomPicker, createTopPicker } from '../src/output/report/count/pick.ts';
import { createRowCounter } from '../src/output/report/count/row-counter.ts';
import { createSpreadCounter, niceWidth } from '../src/output/report/count/spread.ts';
import { createTempoCounter } from '../src/output/report/count/tempo-counter.ts';

test('percentiles are exact for small numbers and within half a percent for any other', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.nat(511), fc.maxSafeNat()), { minLength: 1, maxLength: 80 }), (values) => {
      const counter = createSpreadCounter();
      for (const value of values) counter.add(value);
      const spread = counter.read();
      assert.ok(spread !== null);
      const sorted = values.toSorted((a, b) => a - b);
      assert.deepEqual([spread.count, spread.max], [values.length, sorted.at(-1)]);
      for (const [share, found] of [
        [0.5, spread.p50],
        [0.95, spread.p95],
        [0.99, spread.p99],
      ] as const) {
        const exact = sorted[Math.max(1, Math.ceil(values.length * share)) - 1] as number;
        assert.ok(exact < 512 ? found === exact : Math.abs(found - exact) <= exact / 200, `p${share}: ${found} for ${exact}`);
      }
      const { counts = [], from = 0, width = 0, beyond = 0 } = counter.readHistogram(30) ?? {};
      assert.equal(
        counts.reduce((sum, count) => sum + count, beyond),
        values.length,
      );
      assert.ok(counts.length <= 31 && from <= (sorted[0] as number));
      assert.ok(beyond === 0 || from + width * counts.length <= spread.max, 'what is beyond the last bar is larger than what is in it');
    }),
  );
  assert.equal(createSpreadCounter().read(), null);
  assert.deepEqual([0.2, 1, 1.2, 3, 24, 26, 700].map(niceWidth), [1, 1, 2, 5, 25, 50, 1000]);
});

test('the largest are kept whatever their order, and of equal ones the first', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(30), { maxLength: 100 }), fc.integer({ min: 1, max: 9 }), (scores, size) => {
      const picker = createTopPicker<{ score: number; place: number }>(size, ({ score }) => score);
      const items = scores.map((score, place) => ({ score, place }));
      for (const item of items) picker.add(item);
      const expected = items.filter(({ score }) => score > 0).toSorted((a, b) => b.score - a.score || a.place - b.place);
      assert.deepEqual(picker.read(), expected.slice(0, size));
    }),
  );
});

test('rows are drawn by the seed, each with the same chance', () => {
  const draw = (seed: number) => {
    const picker = createRandomPicker<number>(100, seed);
    for (let row = 0; row < 10_000; row += 1) picker.add(row);
    return picker.read();
  };
  assert.deepEqual(draw(1), draw(1));
  assert.notDeepEqual(draw(1), draw(2));
  const byThird = [0, 0, 0];
  for (let seed = 0; seed < 30; seed += 1)
    for (const row of draw(seed)) byThird[Math.floor(row / 3334)] = (byThird[Math.floor(row / 3334)] ?? 0) + 1;
  assert.ok(
    byThird.every((count) => Math.abs(count - 1000) < 120),
    String(byThird),
  );
});

test('time steps grow with the period they cover, and nothing is lost', () => {
  const tempo = createTempoCounter(1_000_000);
  assert.equal(tempo.read(), null);
  for (let second = 0; second < 7200; second += 1) tempo.add(1_000_000 + second * 1000, { answers: 2, tokens: 30 });
  tempo.add(0, { rateLimited: 1 });
  const { steps = [], stepMs = 0 } = tempo.read() ?? {};
  assert.ok(steps.length <= 120 && steps.length * stepMs >= 7_200_000);
  const sum = (pick: (step: (typeof steps)[number]) => number) => steps.reduce((total, step) => total + pick(step), 0);
  assert.deepEqual(
    [sum(({ answers }) => answers), sum(({ tokens }) => tokens), sum(({ rateLimited }) => rateLimited)],
    [14_400, 216_000, 1],
  );
  assert.equal(steps[0]?.rateLimited, 1);
});

test('fields with a closed set of values are counted: labels, enums, booleans, bounded numbers', () => {
  const schema = {
    type: 'object',
    properties: {
      label: { type: 'string', enum: ['good', 'bad'] },
      maybe: { anyOf: [{ enum: ['x'] }, { type: 'null' }] },
      urgent: { type: ['boolean', 'null'] },
      score: { type: 'number', minimum: -1, maximum: 1 },
      text: { type: 'string' },
      any: { type: 'number' },
    },
  };
  const fields = findClosedFields({ output: { type: 'json', format: 'json_schema', schema, columns: [] }, labels: [] });
  const counters = fields.map(createFieldCounter);
  const answers = [
    { label: 'good', maybe: null, urgent: true, score: -1, text: 'a' },
    { label: 'good', maybe: 'x', urgent: false, score: 1, text: 'b' },
    { label: 'unheard of', maybe: 'x', urgent: null, score: 0, text: 'c' },
    null,
  ];
  for (const [index, answer] of answers.entries()) for (const counter of counters) counter.add(answer, index === 0);
  const shown = counters.map((counter) => counter.read()).map(({ field, values }) => [field, values.filter(({ rows }) => rows > 0)]);
  const value = (name: string, rows: number, newRows = 0) => ({ value: name, rows, newRows, previousRows: null });
  assert.deepEqual(shown, [
    ['label', [value('good', 2, 1)]],
    ['maybe', [value('x', 2), value('null', 1, 1)]],
    ['urgent', [value('true', 1, 1), value('false', 1), value('null', 1)]],
    ['score', [value('-1 … -0.8', 1, 1), value('0 … 0.2', 1), value('0.8 … 1', 1)]],
  ]);
  const text = findClosedFields({ output: { type: 'text' }, labels: [{ name: 'yes', description: '' }] });
  assert.deepEqual(
    text.map(({ field, values }) => [field, values]),
    [['answer', ['yes']]],
  );
});

test('sampled rows: failed ones first, ten of each cause, then the most expensive, the slowest and some at random, none twice', () => {
  const rows = Array.from({ length: 2000 }, (_, index) => makeRow(index));
  let reads = 0;
  const counter = createRowCounter({
    job: { output: { type: 'text' }, labels: [] },
    slowestMs: new Map([
      ['k9', 50],
      ['k8', 70],
    ]),
    readText: ({ row }) => {
      reads += 1;
      return { id: String(row.index), message: null, answer: null, prompt: [], raw: null };
    },
  });
  for (const row of rows) counter.add(row);
  const { picked, causes, models, figures } = counter.read();
  const whys = picked.map(({ facts }) => facts.why);
  const failed = rows.filter(({ disposition }) => disposition.status === 'failed' || disposition.status === 'skipped');
  assert.equal(failed.length, 500);
  assert.deepEqual(
    picked.slice(0, 20).map(({ facts }) => facts.row),
    failed.slice(0, 20).map(({ row }) => row.index + 1),
  );
  assert.deepEqual(whys.slice(20, 40), Array(20).fill('dearest'));
  assert.deepEqual(
    picked.slice(40, 42).map(({ facts }) => [facts.row, facts.why, facts.callMs]),
    [
      [9, 'slowest', 70],
      [10, 'slowest', 50],
    ],
  );
  assert.equal(new Set(picked.map(({ facts }) => facts.row)).size, picked.length);
  assert.ok(picked.length <= 120 && reads === picked.length, `${picked.length} rows, ${reads} texts`);
  const costs = rows.filter(({ disposition }) => disposition.status === 'ok').map(({ costNanoUsd }) => costNanoUsd ?? 0);
  assert.equal(picked[20]?.facts.costNanoUsd, Math.max(...costs));
  assert.deepEqual(causes, [
    { cause: 'refused', status: 'failed', rows: 250 },
    { cause: 'empty', status: 'skipped', rows: 250 },
  ]);
  assert.equal(
    models.reduce((sum, { rows }) => sum + rows, 0),
    rows.filter(({ attempts }) => attempts > 0).length,
  );
  assert.equal(figures?.inputTokens.max, 1999);
});

function makeRow(index: number): FinishedRow {
  const ends: readonly Disposition[] = [
    { status: 'ok', source: 'new' },
    { status: 'ok', source: 'new' },
    { status: 'ok', source: 'reused' },
    { status: 'failed', cause: 'refused', message: 'no' },
    { status: 'skipped', cause: 'empty', message: 'nothing in it' },
    { status: 'pending' },
    { status: 'ok', source: 'new' },
    { status: 'ok', source: 'new' },
  ];
  const disposition = ends[index % ends.length] as Disposition;
  const isAsked = disposition.status === 'failed' || (disposition.status === 'ok' && disposition.source === 'new');
  return {
    row: { index, file: 'in.csv', line: index + 2, cells: [], record: null, key: null },
    disposition,
    answer: 'text',
    attempts: isAsked ? 1 : 0,
    model: disposition.status === 'ok' ? 'm' : null,
    usage: { ...NO_USAGE, inputTokens: isAsked ? index : 0 },
    answerUsage: NO_USAGE,
    costNanoUsd: isAsked ? (index * 7919) % 2003 : 0,
    requestId: null,
    key: `k${index}`,
  };
}
