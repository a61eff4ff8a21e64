import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createChargeProbe } from '../src/live/limits/charge-probe.ts';
import { block, correct, keepWithin, type Rates, reserve, UNUSED } from '../src/live/limits/gcra.ts';
import { readAdvertisedLimits } from '../src/live/limits/rate-headers.ts';
import { createThrottle, type ThrottleOptions } from '../src/live/limits/throttle.ts';

interface Departure {
  readonly atMs: number;
  readonly tokens: number;
}

const rates = (requestsPerMinute: number | null, tokensPerMinute: number | null, burst = 1): Rates => ({
  requests: { perMinute: requestsPerMinute, burst },
  tokens: { perMinute: tokensPerMinute, burst: burst * 10 },
});

/** The most that leaves in any window of this length. */
function mostIn(departures: readonly Departure[], windowMs: number, amountOf: (departure: Departure) => number): number {
  const sorted = departures.toSorted((a, b) => a.atMs - b.atMs);
  let most = 0;
  let sum = 0;
  let first = 0;
  for (const departure of sorted) {
    sum += amountOf(departure);
    while ((sorted[first] as Departure).atMs <= departure.atMs - windowMs) sum -= amountOf(sorted[first++] as Departure);
    most = Math.max(most, sum);
  }
  return most;
}

const step = fc.record({
  pauseMs: fc.integer({ min: 0, max: 2_000 }),
  tokens: fc.integer({ min: 1, max: 400 }),
  blockMs: fc.option(fc.integer({ min: 1, max: 5_000 }), { freq: 10 }),
});

test('no window exceeds its share of the rate plus one burst, whatever calls and blocks arrive', () => {
  fc.assert(
    fc.property(
      fc.array(step, { minLength: 1, maxLength: 200 }),
      fc.integer({ min: 10, max: 600 }),
      fc.integer({ min: 100, max: 20_000 }),
      fc.integer({ min: 1, max: 30 }),
      fc.integer({ min: 100, max: 60_000 }),
      (steps, requestsPerMinute, tokensPerMinute, burst, windowMs) => {
        const limits = rates(requestsPerMinute, tokensPerMinute, burst);
        let state = UNUSED;
        let nowMs = 0;
        const departures: Departure[] = [];
        for (const { pauseMs, tokens, blockMs } of steps) {
          nowMs += pauseMs;
          if (blockMs !== null) state = block(state, nowMs + blockMs);
          const reserved = reserve(state, limits, tokens, nowMs);
          state = reserved.state;
          departures.push({ atMs: nowMs + reserved.waitMs, tokens });
        }
        const slack = 1e-6;
        const requests = mostIn(departures, windowMs, () => 1);
        assert.ok(requests <= (requestsPerMinute * windowMs) / 60_000 + burst + slack, `${requests} requests`);
        const largest = Math.max(...steps.map(({ tokens }) => tokens));
        const tokens = mostIn(departures, windowMs, (departure) => departure.tokens);
        assert.ok(tokens <= (tokensPerMinute * windowMs) / 60_000 + Math.max(burst * 10, largest) + slack, `${tokens} tokens`);
      },
    ),
  );
});

test('a call larger than the burst passes once everything before it is paid off', () => {
  const limits = rates(null, 6_000);
  const first = reserve(UNUSED, limits, 5_000, 1_000);
  assert.equal(first.waitMs, 0);
  const second = reserve(first.state, limits, 5_000, 1_000);
  assert.equal(second.waitMs, 50_000);
  assert.equal(second.bound, 'tokens');
});

test('unused tokens of a call are given back', () => {
  const limits = rates(null, 6_000);
  const reserved = reserve(UNUSED, limits, 3_000, 0);
  const settled = correct(reserved.state, limits, { requests: 0, tokens: -2_900 });
  assert.equal(reserve(settled, limits, 10, 0).waitMs, 1_000);
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 500 }), { maxLength: 30 }), (calls) => {
      let state = reserve(UNUSED, limits, 1, 0).state;
      const before = state;
      for (const tokens of calls) state = reserve(state, limits, tokens, 0).state;
      for (const tokens of calls) state = correct(state, limits, { requests: -1, tokens: -tokens });
      // A call that waited for tokens had moved the clock of the requests, which have no limit here.
      assert.ok(Math.abs(state.tokensUsedUntilMs - before.tokensUsedUntilMs) < 1e-6);
    }),
  );
});

test('nothing leaves during a block, and no credit accumulates', () => {
  const limits = rates(60, null, 2);
  const state = block(UNUSED, 30_000);
  const waits: number[] = [];
  let current = state;
  for (let call = 0; call < 5; call += 1) {
    const reserved = reserve(current, limits, 1, 0);
    assert.equal(reserved.bound, call < 2 ? 'back-off' : 'requests');
    waits.push(reserved.waitMs);
    current = reserved.state;
  }
  assert.deepEqual(waits, [30_000, 30_000, 31_000, 32_000, 33_000]);
});

test('the remainder reported by the provider limits what leaves at once', () => {
  const limits = rates(null, 6_000, 50);
  const kept = keepWithin(UNUSED, limits, { requests: null, tokens: 100 }, 1_000);
  assert.equal(reserve(kept, limits, 100, 1_000).waitMs, 0);
  assert.equal(reserve(kept, limits, 200, 1_000).waitMs, 1_000);
});

function makeThrottle(options: Partial<ThrottleOptions> = {}) {
  const time = { nowMs: 0 };
  const throttle = createThrottle({
    requestsPerMinute: null,
    tokensPerMinute: null,
    monotonicMs: () => time.nowMs,
    random: () => 0,
    ...options,
  });
  return { throttle, time };
}

const tokenHeaders = (limit: number, remaining = limit) =>
  new Headers({
    'x-ratelimit-limit-tokens': String(limit),
    'x-ratelimit-remaining-tokens': String(remaining),
    'x-ratelimit-reset-tokens': '6m0s',
  });

const answer = (inputTokens: number, outputTokens: number, headers: Headers | null = null) => ({
  usage: { inputTokens, outputTokens, cachedInputTokens: 0, cacheWriteTokens: 0, reasoningTokens: 0 },
  isBilled: true,
  headers,
});

test('limits come from the job and from the headers, and the lower one wins', () => {
  const { throttle } = makeThrottle({ requestsPerMinute: 100, tokensPerMinute: 5_000 });
  const reservation = throttle.reserve({ promptTokens: 1, capTokens: 1 });
  throttle.correct(reservation, answer(1, 1, tokenHeaders(3_000)));
  assert.equal(throttle.view.tokensPerMinute, 3_000);
  assert.equal(throttle.view.requestsPerMinute, 100);
  throttle.correct(throttle.reserve({ promptTokens: 1, capTokens: 1 }), answer(1, 1, tokenHeaders(9_000)));
  assert.equal(throttle.view.tokensPerMinute, 5_000);
});

test('meaningless limits are unknown', () => {
  const read = (headers: Record<string, string>) => readAdvertisedLimits(new Headers(headers));
  assert.equal(read({}).requestsPerMinute, null);
  const azure = read({
    'x-ratelimit-limit-requests': '-1',
    'x-ratelimit-remaining-requests': '-1',
    'x-ratelimit-limit-tokens': '0',
    'x-ratelimit-remaining-tokens': '0',
  });
  assert.deepEqual(
    [azure.requestsPerMinute, azure.remainingRequests, azure.tokensPerMinute, azure.remainingTokens],
    [null, null, null, null],
  );
  const full = read({
    'x-ratelimit-limit-requests': '60',
    'x-ratelimit-remaining-requests': '0',
    'x-ratelimit-reset-requests': '1m12.5s',
    'x-rate-limit-reset-tokens': '20',
  });
  assert.deepEqual([full.requestsPerMinute, full.remainingRequests, full.resetRequestsMs, full.resetTokensMs], [60, 0, 72_500, 20_000]);
  assert.equal(read({ 'x-ratelimit-limit-requests': 'many' }).requestsPerMinute, null);
});

test('after fifty answers the actual output of calls is reserved, and estimates of prompts are corrected', () => {
  const { throttle } = makeThrottle();
  assert.equal(throttle.reserve({ promptTokens: 300, capTokens: 1_000 }).tokens, 1_300);
  for (let call = 0; call < 50; call += 1) throttle.correct(throttle.reserve({ promptTokens: 300, capTokens: 1_000 }), answer(100, 20));
  assert.equal(throttle.reserve({ promptTokens: 300, capTokens: 1_000 }).tokens, 120);
  assert.equal(throttle.reserve({ promptTokens: 300, capTokens: 8 }).tokens, 108);
});

test('a refusal blocks all calls for as long as it says, otherwise longer each time, and never beyond the reset in the headers', () => {
  const { throttle, time } = makeThrottle({ requestsPerMinute: 600 });
  const refuse = (retryAfterMs: number | null, headers: Headers | null = null) =>
    throttle.refuse(throttle.reserve({ promptTokens: 1, capTokens: 1 }), { retryAfterMs, isAboutTokens: false, headers });
  refuse(1_234);
  assert.equal(throttle.view.blockedMs, 1_234);
  assert.equal(throttle.isBlocked(), true);
  const waits: number[] = [];
  for (let round = 0; round < 9; round += 1) {
    time.nowMs += 100_000;
    refuse(null);
    waits.push(throttle.view.blockedMs);
  }
  assert.deepEqual(waits, [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000]);
  time.nowMs += 100_000;
  refuse(null, new Headers({ 'x-ratelimit-reset-requests': '17ms' }));
  assert.equal(throttle.view.blockedMs, 17);
});

test('refusals that arrive together count once, and use no tokens', () => {
  const { throttle, time } = makeThrottle({ tokensPerMinute: 60_000 });
  const reservations = Array.from({ length: 20 }, () => throttle.reserve({ promptTokens: 100, capTokens: 10 }));
  for (const reservation of reservations) throttle.refuse(reservation, { retryAfterMs: null, isAboutTokens: true, headers: null });
  assert.equal(throttle.view.blockedMs, 500);
  assert.equal(throttle.view.tokenCharging, 'actual');
  time.nowMs = 500;
  assert.equal(throttle.reserve({ promptTokens: 100, capTokens: 10 }).waitMs, 0);
});

test('what the first answers show while plenty is left applies at once, to calls in flight too', () => {
  for (const [remaining, isFree] of [
    [60_000, true],
    [3_000, false],
  ] as const) {
    const { throttle, time } = makeThrottle();
    const calls = Array.from({ length: 30 }, () => throttle.reserve({ promptTokens: 100, capTokens: 4_000 }));
    time.nowMs += 1_000;
    for (const call of calls.slice(0, 5)) throttle.correct(call, answer(100, 40, tokenHeaders(60_000, remaining)));
    // 25 calls under way with 4,100 tokens each would take more than a minute, with 160 they take four seconds.
    const next = throttle.reserve({ promptTokens: 100, capTokens: 4_000 });
    assert.equal(next.waitMs < 4_000, isFree, `${next.waitMs}`);
    assert.equal(next.tokens, isFree ? 160 : 4_100);
  }
});

test('until answers have shown what calls use, nothing is reserved far ahead', () => {
  const { throttle } = makeThrottle({ tokensPerMinute: 6_000 });
  const wanted = { promptTokens: 100, capTokens: 900 };
  throttle.reserve(wanted);
  const [second, third] = [throttle.reserve(wanted), throttle.reserve(wanted)];
  assert.deepEqual([second.isFarOff, third.isFarOff, third.waitMs === second.waitMs], [true, true, true]);
  throttle.cancel(second);
  assert.equal(throttle.reserve(wanted).waitMs, third.waitMs);
});

test('refusals about tokens below the limit show that the provider charges reservations', () => {
  const { throttle, time } = makeThrottle({ tokensPerMinute: 60_000 });
  for (let round = 0; round < 3; round += 1) {
    time.nowMs += 10_000;
    throttle.refuse(throttle.reserve({ promptTokens: 1, capTokens: 1 }), { retryAfterMs: 100, isAboutTokens: true, headers: null });
  }
  assert.equal(throttle.view.tokenCharging, 'reserved');
  time.nowMs += 60_000;
  const first = throttle.reserve({ promptTokens: 500, capTokens: 20_000 });
  throttle.correct(first, answer(500, 5));
  const second = throttle.reserve({ promptTokens: 500, capTokens: 20_000 });
  assert.ok(second.waitMs > 15_000, 'nothing was given back');
});

test('the decrease in the headers shows what the provider charges, unless others use the limit too', () => {
  const TOKENS_PER_MINUTE = 600_000;
  const probe = (chargedPerCall: number, remainingAtFirst = 60_000) => {
    const chargeProbe = createChargeProbe();
    // A call every 10 ms, in which 100 tokens come back; the answers do not keep the order.
    const answers = Array.from({ length: 80 }, (_, call) => ({
      remainingTokens: remainingAtFirst - call * (chargedPerCall - 100),
      tokensPerMinute: TOKENS_PER_MINUTE,
      atMs: call * 10,
      usedTokens: 120,
      cappedTokens: 200,
    }));
    const shuffled = answers.flatMap((answer, call) => (call % 2 === 0 ? [answers[call + 1] ?? answer, answer] : []));
    return shuffled.map((answer) => chargeProbe.observe(answer)).find((kind) => kind !== null) ?? null;
  };
  assert.equal(probe(120), 'actual');
  assert.equal(probe(200), 'reserved');
  assert.equal(probe(800), null);
  assert.equal(probe(200, 500_000), null, 'a limit that may be full tells nothing');
});

test('if the provider charges by its headers, the remainder in them counts', () => {
  const { throttle } = makeThrottle({ tokenCharging: 'header', tokensPerMinute: 60_000 });
  const first = throttle.reserve({ promptTokens: 30_000, capTokens: 1 });
  throttle.correct(first, answer(10, 1, tokenHeaders(60_000, 59_000)));
  assert.equal(throttle.reserve({ promptTokens: 100, capTokens: 1 }).waitMs, 0);
});

test('a call that never left gives everything back', () => {
  const { throttle } = makeThrottle({ requestsPerMinute: 60, tokensPerMinute: 600 });
  const waits = Array.from({ length: 50 }, () => {
    const reservation = throttle.reserve({ promptTokens: 200, capTokens: 1 });
    throttle.cancel(reservation);
    return reservation.waitMs;
  });
  assert.deepEqual(new Set(waits), new Set([0]));
});
