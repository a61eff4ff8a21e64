import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createConcurrency } from '../src/live/limits/concurrency.ts';
import { runsOf } from './helpers/wide.ts';

function start(ceiling: number) {
  const time = { nowMs: 0 };
  return { time, concurrency: createConcurrency({ ceiling, monotonicMs: () => time.nowMs }) };
}

/** So many answers in a row, each while everything allowed was in flight. */
function answer(concurrency: ReturnType<typeof createConcurrency>, answers: number): void {
  for (let count = 0; count < answers; count += 1) concurrency.onAnswer(concurrency.limit);
}

test('before the first congestion every answer allows one call more, up to the ceiling', () => {
  const { concurrency } = start(40);
  assert.equal(concurrency.limit, 16);
  answer(concurrency, 10);
  assert.equal(concurrency.limit, 26);
  answer(concurrency, 100);
  assert.equal(concurrency.limit, 40);
});

test('a ceiling below the first limit holds from the start', () => {
  assert.equal(start(3).concurrency.limit, 3);
});

test('congestion takes away four tenths at once; after that each round trip gives one back', () => {
  const { time, concurrency } = start(100);
  answer(concurrency, 34);
  assert.equal(concurrency.limit, 50);
  time.nowMs = 1_000;
  concurrency.onCongestion(900);
  assert.equal(concurrency.limit, 30);
  answer(concurrency, 29);
  assert.equal(concurrency.limit, 30);
  answer(concurrency, 2);
  assert.equal(concurrency.limit, 31);
});

test('calls that left before the limit was lowered do not lower it again; later ones do', () => {
  const { time, concurrency } = start(100);
  answer(concurrency, 34);
  time.nowMs = 1_000;
  for (const leftAtMs of [200, 500, 999]) concurrency.onCongestion(leftAtMs);
  assert.equal(concurrency.limit, 30);
  time.nowMs = 2_000;
  concurrency.onCongestion(1_001);
  assert.equal(concurrency.limit, 18);
});

test('answers while less was in flight than allowed say nothing about more', () => {
  const { concurrency } = start(100);
  for (let count = 0; count < 50; count += 1) concurrency.onAnswer(15);
  assert.equal(concurrency.limit, 16);
});

test('the limit is never below one nor above the ceiling, whatever happens', () => {
  const step = fc.record({ waitMs: fc.nat(500), isAnswer: fc.boolean(), agoMs: fc.nat(600) });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 80 }), fc.array(step, { maxLength: 200 }), (ceiling, steps) => {
      const { time, concurrency } = start(ceiling);
      for (const { waitMs, isAnswer, agoMs } of steps) {
        time.nowMs += waitMs;
        if (isAnswer) concurrency.onAnswer(concurrency.limit);
        else concurrency.onCongestion(time.nowMs - agoMs);
        assert.ok(Number.isInteger(concurrency.limit) && concurrency.limit >= 1 && concurrency.limit <= ceiling);
      }
    }),
    { numRuns: runsOf(50) },
  );
});
