import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import type { PromptControls } from '../src/core/event.ts';
import { compileRules } from '../src/input/answer/compile-rules.ts';
import { makeJob } from '../src/input/job/make-job.ts';
import type { Ledger } from '../src/ledger/ledger.ts';
import { k, makeAnswerLine, makeLedgerWorld, record, startRun, submit } from './helpers/ledger-world.ts';

const job = makeJob(
  { name: 'j', input: { path: 't.csv' }, model: 'gpt-4o-mini', output: 'text', prompt: '{{ a }}' },
  { directory: '/data' },
);
const rules = compileRules(job);
/** As a version of before judged, which asked no word of how an answer ended, or what characters are in it. */
const before = { checkAnswer: (text: string) => ({ ok: true, value: text }) as const, rulesHash: 'of before' };

const outcomes = (ledger: Ledger, ...numbers: readonly number[]) =>
  numbers.map((number) => ledger.keys.outcome(ledger.keys.find(k(number))));

let lines = 0;

async function answer(ledger: Ledger, number: number, content: string, controls: PromptControls | null): Promise<void> {
  const customId = k(number);
  const told = controls === null ? {} : { controls };
  await ledger.append({ type: 'call-intent', calls: [{ customId, bodyBytes: 100 }], ...told });
  await ledger.recordLines([{ customId, line: makeAnswerLine(customId, content, { id: `live-${++lines}` }) }]);
}

for (const access of ['write', 'read'] as const) {
  test(`stored answers are judged again by new rules, in both lanes, and the number of those no longer ok is reported once: ${access}`, async (t) => {
    const world = makeLedgerWorld(t);
    const ledger = await world.open(before);
    await startRun(ledger, 'r1');
    await submit(ledger, 'b1', [k(1), k(2)]);
    await record(ledger, 'b1', [makeAnswerLine(k(1), 'fine'), makeAnswerLine(k(2), 'Caf\u0000e9')]);
    await answer(ledger, 3, 'fine', {});
    await answer(ledger, 4, 'Caf\u0000e9', {});
    assert.deepEqual([outcomes(ledger, 1, 2, 3, 4), ledger.noLongerOk.size], [['ok', 'ok', 'ok', 'ok'], 0]);
    await ledger.close();

    const judged = await world.open({ ...rules, access });
    assert.deepEqual([outcomes(judged, 1, 2, 3, 4), judged.noLongerOk.size], [['ok', 'invalid', 'ok', 'invalid'], 2]);
    assert.match(judged.readAnswer(judged.keys.find(k(4))).outcome.message, /U\+0000/);
    await judged.close();
    assert.deepEqual(
      readdirSync(world.directory).filter((name) => name.includes('settled')),
      ['settled.jsonl'],
      'nothing is left beside it',
    );

    const again = await world.open({ ...rules, access });
    assert.deepEqual(
      [outcomes(again, 1, 2, 3, 4), again.noLongerOk.size],
      [['ok', 'invalid', 'ok', 'invalid'], access === 'write' ? 0 : 2],
    );
  });
}

test('answers of an older generation do not count as lost', async (t) => {
  const world = makeLedgerWorld(t);
  const ledger = await world.open(before);
  await startRun(ledger, 'r1');
  await answer(ledger, 1, 'Caf\u0000e9', {});
  await ledger.append({ type: 'generation-started', generation: 1 });
  await ledger.close();
  assert.equal((await world.open(rules)).noLongerOk.size, 0);
});

test('a control character invalidates an answer if the prompt is known not to contain it, now and after a restart', async (t) => {
  const world = makeLedgerWorld(t);
  const ledger = await world.open(rules);
  await startRun(ledger, 'r1');
  await answer(ledger, 1, '\u001b[31mFAIL', {});
  await answer(ledger, 2, '\u001b[31mFAIL', { [k(2)]: '\f\u001b' });
  await answer(ledger, 3, '\u001b[31mFAIL\f', { [k(3)]: '\u001b' });
  await answer(ledger, 4, '\u001b[31mFAIL', null);
  await answer(ledger, 5, 'Caf\u0000e9', { [k(5)]: '\u0000' });
  const wanted = ['invalid', 'ok', 'invalid', 'ok', 'invalid'];
  assert.deepEqual(outcomes(ledger, 1, 2, 3, 4, 5), wanted);
  await ledger.close();
  for (const rulesHash of [rules.rulesHash, 'others']) {
    const reopened = await world.open({ ...rules, rulesHash });
    assert.deepEqual(outcomes(reopened, 1, 2, 3, 4, 5), wanted);
    assert.equal(reopened.readAnswer(reopened.keys.find(k(2))).outcome.value, '\u001b[31mFAIL');
    await reopened.close();
  }
});

test('what a re-ask quotes of an answer is not part of the prompt, and a new generation forgets no prompt', async (t) => {
  const world = makeLedgerWorld(t);
  const ledger = await world.open(rules);
  await startRun(ledger, 'r1');
  await answer(ledger, 1, 'page\f1', {});
  const customId = `${k(1)}-r1`;
  await ledger.append({ type: 'call-intent', calls: [{ customId, bodyBytes: 100 }], controls: { [customId]: '\f' } });
  await ledger.recordLines([{ customId, line: makeAnswerLine(customId, 'page\f1', { id: `live-${++lines}` }) }]);
  assert.deepEqual(outcomes(ledger, 1), ['invalid']);
  await ledger.append({ type: 'generation-started', generation: 1 });
  await ledger.recordLines([{ customId: k(1), line: makeAnswerLine(k(1), 'page\f1', { id: `live-${++lines}` }) }]);
  assert.deepEqual(outcomes(ledger, 1), ['invalid']);
});

test('the shard of a batch records the control characters of its prompts', async (t) => {
  const world = makeLedgerWorld(t);
  const ledger = await world.open(rules);
  await startRun(ledger, 'r1');
  const writer = ledger.createShardWriter(ledger.nextShardId());
  for (const [number, text] of [
    [1, 'a\u001bb'],
    [2, 'a\\u001bb'],
    [3, 'C:\\boot\\fonts'],
  ] as const) {
    await writer.add(`{"custom_id":"${k(number)}","body":${JSON.stringify({ messages: [{ content: text }] })}}`, k(number), 3);
  }
  await writer.finish({ model: 'gpt-4o-mini', url: '/v1/chat/completions' });
  assert.deepEqual(
    [1, 2, 3].map((number) => ledger.decide(lineOf(number, '\u001b')).status),
    ['ok', 'invalid', 'invalid'],
  );
});

function lineOf(number: number, content: string) {
  return JSON.parse(makeAnswerLine(k(number), content)) as Parameters<Ledger['decide']>[0];
}
