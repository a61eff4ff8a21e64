import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AppError } from '../src/core/errors.ts';
import { startSimulator } from '../src/simulator/start.ts';
import { type LiveWorldOptions, makeLiveRequest, makeLiveRequests, makeLiveWorld } from './helpers/live-world.ts';
import { createManualTimers, until } from './helpers/manual-timers.ts';
import { someOf, wideTest } from './helpers/wide.ts';

const CALLS = { path: '/v1/chat/completions' };

/** What one call comes to when this is done to it and the next ones are left alone. */
const FATES: readonly {
  readonly title: string;
  readonly does: Readonly<Record<string, unknown>>;
  /** Attempts the row has used when it is answered well at last, or its failure. */
  readonly attempts: number;
  readonly outcome?: string;
  readonly unknown?: number;
  readonly bill: number;
  /** Its answer does not come to its end: the call's deadline has to pass. */
  readonly isSilent?: boolean;
}[] = [
  { title: '500 with an API error', does: { error: 'server_error' }, attempts: 2, bill: 1 },
  { title: '503 overloaded', does: { error: 'overloaded' }, attempts: 2, bill: 1 },
  { title: '408 with an API error', does: { error: 'request_timeout' }, attempts: 2, bill: 1 },
  { title: '409 with an API error', does: { error: 'conflict' }, attempts: 2, bill: 1 },
  { title: '502 of a proxy', does: { html: 502 }, attempts: 2, unknown: 1, bill: 1 },
  { title: '200 with a page of a proxy', does: { html: 200, processed: true }, attempts: 2, unknown: 1, bill: 2 },
  { title: '200 with nothing', does: { empty: 200, processed: true }, attempts: 2, unknown: 1, bill: 2 },
  {
    title: '200 that is not a completion',
    does: { status: 200, body: { hello: 1 }, processed: true },
    attempts: 1,
    outcome: 'invalid',
    bill: 1,
  },
  { title: '200 that is null', does: { status: 200, body: 'null' }, attempts: 2, unknown: 1, bill: 1 },
  { title: 'reset before it was processed', does: { drop: 'before' }, attempts: 2, unknown: 1, bill: 1 },
  { title: 'reset after it was processed', does: { drop: 'after' }, attempts: 2, unknown: 1, bill: 2 },
  { title: 'a body cut as if whole', does: { cutAtByte: 50 }, attempts: 2, unknown: 1, bill: 2 },
  { title: 'a body that breaks off', does: { cutAtByte: 50, close: true }, attempts: 2, unknown: 1, bill: 2 },
  { title: 'no answer', does: { hang: true, processed: true }, attempts: 2, unknown: 1, bill: 2, isSilent: true },
  { title: 'a body that hardly comes', does: { dripBytes: 1, everyMs: 50 }, attempts: 2, unknown: 1, bill: 2, isSilent: true },
  { title: '429 too fast', does: { error: 'rate_limit_exceeded' }, attempts: 1, bill: 1 },
  { title: '429 without capacity for flex', does: { error: 'flex_unavailable' }, attempts: 1, bill: 1 },
  { title: '429 too large', does: { error: 'request_too_large' }, attempts: 1, outcome: 'bad_request', bill: 0 },
  {
    title: '400',
    does: { status: 400, body: { error: { message: 'no', type: 'invalid_request_error', code: 'nope' } } },
    attempts: 1,
    outcome: 'bad_request',
    bill: 0,
  },
  { title: '413 without a word', does: { status: 413, body: '' }, attempts: 1, outcome: 'bad_request', bill: 0 },
  {
    title: '422',
    does: { status: 422, body: { error: { message: 'no', type: 'invalid_request_error' } } },
    attempts: 1,
    outcome: 'bad_request',
    bill: 0,
  },
];

for (const { title, does, attempts, outcome = 'ok', unknown = 0, bill, isSilent = false } of someOf(FATES, 6)) {
  test(`${title}: ${outcome} after ${attempts}, ${unknown} possibly billed`, async (t) => {
    const timers = createManualTimers();
    const world = await makeLiveWorld(t, {
      speed: 100,
      startTimer: timers.startTimer,
      faults: [{ match: { ...CALLS, nth: 1 }, do: does }],
    });
    const request = makeLiveRequest('one');
    const running = world.run([request]);
    if (isSilent) await until(() => world.simulator.bill().length === 1).then(timers.fire);
    await running;
    const { keys, fold } = world.ledger;
    const id = keys.find(request.key);
    assert.equal(world.simulator.faultsFired()[0]?.fired, 1);
    assert.equal(keys.outcome(id), outcome);
    assert.equal(keys.attempts(id), attempts);
    assert.equal(fold.unknownCalls.get('run-1')?.calls ?? 0, unknown);
    assert.equal(world.simulator.bill().length, bill);
    assert.equal(fold.openCalls.size, 0);
    const billedBeyond = world.simulator.bill().length - (outcome === 'ok' || outcome === 'invalid' ? 1 : 0);
    assert.ok(billedBeyond <= unknown, 'what was billed without an answer is counted');
  });
}

test('an unreachable provider uses no attempt, and after ten minutes ends the run', async (t) => {
  const closed = await startSimulator();
  await closed.close();
  const world = await makeLiveWorld(t, { speed: 20_000, baseUrl: closed.url });
  const request = makeLiveRequest('one');
  await assert.rejects(
    world.run([request]),
    (error: AppError) => error.exitCode === 7 && /unreachable for ten minutes/.test(error.message),
  );
  await world.lane.drain();
  assert.equal(world.ledger.keys.outcome(world.ledger.keys.find(request.key)), null);
  assert.equal(world.ledger.fold.openCalls.size, 0);
  assert.ok(world.readEvents().some(({ type }) => type === 'call-refused'));
});

const STOPS: readonly {
  readonly title: string;
  readonly does: Readonly<Record<string, unknown>>;
  readonly exitCode: number;
  readonly says: RegExp;
}[] = [
  { title: 'a refused key', does: { error: 'invalid_api_key' }, exitCode: 4, says: /refused the API key/ },
  { title: 'a key without permission', does: { error: 'permission_denied' }, exitCode: 4, says: /refused the API key/ },
  { title: 'no quota', does: { error: 'insufficient_quota' }, exitCode: 5, says: /no money or quota left/ },
  { title: 'the hard limit of billing', does: { error: 'billing_hard_limit_reached' }, exitCode: 5, says: /no money or quota left/ },
  { title: 'a redirect', does: { redirect: 'http://elsewhere.invalid/v1' }, exitCode: 2, says: /redirects to elsewhere.invalid/ },
];

for (const { title, does, exitCode, says } of someOf(STOPS, 4)) {
  test(`${title} stops the lane after the calls in flight, and affects no row`, async (t) => {
    const concurrency = 4;
    const options: LiveWorldOptions = { latencyMs: 5, jobLimits: { concurrency }, faults: [{ match: { ...CALLS }, do: does }] };
    const world = await makeLiveWorld(t, options);
    const requests = makeLiveRequests(100);
    await assert.rejects(world.run(requests), (error: AppError) => error.exitCode === exitCode && says.test(error.message));
    await world.lane.drain();
    assert.ok((world.simulator.requests()['POST /v1/chat/completions'] ?? 0) <= concurrency + 1);
    assert.deepEqual(new Set(world.outcomes(requests)), new Set([null]));
    assert.equal(world.ledger.fold.openCalls.size, 0);
    assert.equal(world.simulator.bill().length, 0);
  });
}

test('a model the provider does not offer stops the lane', async (t) => {
  const world = await makeLiveWorld(t);
  await assert.rejects(
    world.run(makeLiveRequests(5, { model: 'gpt-nonesuch' })),
    (error: AppError) => error.exitCode === 4 && /does not offer this model/.test(error.message),
  );
});

test('a key refused during a run keeps what was answered', async (t) => {
  const world = await makeLiveWorld(t, {
    jobLimits: { concurrency: 2 },
    faults: [{ match: { ...CALLS, nth: 20 }, do: { error: 'invalid_api_key' } }],
  });
  const requests = makeLiveRequests(60);
  await assert.rejects(world.run(requests), (error: AppError) => error.exitCode === 4);
  await world.lane.drain();
  const answered = world.outcomes(requests).filter((outcome) => outcome === 'ok').length;
  assert.equal(answered, world.simulator.bill().length);
  assert.ok(answered >= 18 && answered <= 21, `${answered}`);
});

test('the same refusal of all first rows is the job’s fault: the rest is left untouched', async (t) => {
  const faults = [{ match: { ...CALLS }, do: { status: 400, body: { error: { message: 'bad schema', code: 'invalid_schema' } } } }];
  const world = await makeLiveWorld(t, { jobLimits: { concurrency: 2 }, faults });
  const requests = makeLiveRequests(50);
  await assert.rejects(
    world.run(requests),
    (error: AppError) => error.exitCode === 5 && /first 8 calls all failed with the same error: 400 bad schema/.test(error.message),
  );
  await world.lane.drain();
  const failed = world.outcomes(requests).filter((outcome) => outcome === 'bad_request').length;
  assert.ok(failed >= 8 && failed <= 10, `${failed}`);
});

test('one answered row shows that the job is not at fault', async (t) => {
  const world = await makeLiveWorld(t, { jobLimits: { concurrency: 1 } });
  const good = makeLiveRequest('good');
  const bad = makeLiveRequests(12, { temperature: 'hot' });
  await world.run([good, ...bad]);
  assert.deepEqual(new Set(world.outcomes(bad)), new Set(['bad_request']));
});

for (const retryAfter of someOf(['both', 'ms', 'seconds', 'date', 'none'] as const, 1)) {
  wideTest(`with limits the lane has to find out, 429s naming "${retryAfter}" cost no row and no attempt`, async (t) => {
    const world = await makeLiveWorld(t, { speed: 10, latencyMs: 20, requestsPerMinute: 120, burstSeconds: 1, retryAfter });
    const requests = makeLiveRequests(20);
    await world.run(requests);
    assert.ok((world.lane.view.pace?.refusals ?? 0) > 0);
    assert.deepEqual(new Set(world.outcomes(requests)), new Set(['ok']));
    const { keys } = world.ledger;
    assert.deepEqual(new Set(requests.map(({ key }) => keys.attempts(keys.find(key)))), new Set([1]));
    assert.equal(world.simulator.bill().length, 20);
  });
}

wideTest('limits known beforehand are kept without a single 429', async (t) => {
  const world = await makeLiveWorld(t, {
    speed: 20,
    latencyMs: 20,
    requestsPerMinute: 1_200,
    burstSeconds: 5,
    jobLimits: { requestsPerMinute: 1_200 },
  });
  await world.run(makeLiveRequests(150));
  assert.equal(world.lane.view.pace?.refusals, 0);
});

test('the view shows what the lane waits for', async (t) => {
  const world = await makeLiveWorld(t, { latencyMs: 30, jobLimits: { requestsPerMinute: 60, concurrency: 8 } });
  const requests = makeLiveRequests(10);
  for (const request of requests) await world.lane.add(request, 5);
  while ((world.lane.view.pace?.latencyMs ?? null) === null) await world.lane.nextChange();
  const { pace, waiting } = world.lane.view;
  assert.equal(pace?.waitingFor, 'requests');
  assert.equal(pace?.requestsPerMinute, 60);
  assert.ok((pace?.requestsLastMinute ?? 0) >= 2);
  assert.ok(waiting >= 6);
  assert.ok((pace?.latencyMs?.p50 ?? 0) >= 25);
});
