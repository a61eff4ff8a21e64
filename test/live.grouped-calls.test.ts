import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findJobId, makeGroupedCallId, makeGroupId, makeJobId, readJobId } from '../src/live/redis/keys.ts';
import { createTogether } from '../src/live/redis/together.ts';
import { CallSlots } from '../src/live/worker/call-slots.ts';
import { listCalls } from '../src/live/worker/read-job.ts';

const STATE = 'a-state';
const [ONE, TWO] = ['abcdefghijklmnopqrst-_', 'bbcdefghijklmnopqrst-_-o2'];
const never = new AbortController().signal;
const nextTurn = () => new Promise<void>((resolve) => setImmediate(resolve));

test('the id of a call shows its job, alone or with others', () => {
  const alone = makeJobId(STATE, ONE, 7);
  assert.deepEqual([findJobId(STATE, alone), readJobId(STATE, alone)], [alone, ONE]);
  const group = makeGroupId(STATE, 8);
  for (const customId of [ONE, TWO]) {
    const callId = makeGroupedCallId(STATE, group, customId) as string;
    assert.deepEqual([findJobId(STATE, callId), readJobId(STATE, callId)], [group, customId]);
    assert.notEqual(callId, makeJobId(STATE, customId, 8));
  }
  for (const none of [alone, `${STATE}-g-`, `${STATE}-g-x`, makeGroupId('another', 8)])
    assert.equal(makeGroupedCallId(STATE, none, ONE), null);
  // The first protocol removes a job in whose id it finds no call, and leaves alone what a newer runner wrote.
  assert.notEqual(readJobId(STATE, group), null);
});

test('a worker finds the calls of a job, including those of the first protocol, and nothing in foreign jobs', () => {
  const [alone, group] = [makeJobId(STATE, ONE, 7), makeGroupId(STATE, 8)];
  const [first, second] = [{ custom_id: ONE }, { custom_id: TWO }];
  assert.deepEqual(listCalls(STATE, alone, first), [{ state: STATE, callId: alone, customId: ONE, data: first }]);
  assert.deepEqual(
    listCalls(STATE, group, { calls: [first, second, null, 'call me', { custom_id: 1 }] }).map(({ customId, data }) => [customId, data]),
    [
      [ONE, first],
      [TWO, second],
    ],
  );
  // Its one call is refused as unreadable, or left to a newer worker.
  for (const data of [{}, { calls: [] }, { calls: 'all' }, { calls: [null] }]) assert.equal(listCalls(STATE, group, data).length, 1);
  for (const jobId of ['job-1', STATE, `${STATE}-`]) assert.deepEqual(listCalls(STATE, jobId, { calls: [first] }), []);
});

test('requests of one turn share a command, separately for each state, up to the size of a command', async () => {
  const link = {};
  const asked: string[][] = [];
  const ask = createTogether<object, string, string>(
    async (_link, state, items) => {
      asked.push([...items]);
      if (state === 'failing') throw new Error('refused');
      return items.map((item) => `${item[0]}!`);
    },
    (item) => item.length,
  );
  const failing = Promise.allSettled([ask(link, 'failing', 'x'), ask(link, 'failing', 'y')]);
  const answers = ['a', 'b'.repeat(600_000), 'c'.repeat(600_000), 'd'].map((item) => ask(link, 'state', item));
  assert.deepEqual(await Promise.all(answers), ['a!', 'b!', 'c!', 'd!']);
  assert.deepEqual(
    (await failing).map(({ status }) => status),
    ['rejected', 'rejected'],
  );
  assert.deepEqual(
    asked.map((items) => items.map((item) => item[0])),
    [
      ['x', 'y'],
      ['a', 'b'],
      ['c', 'd'],
    ],
  );
  assert.equal(await ask(link, 'state', 'e'), 'e!');
  assert.equal(asked.length, 4);
});

test('no more calls are made at once than a worker allows, however many its jobs carry; an interrupted one does not wait', async () => {
  const slots = new CallSlots(2, () => {});
  const ends: (() => void)[] = [];
  const run = (signal: AbortSignal) => slots.run(() => new Promise<void>((resolve) => ends.push(resolve)), [signal]);
  const running = [run(never), run(never), run(never)];
  assert.deepEqual([slots.atWork, slots.hasRoom], [2, false]);
  const interruption = new AbortController();
  running.push(run(interruption.signal));
  await nextTurn();
  assert.equal(ends.length, 2);
  interruption.abort();
  await nextTurn();
  assert.equal(ends.length, 3, 'it gives itself back at once');
  ends[2]?.();
  ends[0]?.();
  await nextTurn();
  assert.deepEqual([ends.length, slots.atWork, slots.hasRoom], [4, 2, false]);
  slots.limit = 3;
  assert.equal(slots.hasRoom, true);
  for (const end of ends) end();
  await Promise.all(running);
  assert.equal(slots.atWork, 0);
});
