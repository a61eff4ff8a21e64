import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AloneGate } from '../src/live/worker/isolate.ts';

test('a suspect call waits until the others are done, and none starts meanwhile', async () => {
  const gate = new AloneGate();
  const order: string[] = [];
  const leaveFirst = await gate.enter(false);
  const leaveSecond = await gate.enter(false);
  const suspect = gate.enter(true).then((leave) => {
    order.push('suspect');
    return leave;
  });
  const later = gate.enter(false).then((leave) => {
    order.push('later');
    return leave;
  });
  leaveFirst();
  order.push('first is through');
  await Promise.resolve();
  leaveSecond();
  order.push('second is through');
  const leaveSuspect = await suspect;
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(order, ['first is through', 'second is through', 'suspect']);
  leaveSuspect();
  (await later)();
  assert.equal(order.at(-1), 'later');
});

test('two suspect calls run one after the other', async () => {
  const gate = new AloneGate();
  const leave = await gate.enter(true);
  let hasEntered = false;
  const second = gate.enter(true).then((leaveSecond) => {
    hasEntered = true;
    return leaveSecond;
  });
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(hasEntered, false);
  leave();
  (await second)();
  (await gate.enter(false))();
});
