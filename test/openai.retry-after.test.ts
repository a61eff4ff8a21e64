import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { MAX_RETRY_AFTER_MS, parseDuration, readRetryAfter } from '../src/openai/retry-after.ts';

const now = new Date('2026-11-22T12:00:00Z');

const DURATIONS: readonly [string, number | null][] = [
  ['1s', 1_000],
  ['6m0s', 360_000],
  ['17ms', 17],
  ['8.64s', 8_640],
  ['2s81ms', 2_081],
  ['5h50m30ms', 21_000_030],
  ['1m12.5s', 72_500],
  ['3', 3_000],
  ['0s', 0],
  ['', null],
  ['s', null],
  ['-1s', null],
  ['1d', null],
  ['1s 2s', null],
  ['NaN', null],
];

for (const [text, milliseconds] of DURATIONS) {
  test(`the duration "${text}" is ${milliseconds === null ? 'no duration' : `${milliseconds} ms`}`, () => {
    assert.equal(parseDuration(text), milliseconds);
  });
}

const ANSWERS: readonly [headers: Record<string, string>, message: string, milliseconds: number | null][] = [
  [{ 'retry-after-ms': '250', 'retry-after': '9' }, 'try again in 1s', 250],
  [{ 'retry-after': '2' }, 'try again in 1s', 2_000],
  [{ 'retry-after': '0' }, '', 0],
  [{ 'retry-after': '0.5' }, '', 500],
  [{ 'retry-after': 'Sun, 22 Nov 2026 12:00:20 GMT' }, '', 20_000],
  [{ 'retry-after': 'Sun, 22 Nov 2026 11:00:00 GMT' }, '', 0],
  [{ 'retry-after': '86400' }, '', MAX_RETRY_AFTER_MS],
  [{ 'retry-after': 'Wed, 21 Oct 2099 07:28:00 GMT' }, '', MAX_RETRY_AFTER_MS],
  [{ 'retry-after': '-5' }, '', null],
  [{ 'retry-after-ms': 'NaN', 'retry-after': '3' }, '', 3_000],
  [{ 'retry-after-ms': '-1' }, 'Please try again in 644ms.', 644],
  [{ 'retry-after': 'soon' }, 'Please try again in 1m12.5s.', 60_000],
  [{}, 'Please try again in 8.64s. Visit …', 8_640],
  [{}, 'try again later', null],
];

for (const [headers, message, milliseconds] of ANSWERS) {
  test(`${JSON.stringify(headers)} and "${message}" ask to wait ${milliseconds ?? 'for nothing usable'}`, () => {
    assert.equal(readRetryAfter(new Headers(headers), message, now), milliseconds);
  });
}

test('whatever a server says, the wait is null or between nothing and a minute', () => {
  const header = fc.oneof(
    fc.string({ unit: fc.integer({ min: 33, max: 126 }).map((code) => String.fromCharCode(code)) }),
    fc.double().map(String),
    fc.date({ noInvalidDate: true }).map((date) => date.toUTCString()),
    fc.constantFrom('Infinity', '1e999', '0x10', ''),
  );
  fc.assert(
    fc.property(fc.option(header), fc.option(header), fc.string(), (milliseconds, after, message) => {
      const headers = new Headers();
      if (milliseconds !== null) headers.set('retry-after-ms', milliseconds);
      if (after !== null) headers.set('retry-after', after);
      const wait = readRetryAfter(headers, message, now);
      assert.ok(wait === null || (Number.isInteger(wait) && wait >= 0 && wait <= MAX_RETRY_AFTER_MS), String(wait));
    }),
  );
  assert.equal(readRetryAfter(undefined, '', now), null);
});
