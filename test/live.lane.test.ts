import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { test } from 'node:test';
import { AppError } from '../src/core/errors.ts';
import { makeLiveRequest, makeLiveRequests, makeLiveWorld } from './helpers/live-world.ts';
import { until } from './helpers/manual-timers.ts';

test('every row is called once, answered, and booked as it is billed', async (t) => {
  const world = await makeLiveWorld(t, { latencyMs: 3 });
  const requests = makeLiveRequests(200);
  await world.run(requests);
  assert.deepEqual(new Set(world.outcomes(requests)), new Set(['ok']));
  const bill = world.simulator.bill();
  assert.equal(bill.length, 200);
  assert.deepEqual(bill.map(({ customId }) => customId).toSorted(), requests.map(({ customId }) => customId).toSorted());
  const events = world.readEvents();
  const announced = events.flatMap(({ type, calls }) => (type === 'call-intent' ? (calls as unknown[]) : []));
  assert.equal(announced.length, 200);
  assert.equal(world.ledger.fold.openCalls.size, 0);
});

test('the bytes of a body are sent as they were hashed', async (t) => {
  const world = await makeLiveWorld(t);
  const plain = makeLiveRequest('Grüße \u2028 😀');
  const body = plain.body.replace('{"model"', '{ "model"');
  await world.run([{ ...plain, body }]);
  const { createHash } = await import('node:crypto');
  assert.equal(world.simulator.bill()[0]?.bodySha256, createHash('sha256').update(body).digest('hex'));
});

test('lines are stored in the live file of the run with their timing', async (t) => {
  const world = await makeLiveWorld(t, { latencyMs: 5 });
  const [request] = makeLiveRequests(1);
  await world.run([request as NonNullable<typeof request>]);
  const text = fs.readFileSync(path.join(world.directory, 'responses', 'live-run-1.jsonl'), 'utf8');
  const line = JSON.parse(text) as Record<string, Record<string, unknown>>;
  assert.equal(line.custom_id as unknown, request?.customId);
  assert.equal(line.rowmill?.lane, 'live');
  assert.ok((line.rowmill?.callMs as number) >= 4);
  assert.match(line.response?.request_id as string, /^req_/);
});

test('a transient fault of the provider is retried, using an attempt each time', async (t) => {
  const world = await makeLiveWorld(t, {
    speed: 50,
    faults: [{ match: { path: '/v1/chat/completions', nth: 2 }, do: { error: 'server_error' } }],
  });
  const requests = makeLiveRequests(5);
  await world.run(requests);
  const { keys } = world.ledger;
  assert.deepEqual(world.outcomes(requests), Array(5).fill('ok'));
  assert.deepEqual(requests.map(({ key }) => keys.attempts(keys.find(key))).toSorted(), [1, 1, 1, 1, 2]);
  assert.equal(world.simulator.bill().length, 5);
});

test('a row whose attempts are used up fails, and affects no other', async (t) => {
  const world = await makeLiveWorld(t, {
    speed: 100,
    faults: [{ match: { path: '/v1/chat/completions', nth: 1 }, do: { error: 'overloaded' } }],
    attempts: 1,
  });
  const requests = makeLiveRequests(4);
  await world.run(requests);
  assert.deepEqual(world.outcomes(requests).toSorted(), ['ok', 'ok', 'ok', 'server_error']);
});

test('a lost answer may have been billed: the row is sent again, and the call is counted with its size', async (t) => {
  const world = await makeLiveWorld(t, { speed: 50, faults: [{ match: { path: '/v1/chat/completions', nth: 3 }, do: { drop: 'after' } }] });
  const requests = makeLiveRequests(6);
  await world.run(requests);
  assert.deepEqual(world.outcomes(requests), Array(6).fill('ok'));
  assert.equal(world.simulator.bill().length, 7);
  const unknown = world.ledger.fold.unknownCalls.get('run-1');
  assert.equal(unknown?.calls, 1);
  assert.ok((unknown?.sent[0]?.bodyBytes ?? 0) > 50);
  const named = world.readEvents().find(({ type }) => type === 'call-unknown') as unknown as { calls: { customId: string }[] };
  const billedTwice = world.simulator.bill().filter(({ customId }) => customId === named.calls[0]?.customId);
  assert.equal(billedTwice.length, 2);
});

test('under hold a row whose answer was lost is not sent again', async (t) => {
  const world = await makeLiveWorld(t, {
    onUnknown: 'hold',
    faults: [{ match: { path: '/v1/chat/completions', nth: 1 }, do: { drop: 'after' } }],
  });
  const requests = makeLiveRequests(3);
  await world.run(requests);
  assert.deepEqual(world.outcomes(requests).toSorted(), ['ok', 'ok', 'unknown']);
  assert.equal(world.simulator.bill().length, 3);
});

test('a request handed over twice is held once', async (t) => {
  const world = await makeLiveWorld(t, { latencyMs: 20 });
  const [request] = makeLiveRequests(1);
  assert.ok(request);
  await Promise.all([world.lane.add(request, 5), world.lane.add(request, 5)]);
  assert.equal(world.lane.filling.rows, 1);
  assert.notEqual(world.ledger.keys.shard(world.ledger.keys.find(request.key)), 0, 'it is in flight');
  await world.lane.drain();
  assert.equal(world.simulator.bill().length, 1);
  assert.equal(world.ledger.keys.shard(world.ledger.keys.find(request.key)), 0);
});

test('a retry that the budget does not allow is left to the run', async (t) => {
  const world = await makeLiveWorld(t, {
    isAffordable: () => false,
    faults: [{ match: { path: '/v1/chat/completions', nth: 1 }, do: { error: 'server_error' } }],
  });
  const requests = makeLiveRequests(2);
  await world.run(requests);
  assert.deepEqual(world.outcomes(requests).toSorted(), ['ok', 'server_error']);
  assert.equal(world.lane.takeGivenBack(), true);
});

test('stopping lets calls in flight finish, gives back the rest, and leaves nothing billed unrecorded', async (t) => {
  const world = await makeLiveWorld(t, { virtualTime: true, latencyMs: 30, jobLimits: { concurrency: 4 } });
  const requests = makeLiveRequests(7);
  const adding = Promise.all(requests.map((request) => world.lane.add(request, 5)));
  await until(() => world.lane.view.inFlight === 4);
  world.stopping.abort(new AppError('enough', { code: 'interrupted', exitCode: 130 }));
  // None is answered before time is moved on, and each is after that, whenever it comes in.
  let isSettled = false;
  const settled = adding
    .then(() => world.lane.drain())
    .then(() => {
      isSettled = true;
    });
  while (!isSettled) await world.simulator.advance(30);
  await settled;
  await assert.rejects(world.lane.nextEnd(), /enough/);
  const outcomes = world.outcomes(requests);
  assert.equal(outcomes.filter((outcome) => outcome === 'ok').length, 4);
  assert.equal(outcomes.filter((outcome) => outcome === null).length, 3);
  assert.equal(world.simulator.bill().length, 4);
  assert.equal(world.ledger.fold.openCalls.size, 0);
});

test('ending at once counts the calls in flight as possibly billed', async (t) => {
  const world = await makeLiveWorld(t, { latencyMs: 10_000, jobLimits: { concurrency: 3 } });
  const requests = makeLiveRequests(3);
  for (const request of requests) await world.lane.add(request, 5);
  while (world.lane.view.inFlight < 3) await new Promise(setImmediate);
  world.stopping.abort();
  world.ending.abort();
  await world.lane.drain();
  assert.equal(world.ledger.fold.unknownCalls.get('run-1')?.calls, 3);
  assert.equal(world.ledger.fold.openCalls.size, 0);
});
