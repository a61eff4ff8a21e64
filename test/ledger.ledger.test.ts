import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import {
  describeKeys,
  finish,
  k,
  makeAnswerLine,
  makeErrorLine,
  makeLedgerWorld,
  record,
  startRun,
  submit,
} from './helpers/ledger-world.ts';

test('an answer is found by its key, with its value, its usage and its place', async (t) => {
  const world = makeLedgerWorld(t);
  const ledger = await world.open();
  await startRun(ledger, 'run-1');
  await submit(ledger, 'batch_1', [k(0), k(1)]);
  assert.equal(ledger.keys.shard(ledger.keys.find(k(0))), 1);
  const file = await record(ledger, 'batch_1', [makeAnswerLine(k(1), 'yes'), makeAnswerLine(k(0), 'wrong')]);
  assert.equal(await finish(ledger, 'batch_1'), 0);

  const id = ledger.keys.find(k(1));
  assert.equal(ledger.keys.outcome(id), 'ok');
  assert.equal(ledger.keys.shard(id), 0);
  assert.equal(ledger.readAnswer(id).outcome.value, 'yes');
  assert.equal(ledger.readAnswer(id).lane, 'batch');
  assert.equal(ledger.keys.outcome(ledger.keys.find(k(0))), 'invalid');
  assert.equal(ledger.keys.find(k(2)), -1);
  assert.deepEqual(
    world.visited.map(({ record }) => [record.customId, record.outcome, record.usage?.inputTokens, record.run, record.createdSeconds]),
    [
      [k(1), 'ok', 10, 'run-1', 1795219200],
      [k(0), 'invalid', 10, 'run-1', 1795219200],
    ],
  );
  assert.deepEqual(
    { lines: file.lines, run: file.run, lane: file.lane, number: file.number },
    { lines: 2, run: 'run-1', lane: 'batch', number: 1 },
  );
  assert.equal(fs.existsSync(ledger.shardPath('000001')), false);
});

test('a reopened ledger knows what the first one knew, and visits every record again', async (t) => {
  const world = makeLedgerWorld(t);
  const ledger = await world.open();
  await startRun(ledger, 'run-1');
  await submit(ledger, 'batch_1', [k(0), k(1), k(2), k(3)]);
  await record(ledger, 'batch_1', [makeAnswerLine(k(1), 'yes'), makeAnswerLine(k(0), 'wrong')]);
  await record(ledger, 'batch_1', [makeErrorLine(k(2), 'batch_expired')], 'error');
  assert.equal(await finish(ledger, 'batch_1', 'expired'), 1);
  await submit(ledger, 'batch_2', [`${k(0)}-r1`, k(2)]);
  await record(ledger, 'batch_2', [makeAnswerLine(`${k(0)}-r1`, 'wrong')]);
  const keys = [0, 1, 2, 3, 4].map(k);
  const before = describeKeys(ledger, keys);
  const visited = world.visited.splice(0);
  await ledger.close();

  for (const access of ['write', 'read'] as const) {
    const again = await world.open({ access });
    assert.deepEqual(describeKeys(again, keys), before);
    assert.deepEqual(world.visited.splice(0), visited);
    assert.deepEqual(await again.readShardIds('000002'), [`${k(0)}-r1`, k(2)]);
    await again.close();
  }
  fs.rmSync(path.join(world.directory, 'settled.jsonl'));
  for (const access of ['read', 'write'] as const) {
    const again = await world.open({ access });
    assert.deepEqual(describeKeys(again, keys), before);
    assert.deepEqual(world.visited.splice(0), visited);
    await again.close();
  }
});
