import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { allocateSample } from '../src/quality/allocate.ts';
import { computeErfc, makeDifferenceInterval, testMcNemar } from '../src/quality/mcnemar.ts';
import { makeScores } from '../src/quality/scores.ts';
import { createSeededRandom, drawPoisson } from '../src/quality/seeded-random.ts';
import { createTally } from '../src/quality/tally.ts';
import { makeWilsonInterval } from '../src/quality/wilson.ts';

const near = (actual: number | null, expected: number, tolerance = 1e-12) =>
  assert.ok(actual !== null && Math.abs(actual - expected) <= tolerance, `${actual} is not ${expected}`);

/** [right, given (null: no answer), rows] */
type Line = readonly [string, string | null, number];

function tallyOf(lines: readonly Line[]) {
  const tally = createTally('label');
  for (const [gold, given, count] of lines) for (let row = 0; row < count; row += 1) tally.add([gold], given === null ? null : [given]);
  return tally.cells;
}

describe('intervals and tests', () => {
  it('gives the score intervals Newcombe published (Statistics in Medicine 17, 1998, table I, method 3)', () => {
    for (const [successes, cases, low, high] of [
      [81, 263, 0.2553, 0.3662],
      [15, 148, 0.0624, 0.1605],
      [0, 20, 0, 0.1611],
      [1, 29, 0.0061, 0.1718],
    ] as const) {
      const interval = makeWilsonInterval(successes, cases);
      near(interval.low, low, 5e-5);
      near(interval.high, high, 5e-5);
    }
    assert.deepEqual(makeWilsonInterval(0, 0), { low: 0, high: 1 });
  });

  it('every proportion is within its interval, and every interval within 0 and 1', () => {
    fc.assert(
      fc.property(fc.nat(5000), fc.nat(5000), (a, b) => {
        const [successes, cases] = [Math.min(a, b), Math.max(a, b, 1)];
        const { low, high } = makeWilsonInterval(successes, cases);
        assert.ok(low >= 0 && low <= successes / cases && successes / cases <= high && high <= 1);
        near(makeWilsonInterval(cases - successes, cases).high, 1 - low, 1e-9);
      }),
    );
  });

  it('computes the complementary error function to the last digits, near 0 and far out', () => {
    for (const [x, expected] of [
      [0, 1],
      [0.5, 0.4795001221869535],
      [1, 0.15729920705028513],
      [1.9, 0.007209570764742506],
      [2.1, 0.002979466656333],
      [3, 0.000022090496998585441],
      [5, 1.5374597944280349e-12],
    ] as const)
      near(computeErfc(x) / expected, 1, 1e-11);
  });

  it('tests few discordant rows exactly, many by chi-squared with continuity correction', () => {
    // By hand: 2 * (1 + 12) / 2^12, and 2 * (1 + 10 + 45) / 2^10.
    near(testMcNemar('correct', 11, 1).pValue, 26 / 4096);
    near(testMcNemar('correct', 2, 8).pValue, 112 / 1024);
    assert.equal(testMcNemar('correct', 5, 5).pValue, 1);
    assert.deepEqual(testMcNemar('answered', 0, 0), { basis: 'answered', onlyA: 0, onlyB: 0, method: 'exact', statistic: null, pValue: 1 });
    // 86 approved only in the first survey and 150 only in the second (Agresti, Categorical Data Analysis): (64 - 1)^2 / 236.
    const approval = testMcNemar('correct', 150, 86);
    assert.equal(approval.method, 'chi-squared');
    near(approval.statistic, 3969 / 236);
    near(approval.pValue, 4.115e-5, 1e-8);
    // 121 before and 59 after: (62 - 1)^2 / 180.
    near(testMcNemar('correct', 121, 59).statistic, 3721 / 180);
    near(testMcNemar('correct', 25, 15).pValue, 0.15473, 1e-4);
    assert.equal(testMcNemar('correct', 12, 12).method, 'exact');
    assert.equal(testMcNemar('correct', 13, 12).method, 'chi-squared');
  });

  it('bounds the difference of two paired shares by the adjusted Wald interval', () => {
    // n = 1600: (86 - 150) / 1602 -+ 1.96 * sqrt(237 - 64^2 / 1602) / 1602.
    const { value, low, high } = makeDifferenceInterval(150, 86, 1600);
    near(value, -0.04);
    near(low, -64 / 1602 - (1.959963984540054 * Math.sqrt(237 - 4096 / 1602)) / 1602);
    near(high, -64 / 1602 + (1.959963984540054 * Math.sqrt(237 - 4096 / 1602)) / 1602);
  });
});

describe('scores', () => {
  it('match those computed by hand; a row without an answer is wrong', () => {
    const scores = makeScores(
      tallyOf([
        ['cat', 'cat', 4],
        ['cat', 'dog', 1],
        ['dog', 'dog', 3],
        ['dog', 'cat', 2],
        ['dog', null, 1],
        ['fox', 'cat', 1],
      ]),
      1,
    );
    assert.deepEqual(scores.rows, { evaluated: 12, answered: 11, correct: 7 });
    near(scores.coverage, 11 / 12);
    near(scores.accuracy, 7 / 12);
    near(scores.accuracyOfAnswered, 7 / 11);
    const { cat, dog, fox } = scores.perClass;
    assert.ok(cat && dog && fox);
    assert.deepEqual([cat.support, cat.predicted, cat.correct, cat.unanswered], [5, 7, 4, 0]);
    near(cat.precision, 4 / 7);
    near(cat.recall, 4 / 5);
    near(cat.f1, 8 / 12);
    assert.deepEqual([dog.support, dog.predicted, dog.correct, dog.unanswered], [6, 4, 3, 1]);
    near(dog.f1, 6 / 10);
    assert.deepEqual([fox.precision, fox.recall, fox.f1, fox.intervals.precision], [null, 0, 0, null]);
    near(scores.macroF1, (8 / 12 + 6 / 10 + 0) / 3);
    assert.deepEqual(scores.confusion, { cat: { cat: 4, dog: 1 }, dog: { cat: 2, dog: 3 }, fox: { cat: 1 } });
    assert.deepEqual(scores.intervals.accuracy, makeWilsonInterval(7, 12));
  });

  it('of lists count each label separately, and only a whole list as right', () => {
    const tally = createTally('labels');
    tally.add(['a', 'b'], ['a', 'b']);
    tally.add(['a', 'b'], ['a']);
    tally.add(['b'], ['a', 'b']);
    tally.add([], []);
    const scores = makeScores(tally.cells, 1);
    assert.deepEqual(scores.rows, { evaluated: 4, answered: 4, correct: 2 });
    const { a, b } = scores.perClass;
    assert.deepEqual([a?.precision, a?.recall, b?.precision, b?.recall], [2 / 3, 1, 1, 2 / 3]);
    assert.deepEqual(scores.confusion, {});
  });

  it('cope with labels named like properties of Object.prototype', () => {
    const scores = makeScores(
      tallyOf([
        ['__proto__', 'constructor', 2],
        ['toString', 'toString', 1],
      ]),
      1,
    );
    assert.deepEqual(Object.keys(scores.perClass), ['__proto__', 'constructor', 'toString']);
    assert.equal(JSON.stringify(scores.confusion), '{"__proto__":{"constructor":2},"toString":{"toString":1}}');
  });

  it('bound F1 like a bootstrap of the rows themselves, identically for the same seed', () => {
    const lines: readonly Line[] = [
      ['x', 'x', 60],
      ['x', 'y', 12],
      ['y', 'y', 45],
      ['y', 'x', 9],
      ['y', null, 14],
    ];
    const { macroF1, intervals } = makeScores(tallyOf(lines), 7);
    assert.deepEqual(makeScores(tallyOf(lines), 7).intervals, intervals);
    assert.notDeepEqual(makeScores(tallyOf(lines), 8).intervals.macroF1, intervals.macroF1);
    assert.ok(intervals.macroF1.low < macroF1 && macroF1 < intervals.macroF1.high);
    const drawn = drawRowsAgain(lines);
    near(intervals.macroF1.low, drawn.low, 0.02);
    near(intervals.macroF1.high, drawn.high, 0.02);
  });

  it('refuse a field whose values are not labels', () => {
    const tally = createTally('summary');
    assert.throws(() => {
      for (let row = 0; row <= 50_000; row += 1) tally.add([`gold ${row}`], ['x']);
    }, /summary: it has too many values to be labels/);
  });
});

/** The ordinary bootstrap, written for this test alone: as many rows as there are, drawn with replacement. */
function drawRowsAgain(lines: readonly Line[]): { low: number; high: number } {
  const rows = lines.flatMap(([gold, given, count]) => Array.from({ length: count }, () => [gold, given] as const));
  let state = 12345;
  const draw = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return rows[Math.floor((state / 2 ** 32) * rows.length)] as readonly [string, string | null];
  };
  const values: number[] = [];
  for (let resample = 0; resample < 1000; resample += 1) {
    const sample = rows.map(draw);
    const f1 = ['x', 'y'].map((label) => {
      const hits = sample.filter(([gold, given]) => gold === label && given === label).length;
      return (2 * hits) / (sample.filter(([gold]) => gold === label).length + sample.filter(([, given]) => given === label).length);
    });
    values.push(((f1[0] as number) + (f1[1] as number)) / 2);
  }
  values.sort((a, b) => a - b);
  return { low: values[25] as number, high: values[974] as number };
}

describe('chance', () => {
  it('has the mean and the variance of a Poisson number, for small and for large means', () => {
    const random = createSeededRandom(3);
    for (const mean of [0.7, 1, 12, 39, 41, 5000]) {
      const draws = Array.from({ length: 4000 }, () => drawPoisson(mean, random));
      const average = draws.reduce((sum, draw) => sum + draw, 0) / draws.length;
      const variance = draws.reduce((sum, draw) => sum + (draw - average) ** 2, 0) / draws.length;
      assert.ok(draws.every((draw) => Number.isInteger(draw) && draw >= 0));
      near(average / mean, 1, 0.06);
      near(variance / mean, 1, 0.12);
    }
  });

  it('distributes a sample in proportion, with a row of every stratum if there is room', () => {
    assert.deepEqual(allocateSample(10, [90, 9, 1]), [8, 1, 1]);
    assert.deepEqual(allocateSample(2, [50, 30, 20]), [1, 1, 0]);
    assert.deepEqual(allocateSample(50, [3, 2]), [3, 2]);
    fc.assert(
      fc.property(fc.nat(300), fc.array(fc.integer({ min: 1, max: 500 }), { minLength: 1, maxLength: 12 }), (rows, sizes) => {
        const total = sizes.reduce((sum, size) => sum + size, 0);
        const taken = allocateSample(rows, sizes);
        assert.equal(
          taken.reduce((sum, count) => sum + count, 0),
          Math.min(rows, total),
        );
        for (const [index, size] of sizes.entries()) {
          assert.ok((taken[index] as number) <= size);
          if (rows >= sizes.length) assert.ok((taken[index] as number) >= 1);
        }
      }),
    );
  });
});
