import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import type { Ledger, LedgerOptions } from '../src/ledger/ledger.ts';
import type { ResponseFile } from '../src/ledger/response-file.ts';
import { makeSettledLine, parseSettledLines, readSettledLine } from '../src/ledger/responses/settled-line.ts';
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
import { runsOf, wideTest } from './helpers/wide.ts';

/** Settles lines as the output of one batch over `k(0)` … `k(4)`, and tells everything that came of it. */
async function settle(t: TestContext, lines: readonly string[]): Promise<unknown> {
  const world = makeLedgerWorld(t);
  const ledger = await world.open();
  await startRun(ledger, 'run-1');
  await submit(ledger, 'batch_1', KEYS);
  await record(ledger, 'batch_1', lines);
  await finish(ledger, 'batch_1');
  const money = world.visited.map(({ record: { customId, outcome, usage } }) => JSON.stringify({ customId, outcome, usage })).toSorted();
  const result = { keys: describeKeys(ledger, KEYS), money, anomalies: [...ledger.anomalies].toSorted() };
  await ledger.close();

  world.visited.splice(0);
  const again = await world.open();
  const moneyAgain = world.visited
    .map(({ record: { customId, outcome, usage } }) => JSON.stringify({ customId, outcome, usage }))
    .toSorted();
  assert.deepEqual({ keys: describeKeys(again, KEYS), money: moneyAgain, anomalies: [...again.anomalies].toSorted() }, result);
  await again.close();
  return result;
}

const KEYS = [0, 1, 2, 3, 4].map(k);

/** Lines over few keys, with few ids and contents, so that every kind of repetition comes up. */
const anyLine = fc.oneof(
  fc
    .record({
      key: fc.constantFrom(...KEYS),
      reask: fc.constantFrom('', '', '-r1', '-r2'),
      content: fc.constantFrom('yes', 'no', 'wrong'),
      id: fc.constantFrom('a', 'b', ''),
      output: fc.constantFrom(1, 2),
    })
    .map(({ key, reask, content, id, output }) => makeAnswerLine(key + reask, content, { id, output })),
  fc
    .record({ key: fc.constantFrom(...KEYS), code: fc.constantFrom('batch_expired', 'server_error'), id: fc.constantFrom('a', 'c') })
    .map(({ key, code, id }) => makeErrorLine(key, code, { id })),
  fc.constantFrom('not json', '', '[]', makeAnswerLine('row-17', 'yes'), '{"custom_id":7}'),
);

test('the order of the lines in a file changes nothing', async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.array(anyLine, { maxLength: 12 }), fc.infiniteStream(fc.nat()), async (lines, numbers) => {
      const shuffled = lines
        .map((line) => ({ line, at: numbers.next().value }))
        .toSorted((a, b) => a.at - b.at)
        .map(({ line }) => line);
      assert.deepEqual(await settle(t, shuffled), await settle(t, lines));
    }),
    { numRuns: runsOf(30) },
  );
});

test('a line repeated byte for byte is counted, and changes nothing else', async (t) => {
  const withoutAnomalies = (result: unknown) => ({ ...(result as object), anomalies: null });
  await fc.assert(
    fc.asyncProperty(fc.array(anyLine, { minLength: 1, maxLength: 8 }), fc.nat(), async (lines, pick) => {
      const repeated = [...lines, lines[pick % lines.length] as string];
      assert.deepEqual(withoutAnomalies(await settle(t, repeated)), withoutAnomalies(await settle(t, lines)));
    }),
    { numRuns: runsOf(20) },
  );
});

async function settleOne(
  t: TestContext,
  lines: readonly string[],
): Promise<{ ledger: Ledger; billed: number; anomalies: Record<string, number> }> {
  const world = makeLedgerWorld(t);
  const ledger = await world.open();
  await startRun(ledger, 'run-1');
  await submit(ledger, 'batch_1', KEYS);
  await record(ledger, 'batch_1', lines);
  const billed = world.visited.filter((visited) => visited.record.isBilled).length;
  return { ledger, billed, anomalies: Object.fromEntries(ledger.anomalies) };
}

test('success wins over failure, then the smallest line id', async (t) => {
  const lines = [
    makeAnswerLine(k(0), 'wrong', { id: 'a' }),
    makeAnswerLine(k(0), 'late', { id: 'c' }),
    makeAnswerLine(k(0), 'yes', { id: 'b' }),
  ];
  const { ledger, billed, anomalies } = await settleOne(t, lines);
  const id = ledger.keys.find(k(0));
  assert.equal(ledger.readAnswer(id).outcome.value, 'yes');
  assert.equal(ledger.keys.attempts(id), 3);
  assert.equal(ledger.keys.hasHistory(id), true);
  assert.equal(ledger.readHistory(id).length, 3);
  assert.equal(billed, 3);
  assert.deepEqual(anomalies, { conflict: 2 });
});

test('the same line id twice is one call, whatever the second line says', async (t) => {
  const lines = [makeAnswerLine(k(0), 'wrong', { id: 'a' }), makeAnswerLine(k(0), 'yes', { id: 'a' })];
  const { ledger, billed, anomalies } = await settleOne(t, lines);
  assert.equal(ledger.readAnswer(ledger.keys.find(k(0))).outcome.value, 'yes');
  assert.equal(ledger.keys.hasHistory(ledger.keys.find(k(0))), false);
  assert.equal(billed, 1);
  assert.deepEqual(anomalies, { duplicate: 1 });
});

test('among failed re-asks in one file the latest counts', async (t) => {
  const lines = [
    makeAnswerLine(`${k(0)}-r2`, 'wrong', { id: 'z' }),
    makeAnswerLine(k(0), 'wrong', { id: 'a' }),
    makeErrorLine(`${k(0)}-r1`, 'x'),
  ];
  const { ledger, anomalies } = await settleOne(t, lines);
  const id = ledger.keys.find(k(0));
  assert.equal(ledger.readAnswer(id).line?.custom_id, `${k(0)}-r2`);
  assert.equal(ledger.keys.reasks(id), 2);
  assert.equal(ledger.keys.attempts(id), 3);
  assert.deepEqual(anomalies, {});
});

test('lines that are not answers of ours are counted by kind and affect no other', async (t) => {
  const lines = [
    `\ufeff${makeAnswerLine(k(0), 'yes')}\r`,
    '',
    '   \r',
    'half a li',
    'null',
    '{"id":"x"}',
    makeAnswerLine('row-17', 'yes'),
    makeAnswerLine(`${k(1)}-r100`, 'yes'),
    makeAnswerLine(k(9), 'yes'),
    ` ${makeAnswerLine(k(2), 'été \u2028 日本')} `,
  ];
  const { ledger, anomalies } = await settleOne(t, lines);
  assert.deepEqual(anomalies, { malformed: 3, foreign: 2, unasked: 1 });
  assert.equal(ledger.readAnswer(ledger.keys.find(k(0))).outcome.value, 'yes');
  assert.equal(ledger.readAnswer(ledger.keys.find(k(2))).outcome.value, 'été \u2028 日本');
  assert.equal(ledger.readAnswer(ledger.keys.find(k(9))).outcome.value, 'yes', 'content decides: it answers whoever asks this');
  assert.equal(ledger.keys.outcome(ledger.keys.find(k(1))), null);
  assert.deepEqual(ledger.anomaliesOfRun('run-1'), ledger.anomalies);
  assert.deepEqual(ledger.anomaliesOfRun('run-2'), new Map());
});

wideTest('a file without a final newline, an empty one and one longer than a chunk are read to the end', async (t) => {
  const world = makeLedgerWorld(t);
  const ledger = await world.open();
  await startRun(ledger, 'run-1');
  const customIds = Array.from({ length: 3_000 }, (_, number) => k(number));
  for (const batch of ['batch_1', 'batch_2', 'batch_3']) await submit(ledger, batch, customIds);
  const long = 'é'.repeat(1_500_000);
  const path_ = ledger.createTemporaryResponsePath('x');
  fs.writeFileSync(
    path_,
    customIds.map((id, row) => makeAnswerLine(id, row === 1_234 ? long : `answer ${row} ${'ü'.repeat(400)}`)).join('\n'),
  );
  const file = await ledger.recordResponse({ batchId: 'batch_1', kind: 'output', temporaryPath: path_, createdSeconds: 0 });
  assert.equal(file.lines, 3_000);
  assert.equal(world.visited.length, 3_000);
  for (const row of [0, 1_233, 1_235, 2_999]) {
    const { value } = ledger.readAnswer(ledger.keys.find(k(row))).outcome;
    assert.ok((value as string).startsWith(`answer ${row} ü`), `row ${row}`);
  }
  assert.equal(ledger.readAnswer(ledger.keys.find(k(1_234))).outcome.value, long);
  assert.equal((await record(ledger, 'batch_2', [])).lines, 0);
});

async function countRecords(ledger: Ledger, run: string): Promise<number> {
  let records = 0;
  for await (const chunk of ledger.recordsOfRun(run)) records += chunk.length;
  return records;
}

wideTest('whatever settled.jsonl contains, the state is the same, and a writer completes it again', async (t) => {
  const world = makeLedgerWorld(t);
  const ledger = await world.open();
  await startRun(ledger, 'run-1');
  await submit(ledger, 'batch_1', KEYS);
  await record(ledger, 'batch_1', [
    makeAnswerLine(k(0), 'wrong', { id: 'a' }),
    makeAnswerLine(k(0), 'wrong', { id: 'b' }),
    'x',
    makeAnswerLine(k(1), 'y'),
  ]);
  await record(ledger, 'batch_1', [makeErrorLine(k(2), 'server_error')], 'error');
  await finish(ledger, 'batch_1');
  await submit(ledger, 'batch_2', [`${k(0)}-r1`, k(2)]);
  await record(ledger, 'batch_2', [makeAnswerLine(`${k(0)}-r1`, 'yes'), makeAnswerLine(k(2), 'yes')]);
  const file = path.join(world.directory, 'settled.jsonl');
  const whole = fs.readFileSync(file);
  const tell = (opened: Ledger) => ({
    keys: describeKeys(opened, KEYS),
    money: world.visited.splice(0).map(({ record: one, file: of }) => ({ ...one, of: of.number })),
    anomalies: [...opened.anomalies],
  });
  const expected = tell(ledger);
  await ledger.close();

  const versions: Buffer[] = [whole, Buffer.concat([whole, Buffer.from('{"file":"x"}\n')]), Buffer.alloc(0), Buffer.alloc(whole.length)];
  for (let length = 0; length < whole.length; length += 41) versions.push(whole.subarray(0, length));
  for (let position = 0; position < whole.length; position += 13) {
    const damaged = Buffer.from(whole);
    damaged[position] = (damaged[position] as number) ^ 1;
    versions.push(damaged);
  }
  for (const version of versions) {
    fs.writeFileSync(file, version);
    const reader = await world.read();
    assert.deepEqual(tell(reader), expected);
    assert.equal(await countRecords(reader, 'run-1'), expected.money.length);
    assert.equal(await countRecords(reader, 'run-2'), 0);
    await reader.close();
    assert.deepEqual(fs.readFileSync(file), version, 'a reader repairs nothing');
    const writer = await world.open();
    assert.deepEqual(tell(writer), expected);
    await writer.close();
    assert.deepEqual(fs.readFileSync(file), whole);
  }
});

test('when the rules change, stored answers are judged again, even by a reader', async (t) => {
  const world = makeLedgerWorld(t);
  const ledger = await world.open();
  await startRun(ledger, 'run-1');
  await submit(ledger, 'batch_1', [k(0), k(1)]);
  await record(ledger, 'batch_1', [makeAnswerLine(k(0), 'wrong'), makeAnswerLine(k(1), 'yes')]);
  await ledger.close();
  const changed: Partial<LedgerOptions> = {
    rulesHash: 'rules-2',
    checkAnswer: (text) => (text === 'wrong' ? { ok: true, value: 1 } : { ok: false, message: 'no' }),
  };
  for (const access of ['read', 'write', 'write'] as const) {
    const again = await world.open({ access, ...changed });
    assert.equal(again.readAnswer(again.keys.find(k(0))).outcome.value, 1);
    assert.equal(again.keys.outcome(again.keys.find(k(1))), 'invalid');
    assert.equal(again.fold.batches.size, 1);
    await again.close();
  }
});

/** A closed ledger over one response file of two answers. */
async function keepTwoAnswers(t: TestContext) {
  const world = makeLedgerWorld(t);
  const ledger = await world.open();
  await submit(ledger, 'batch_1', [k(0), k(1)]);
  await record(ledger, 'batch_1', [makeAnswerLine(k(0), 'yes'), makeAnswerLine(k(1), 'yes')]);
  await ledger.close();
  const file = path.join(world.directory, 'responses', 'batch_1.output.jsonl');
  return { world, file };
}

test('a response file that is gone, cut or changed is named', async (t) => {
  const { world, file } = await keepTwoAnswers(t);
  const whole = fs.readFileSync(file);
  for (let length = 0; length < whole.length; length += 50) {
    fs.writeFileSync(file, whole.subarray(0, length));
    for (const access of ['read', 'write'] as const) {
      await assert.rejects(world.open({ access }), {
        name: 'LedgerError',
        file,
        message: new RegExp(`has ${length} bytes, but ${whole.length}`),
      });
    }
  }
  fs.rmSync(file);
  await assert.rejects(world.open(), { name: 'LedgerError', file, message: /the file is gone/ });
  fs.writeFileSync(file, whole.toString().replaceAll('yes', 'no!'));
  fs.rmSync(path.join(world.directory, 'settled.jsonl'));
  await assert.rejects(world.open(), { name: 'LedgerError', file, message: /not those that were recorded/ });
  fs.writeFileSync(file, whole);
  await (await world.open()).close();
});

test('a line counts as an answer only to the request it names', async (t) => {
  const { world, file } = await keepTwoAnswers(t);
  const whole = fs.readFileSync(file, 'utf8');
  fs.writeFileSync(file, whole.replaceAll(k(0), '@@').replaceAll(k(1), k(0)).replaceAll('@@', k(1)));
  const reading = await world.read({ hashesResponses: false });
  assert.throws(() => reading.readAnswer(reading.keys.find(k(0))), { name: 'LedgerError', file, message: /answers another request/ });
  const hashed = await world.read();
  const id = hashed.keys.find(k(0));
  assert.deepEqual([hashed.keys.outcome(id), hashed.readAnswer(id).outcome.status], ['unknown', 'unknown']);
  assert.match(hashed.explainHold(id) ?? '', /^held: its answer is in .*batch_1\.output\.jsonl/);
});

test('the line of a record is JSON of it, whatever its numbers and texts are', () => {
  const number = fc.oneof(fc.nat(), fc.maxSafeNat(), fc.constantFrom(0, 9, 10, 2 ** 53 - 1, 1e9));
  const usage = fc.record({
    inputTokens: number,
    cachedInputTokens: number,
    cacheWriteTokens: number,
    outputTokens: number,
    reasoningTokens: number,
  });
  const text = fc.option(fc.oneof(fc.string(), fc.constantFrom('gpt-4o', 'é "日本"')));
  const created = fc.option(fc.oneof(number, fc.double({ noNaN: true, noDefaultInfinity: true }), fc.constantFrom(0.5, -1, 1e21)));
  const numbers = fc.tuple(number, number, fc.nat(9_999), fc.oneof(fc.constant(-1), number));
  const [name, lane, run] = ['batch_1.output.jsonl', 'batch', 'run-1'] as const;
  const given = fc.tuple(fc.option(usage), text, text, created, numbers, fc.boolean(), fc.boolean());
  fc.assert(
    fc.property(given, ([used, model, tier, createdSeconds, [offsetBytes, lengthBytes, file, previous], isBilled, hasAnswer]) => {
      const location = { file: name, offsetBytes, lengthBytes };
      const record = {
        customId: k(0),
        outcome: 'ok',
        isBilled,
        isUnreadable: !isBilled,
        usage: used,
        model,
        tier,
        createdSeconds,
      } as const;
      const line = makeSettledLine({ ...record, lane, run, location }, hasAnswer ? '[{"label":"bug"},null]' : '', file, previous);
      const [read] = parseSettledLines(line);
      assert.ok(read !== undefined && line.endsWith(']\n'));
      const expected = JSON.parse(JSON.stringify({ ...record, lane, run, location }));
      assert.deepEqual(JSON.parse(JSON.stringify(readSettledLine(read, { name, lane, run } as ResponseFile))), expected);
      assert.deepEqual(read.slice(9), [file, previous, ...(hasAnswer ? [[{ label: 'bug' }, null]] : [])]);
    }),
    { numRuns: runsOf(500) },
  );
});
