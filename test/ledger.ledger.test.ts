import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import {
  create,
  describeKeys,
  finish,
  k,
  makeAnswerLine,
  makeErrorLine,
  makeLedgerWorld,
  record,
  startRun,
  submit,
  uploadShard,
  writeShard,
} from './helpers/ledger-world.ts';

test('an answer is found by its key, with its value, its usage and its location', async (t) => {
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

test('reading creates nothing, not even a directory', async (t) => {
  const world = makeLedgerWorld(t);
  await assert.rejects(world.read(), { name: 'NoStateError', code: 'no_state', exitCode: 2 });
  assert.equal(fs.existsSync(world.directory), false);
});

test('a reader works during a run and refuses to write', async (t) => {
  const world = makeLedgerWorld(t);
  const ledger = await world.open();
  await startRun(ledger, 'run-1');
  await submit(ledger, 'batch_1', [k(0)]);
  const reader = await world.read();
  assert.equal(reader.fold.shards.get('000001')?.status, 'submitted');
  assert.equal(reader.stateId, ledger.stateId);
  await assert.rejects(reader.append({ type: 'cancel-intent', batchId: 'batch_1' }), /opened for reading/);
  assert.throws(() => reader.nextShardId(), /opened for reading/);
  await assert.rejects(world.open(), { name: 'LockHeldError', exitCode: 6 });
});

test('only the owner can access anything, whatever the umask', async (t) => {
  const before = process.umask(0o000);
  t.after(() => process.umask(before));
  const world = makeLedgerWorld(t);
  for (const umask of [0o000, 0o022, 0o277]) {
    process.umask(umask);
    const ledger = await world.open();
    await startRun(ledger, `run-${umask}`);
    await submit(ledger, `batch_${umask}`, [k(umask)]);
    await writeShard(ledger, [k(0)]);
    await record(ledger, `batch_${umask}`, [makeAnswerLine(k(umask), 'yes')]);
    ledger.runFiles.writeRunFile(`run-${umask}`, 'summary.json', '{}');
    const rows = ledger.runFiles.createRunRowsWriter(`run-${umask}`);
    rows.add('12345678', k(umask));
    rows.finish();
    await ledger.close();
  }
  const paths = [
    world.directory,
    ...fs.readdirSync(world.directory, { recursive: true }).map((name) => path.join(world.directory, String(name))),
  ];
  assert.ok(paths.length > 10);
  for (const each of paths) {
    const stat = fs.statSync(each);
    assert.equal((stat.mode & 0o777).toString(8), stat.isDirectory() ? '700' : '600', each);
  }
});

test('no batch id leads out of the directory', async (t) => {
  const world = makeLedgerWorld(t);
  const ledger = await world.open();
  const parent = path.dirname(world.directory);
  const before = fs.readdirSync(parent);
  for (const batchId of ['../../escape', '/etc/x', '.hidden', 'a/b', 'a\0b', '..', '', 'x'.repeat(400), 'batch_é']) {
    await submit(ledger, batchId, [k(batchId.length)]);
    const file = await record(ledger, batchId, [makeAnswerLine(k(batchId.length), 'yes')]);
    assert.match(file.name, /^hashed-[0-9a-f]{32}\.output\.jsonl$/);
    assert.equal(file.batchId, batchId);
    assert.equal(ledger.keys.outcome(ledger.keys.find(k(batchId.length))), 'ok');
  }
  for (const name of ['../events.jsonl', '.tmp-x', '']) assert.throws(() => ledger.responsePath(name), { name: 'LedgerError' });
  assert.throws(() => ledger.shardPath('../x'), { name: 'LedgerError' });
  assert.deepEqual(fs.readdirSync(parent), before);
  await ledger.close();
  const again = await world.open();
  assert.equal(again.files.length, 9);
});

test('requests without a line end according to the status of their batch', async (t) => {
  const world = makeLedgerWorld(t);
  const ledger = await world.open();
  await startRun(ledger, 'run-1');
  for (const [position, [status, outcome]] of (
    [
      ['expired', 'expired'],
      ['cancelled', 'cancelled'],
      ['completed', 'missing'],
      ['lost', 'unknown'],
    ] as const
  ).entries()) {
    const [answered, absent] = [k(position * 2), k(position * 2 + 1)];
    await submit(ledger, `batch_${position}`, [answered, absent]);
    await record(ledger, `batch_${position}`, [makeAnswerLine(answered, 'yes')]);
    assert.equal(await finish(ledger, `batch_${position}`, status), 1);
    const id = ledger.keys.find(absent);
    const { keys } = ledger;
    assert.deepEqual([keys.outcome(id), keys.shard(id), keys.location(id)], [outcome, 0, null]);
    // A lost batch may have executed the request: that is an attempt.
    assert.deepEqual([keys.attempts(id), keys.idleRounds(id)], status === 'lost' ? [1, 0] : [0, 1]);
    const { line, outcome: again } = ledger.readAnswer(id);
    assert.deepEqual([line, again.status, again.isBilled], [null, outcome, false]);
    assert.notEqual(again.message, '');
    assert.equal(await finish(ledger, `batch_${position}`, status), 0, 'finishing twice changes nothing');
    assert.equal(keys.attempts(id) + keys.idleRounds(id), 1);
  }
});

test('idle rounds are counted while nothing is executed, and start again at zero after an attempt', async (t) => {
  const world = makeLedgerWorld(t);
  const ledger = await world.open();
  await startRun(ledger, 'run-1');
  const seen: unknown[] = [];
  for (const [round, lines] of [[], [makeErrorLine(k(0), 'batch_expired')], [makeErrorLine(k(0), 'x')], []].entries()) {
    await submit(ledger, `batch_${round}`, [k(0)]);
    await record(ledger, `batch_${round}`, lines, 'error');
    await finish(ledger, `batch_${round}`, 'expired');
    const id = ledger.keys.find(k(0));
    seen.push([ledger.keys.outcome(id), ledger.keys.idleRounds(id), ledger.keys.attempts(id)]);
  }
  assert.deepEqual(seen, [
    ['expired', 1, 0],
    ['expired', 2, 0],
    ['server_error', 0, 1],
    ['expired', 1, 1],
  ]);
});

test('a failed batch leaves its shard ready to be sent again, except for the rejected rows', async (t) => {
  const world = makeLedgerWorld(t);
  const ledger = await world.open();
  await startRun(ledger, 'run-1');
  const shard = await submit(ledger, 'batch_1', [k(0), k(1)]);
  const rejected = [{ customId: k(0), code: 'invalid_url', message: 'line 1 is poison' }];
  assert.deepEqual(await ledger.finishBatch({ batchId: 'batch_1', status: 'failed', rejected, usage: null }), { missing: 0 });
  assert.deepEqual([ledger.fold.shards.get(shard)?.status, ledger.fold.shards.get(shard)?.batchId], ['uploaded', null]);
  assert.equal(fs.existsSync(ledger.shardPath(shard)), true);
  const [poisoned, other] = [ledger.keys.find(k(0)), ledger.keys.find(k(1))];
  assert.deepEqual([ledger.keys.outcome(poisoned), ledger.keys.shard(poisoned)], ['bad_request', 0]);
  const { outcome } = ledger.readAnswer(poisoned);
  assert.deepEqual([outcome.status, outcome.code, outcome.message], ['bad_request', 'invalid_url', 'line 1 is poison']);
  assert.deepEqual([ledger.keys.outcome(other), ledger.keys.shard(other)], [null, 1]);

  await create(ledger, shard, 'batch_2', 2);
  assert.equal(ledger.fold.shards.get(shard)?.batchId, 'batch_2');
  await ledger.finishBatch({ batchId: 'batch_2', status: 'failed', rejected: [], usage: null });
  await ledger.append({ type: 'shard-retired', shard, why: 'cut again' });
  assert.equal(ledger.keys.shard(other), 0);
  assert.equal(fs.existsSync(ledger.shardPath(shard)), false);
  const before = describeKeys(ledger, [k(0), k(1)]);
  await ledger.close();
  assert.deepEqual(describeKeys(await world.open(), [k(0), k(1)]), before);
});

test('an extra batch counts only as cost', async (t) => {
  const world = makeLedgerWorld(t);
  const ledger = await world.open();
  await startRun(ledger, 'run-1');
  const shard = await submit(ledger, 'batch_1', [k(0), k(1)]);
  await ledger.append({ type: 'batch-extra', batchId: 'batch_2', shard });
  const file = await record(ledger, 'batch_2', [makeAnswerLine(k(0), 'extra')]);
  assert.equal(file.isExtra, true);
  assert.equal(await finish(ledger, 'batch_2', 'cancelled'), 0);
  assert.equal(world.visited.length, 1);
  assert.deepEqual(describeKeys(ledger, [k(0)]), describeKeys(await world.read(), [k(0)]));
  const id = ledger.keys.find(k(0));
  assert.deepEqual([ledger.keys.outcome(id), ledger.keys.shard(id), ledger.keys.settledOffset(id)], [null, 1, -1]);
  assert.equal(ledger.fold.shards.get(shard)?.status, 'submitted');
  await record(ledger, 'batch_1', [makeAnswerLine(k(0), 'first'), makeAnswerLine(k(1), 'first')]);
  assert.equal(ledger.readAnswer(id).outcome.value, 'first');
  assert.equal(ledger.keys.attempts(id), 1);
});

test('a new generation forgets answers, and late ones of the old generation count only as cost', async (t) => {
  const world = makeLedgerWorld(t);
  const ledger = await world.open();
  await startRun(ledger, 'run-1');
  await submit(ledger, 'batch_1', [k(0)]);
  await record(ledger, 'batch_1', [makeAnswerLine(k(0), 'old')]);
  await submit(ledger, 'batch_2', [k(1)]);
  const unsent = await uploadShard(ledger, [k(2)]);
  await ledger.append({ type: 'retry-opened', keys: [k(0)], set: { temperature: 1 } });
  await ledger.append({ type: 'run-ended', run: 'run-1', exitCode: 0 });
  await startRun(ledger, 'run-2');
  await ledger.append({ type: 'generation-started', generation: 1 });
  const stateOf = (number: number) => {
    const id = ledger.keys.find(k(number));
    return [ledger.keys.outcome(id), ledger.keys.shard(id), ledger.keys.isReopened(id)];
  };
  assert.deepEqual(
    [stateOf(0), stateOf(1), stateOf(2)],
    [
      [null, 0, false],
      [null, 0, false],
      [null, 3, false],
    ],
  );
  assert.equal(ledger.fold.retrySets.size, 0);

  assert.equal((await record(ledger, 'batch_2', [makeAnswerLine(k(1), 'late')])).generation, 0);
  assert.equal(await finish(ledger, 'batch_2'), 0);
  await create(ledger, unsent, 'batch_3');
  await record(ledger, 'batch_3', [makeAnswerLine(k(2), 'new')]);
  assert.deepEqual(
    [stateOf(0), stateOf(1), stateOf(2)],
    [
      [null, 0, false],
      [null, 0, false],
      ['ok', 0, false],
    ],
  );
  assert.deepEqual(
    world.visited.map(({ record: { run }, file }) => [run, file.generation]),
    [
      ['run-1', 0],
      ['run-1', 0],
      ['run-2', 1],
    ],
  );
  const before = describeKeys(ledger, [0, 1, 2].map(k));
  await ledger.close();
  assert.deepEqual(describeKeys(await world.open(), [0, 1, 2].map(k)), before);
});

test('a create that turns out to belong to the old generation releases its keys', async (t) => {
  const world = makeLedgerWorld(t);
  const ledger = await world.open();
  await startRun(ledger, 'run-1');
  const [lost, absent] = [await uploadShard(ledger, [k(0)]), await uploadShard(ledger, [k(1)])];
  for (const shard of [lost, absent]) {
    await ledger.append({ type: 'create-intent', shard, attempt: 1, fileId: 'f', keyFingerprint: 'f' });
    await ledger.append({ type: 'create-unknown', shard, attempt: 1, why: 'reset' });
  }
  await ledger.append({ type: 'generation-started', generation: 1 });
  const flights = () => [0, 1].map((number) => ledger.keys.shard(ledger.keys.find(k(number))));
  assert.deepEqual(flights(), [1, 2]);
  await ledger.append({ type: 'create-done', shard: lost, attempt: 1, batchId: 'batch_1', how: 'adopted' });
  await ledger.append({ type: 'create-absent', shard: absent, attempt: 1, looks: 3 });
  await create(ledger, absent, 'batch_2', 2);
  assert.deepEqual(flights(), [0, 2]);
  await record(ledger, 'batch_1', [makeAnswerLine(k(0), 'old')]);
  await record(ledger, 'batch_2', [makeAnswerLine(k(1), 'new')]);
  assert.deepEqual(
    [0, 1].map((number) => ledger.keys.outcome(ledger.keys.find(k(number)))),
    [null, 'ok'],
  );
});

test('attempts are counted within an attempt epoch, history within a run, and a retry reopens', async (t) => {
  const world = makeLedgerWorld(t);
  const ledger = await world.open();
  let batches = 0;
  const attempt = async (customId: string, content: string) => {
    const batchId = `batch_${++batches}`;
    await submit(ledger, batchId, [customId]);
    await record(ledger, batchId, [makeAnswerLine(customId, content)]);
    await finish(ledger, batchId);
  };
  const look = () => {
    const id = ledger.keys.find(k(0));
    const { keys } = ledger;
    return [keys.outcome(id), keys.attempts(id), keys.reasks(id), keys.isReopened(id), keys.hasHistory(id), ledger.readHistory(id).length];
  };
  await startRun(ledger, 'run-1');
  await attempt(k(0), 'wrong');
  assert.deepEqual(look(), ['invalid', 1, 0, false, false, 1]);
  await attempt(`${k(0)}-r1`, 'wrong');
  assert.deepEqual(look(), ['invalid', 2, 1, false, true, 2]);
  await ledger.append({ type: 'run-ended', run: 'run-1', exitCode: 3 });
  await ledger.append({ type: 'retry-opened', keys: [k(0)], set: { temperature: 0 } });
  assert.deepEqual(look(), ['invalid', 2, 1, true, true, 2]);
  assert.deepEqual(ledger.fold.retrySets.get(k(0)), { temperature: 0 });
  await startRun(ledger, 'run-2');
  await attempt(`${k(0)}-r2`, 'wrong');
  assert.deepEqual(look(), ['invalid', 1, 2, false, false, 1]);
  await attempt(`${k(0)}-r3`, 'yes');
  assert.deepEqual(look(), ['ok', 2, 3, false, true, 2]);
  assert.deepEqual(
    ledger.readHistory(ledger.keys.find(k(0))).map(({ customId, run }) => [customId, run]),
    [
      [`${k(0)}-r3`, 'run-2'],
      [`${k(0)}-r2`, 'run-2'],
    ],
  );
  const before = describeKeys(ledger, [k(0)]);
  await ledger.close();
  assert.deepEqual(describeKeys(await world.open(), [k(0)]), before);
});

test('a later failure or success never replaces a written answer, but both are counted', async (t) => {
  const world = makeLedgerWorld(t);
  const ledger = await world.open();
  await startRun(ledger, 'run-1');
  for (const [batchId, content] of [
    ['batch_1', 'first'],
    ['batch_2', 'second'],
    ['batch_3', 'wrong'],
  ] as const) {
    await submit(ledger, batchId, [k(0)]);
    await record(ledger, batchId, [makeAnswerLine(k(0), content, { id: `id-${batchId}` })]);
  }
  const id = ledger.keys.find(k(0));
  assert.equal(ledger.readAnswer(id).outcome.value, 'first');
  assert.equal(ledger.keys.attempts(id), 3);
  assert.equal(ledger.readHistory(id).length, 3);
});

test('a re-ask shows the latest judged answer, across transient faults and runs', async (t) => {
  const world = makeLedgerWorld(t);
  const ledger = await world.open();
  await startRun(ledger, 'run-1');
  const id = () => ledger.keys.find(k(0));
  await submit(ledger, 'batch_1', [k(0)]);
  assert.equal(ledger.readJudgedAnswer(id()), null);
  await record(ledger, 'batch_1', [makeAnswerLine(k(0), 'wrong')]);
  await ledger.append({ type: 'run-ended', run: 'run-1', exitCode: 3 });
  await startRun(ledger, 'run-2');
  await submit(ledger, 'batch_2', [`${k(0)}-r1`]);
  await record(ledger, 'batch_2', [makeErrorLine(`${k(0)}-r1`, 'x')], 'error');
  const judged = ledger.readJudgedAnswer(id());
  assert.deepEqual([judged?.cause, judged?.text, judged?.message], ['invalid', 'wrong', 'it is wrong']);
  assert.equal(ledger.readHistory(id()).length, 1);
});

test('a complete file without its event is recorded at the next opening with write access', async (t) => {
  const world = makeLedgerWorld(t);
  const ledger = await world.open();
  await startRun(ledger, 'run-1');
  await submit(ledger, 'batch_1', [k(0), k(1)]);
  await ledger.close();
  const responses = path.join(world.directory, 'responses');
  fs.writeFileSync(path.join(responses, 'batch_1.output.jsonl'), `${makeAnswerLine(k(0), 'yes')}\n`);
  fs.writeFileSync(path.join(responses, 'by-hand.output.jsonl'), `${makeAnswerLine(k(5), 'found')}\n`);
  fs.writeFileSync(path.join(responses, '.tmp-half'), '{"id":');
  fs.writeFileSync(path.join(responses, 'notes.txt'), 'mine');
  fs.writeFileSync(path.join(world.directory, 'requests', '000007.jsonl'), '{}\n');

  const reader = await world.read();
  assert.equal(reader.files.length, 0);
  await reader.close();
  const again = await world.open();
  assert.deepEqual(
    again.files.map(({ name, run, batchId }) => [name, run, batchId]),
    [
      ['batch_1.output.jsonl', 'run-1', 'batch_1'],
      ['by-hand.output.jsonl', '', 'by-hand'],
    ],
  );
  assert.equal(again.readAnswer(again.keys.find(k(0))).outcome.value, 'yes');
  assert.equal(again.readAnswer(again.keys.find(k(5))).outcome.value, 'found');
  assert.deepEqual(fs.readdirSync(responses), ['batch_1.output.jsonl', 'by-hand.output.jsonl', 'notes.txt']);
  assert.deepEqual(fs.readdirSync(path.join(world.directory, 'requests')), ['000001.jsonl']);
  const once = await record(again, 'batch_1', [makeAnswerLine(k(0), 'other')]);
  assert.equal(once.number, 1, 'a file recorded already stays');
  assert.equal(await finish(again, 'batch_1'), 1);
});

test('a shard file consists of exactly its lines, is durable before it is announced, and is removed when abandoned', async (t) => {
  const world = makeLedgerWorld(t);
  const ledger = await world.open();
  const writer = ledger.createShardWriter(ledger.nextShardId());
  const lines = Array.from({ length: 400 }, (_, row) => `{"row":${row},"text":"${'é'.repeat(5_000)}"}`);
  for (const [row, line] of lines.entries()) await writer.add(line, k(row), row);
  const expected = lines.map((line) => `${line}\n`).join('');
  assert.deepEqual([writer.rows, writer.tokens], [400, 79_800]);
  assert.equal(writer.bytes, Buffer.byteLength(expected));
  assert.equal(ledger.keys.find(k(0)), -1);
  await writer.finish({ model: 'gpt-4o-mini', url: '/v1/chat/completions' });
  assert.equal(fs.readFileSync(ledger.shardPath('000001'), 'utf8'), expected);
  const shard = ledger.fold.shards.get('000001');
  assert.deepEqual(
    [shard?.rows, shard?.bytes, shard?.tokens, shard?.sha256, shard?.status],
    [400, Buffer.byteLength(expected), 79_800, hash('sha256', expected, 'hex'), 'written'],
  );
  assert.deepEqual(
    await ledger.readShardIds('000001'),
    Array.from({ length: 400 }, (_, row) => k(row)),
  );
  assert.equal(ledger.keys.shard(ledger.keys.find(k(399))), 1);

  const abandoned = ledger.createShardWriter(ledger.nextShardId());
  await abandoned.add('{}', k(1000), 1);
  await abandoned.abandon();
  assert.deepEqual(fs.readdirSync(path.join(world.directory, 'requests')), ['000001.jsonl']);
  assert.equal(ledger.nextShardId(), '000003');
});
