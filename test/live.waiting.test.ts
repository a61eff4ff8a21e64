import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { makeKey } from '../src/core/request.ts';
import { formatWait } from '../src/core/waiting/wait-teller.ts';
import type { CallOutcome } from '../src/live/call.ts';
import { createThrottle } from '../src/live/limits/throttle.ts';
import { createWaitNotices } from '../src/live/limits/wait-notices.ts';
import { createLocalQueue } from '../src/live/local/local-queue.ts';
import { ApiError } from '../src/openai/api-error.ts';
import { runsOf } from './helpers/wide.ts';

const START = Date.parse('2026-11-29T12:00:00Z');
const SILENCE_MS = 5_000;
const DAY_MS = 86_400_000;

interface Told {
  readonly atMs: number;
  readonly message: string;
}

interface Slept {
  readonly fromMs: number;
  readonly milliseconds: number;
}

const answered: CallOutcome = { status: 'answered', line: '{}', usage: null, headers: null, failure: null };

function refused(askedMs: number | null): CallOutcome {
  const failure = new ApiError('429 Rate limit reached', {
    kind: 'wait',
    code: 'rate_limit_exceeded',
    status: 429,
    askedMs,
    retryAfterMs: askedMs === null ? null : Math.min(askedMs, 60_000),
  });
  return { status: 'wait', failure, headers: null, isAboutTokens: false };
}

const unreached: CallOutcome = {
  status: 'not-sent',
  failure: new ApiError('no connection (ECONNREFUSED)', { kind: 'not-sent', code: 'ECONNREFUSED' }),
  headers: null,
  isAboutTokens: false,
};

/** One row after the other through the queue, on a clock that only sleeps move. */
async function makeCalls(
  outcomes: readonly CallOutcome[],
  options: { readonly requestsPerMinute?: number; readonly rows?: number; readonly delayMs?: number } = {},
) {
  const { requestsPerMinute = null, rows = 1, delayMs = 0 } = options;
  let nowMs = 0;
  const told: Told[] = [];
  const slept: Slept[] = [];
  const waitedFor: unknown[] = [];
  const left = [...outcomes];
  const signal = new AbortController().signal;
  const queue = createLocalQueue({
    makeCall: async () => left.shift() ?? answered,
    throttle: createThrottle({ requestsPerMinute, tokensPerMinute: null, monotonicMs: () => nowMs, random: () => 0 }),
    ceiling: 1,
    clock: () => new Date(START + nowMs),
    monotonicMs: () => nowMs,
    async sleep(milliseconds) {
      slept.push({ fromMs: nowMs, milliseconds });
      waitedFor.push(queue.view.pace?.waitingFor);
      nowMs += milliseconds;
    },
    random: () => 0,
    warn: (message) => void told.push({ atMs: nowMs, message }),
    signal,
  });
  await queue.attach({
    announce: async () => {},
    record: async () => {},
    halt: (error) => told.push({ atMs: nowMs, message: `halt: ${error.message}` }),
  });
  const url = '/v1/chat/completions';
  for (let row = 0; row < rows; row += 1) {
    const body = JSON.stringify({ model: 'm', messages: [{ role: 'user', content: String(row) }] });
    const key = makeKey(url, body);
    await queue.add({ request: { key, customId: key, url, body }, promptTokens: 5, delayMs });
    await queue.drain();
  }
  return { told, slept, waitedFor, nowMs: () => nowMs };
}

const messages = (told: readonly Told[]) => told.map(({ message }) => message);

test("a Retry-After of a day is reported once, with its end and the provider's message", async () => {
  const { told, slept } = await makeCalls([refused(DAY_MS), refused(DAY_MS - 60_000), refused(DAY_MS - 120_000)]);
  assert.deepEqual(messages(told), [
    'the provider asks to wait 24 h, until 2026-11-30 12:00 UTC: 429 Rate limit reached; calls are retried every minute, and nothing is lost if you stop',
  ]);
  assert.deepEqual(
    slept.map(({ milliseconds }) => milliseconds),
    [60_000, 60_000, 60_000],
  );
});

test('an unreachable provider is reported within five seconds, and again each minute', async () => {
  const { told, waitedFor } = await makeCalls(Array.from({ length: 12 }, () => unreached));
  assert.deepEqual([...new Set(waitedFor)], ['back-off']);
  assert.ok((told[0]?.atMs ?? Number.NaN) <= SILENCE_MS);
  assert.match(told[0]?.message ?? '', /^waiting for the provider since 2026-11-29 12:00 UTC: no connection \(ECONNREFUSED\)/);
  assert.ok(told.length >= 3 && told.length <= 7, String(told.length));
});

test('a limit that makes calls wait is reported once', async () => {
  const { told } = await makeCalls([], { requestsPerMinute: 5, rows: 6 });
  assert.equal(told.length, 1);
  assert.match(told[0]?.message ?? '', /limit of requests per minute, the next one for 1[23] s/);
});

test('a row that waits long after a transient fault is reported', async () => {
  const { told } = await makeCalls([], { delayMs: 8_000 });
  assert.deepEqual(messages(told), ['rows that hit a temporary error wait up to 8 s before they are retried']);
});

test('short waits are not reported: a refusal of two seconds, one failed connection, a pause of a second', async () => {
  assert.deepEqual((await makeCalls([refused(2_000), refused(2_000)])).told, []);
  assert.deepEqual((await makeCalls([unreached, answered])).told, []);
  assert.deepEqual((await makeCalls([], { delayMs: 1_000 })).told, []);
});

test('short waits in succession without an answer become a long one, which is reported', async () => {
  const { told } = await makeCalls(Array.from({ length: 4 }, () => refused(2_000)));
  assert.equal(told.length, 1);
});

test('whatever the provider answers, no wait of more than five seconds goes unreported', async () => {
  const outcome = fc.oneof(fc.constant(unreached), fc.constant(answered), fc.option(fc.integer({ min: 0, max: 2 * DAY_MS })).map(refused));
  await fc.assert(
    fc.asyncProperty(
      fc.array(outcome, { maxLength: 12 }),
      fc.option(fc.integer({ min: 1, max: 60 })),
      async (outcomes, requestsPerMinute) => {
        const { told, slept } = await makeCalls(outcomes, { rows: 3, ...(requestsPerMinute === null ? {} : { requestsPerMinute }) });
        for (const { fromMs, milliseconds } of slept.filter((wait) => wait.milliseconds > SILENCE_MS)) {
          const before = told.filter(({ atMs }) => atMs <= fromMs);
          // A limit of the account is told once; anything else was told within the last minute or so, or with an end that is still to come.
          assert.ok(before.length > 0, `${milliseconds} ms at ${fromMs} ms`);
        }
      },
    ),
    { numRuns: runsOf(60) },
  );
});

test('a report does not cover waits that follow an answer', () => {
  let nowMs = 0;
  const told: string[] = [];
  const notices = createWaitNotices({
    warn: (message) => void told.push(message),
    clock: () => new Date(START + nowMs),
    monotonicMs: () => nowMs,
  });
  const wait = { type: 'unreached', milliseconds: 8_000, failure: null } as const;
  notices.begin(wait);
  notices.begin(wait);
  assert.equal(told.length, 1);
  notices.onAnswer();
  nowMs += 9_000;
  notices.begin({ ...wait, milliseconds: 1_000 });
  assert.equal(told.length, 1);
  nowMs += 1_000;
  notices.begin(wait);
  assert.equal(told.length, 2);
});

test('waits are shown in units that need no arithmetic', () => {
  for (const [milliseconds, text] of [
    [400, '1 s'],
    [119_000, '119 s'],
    [865_000, '15 min'],
    [7_200_000, '2 h'],
    [9_000_000, '2 h 30 min'],
    [DAY_MS, '24 h'],
  ] as const)
    assert.equal(formatWait(milliseconds), text);
});
