import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { StopRule } from '../src/core/job.ts';
import { defineJob } from '../src/index.ts';
import { readStopLimit } from '../src/input/job/amounts.ts';
import { type CountedAnswer, createAnswerCount, isEmptyAnswer } from '../src/run/send/count-answers.ts';
import { makeJobText, makeRows, makeWorld } from './helpers/run-world.ts';
import { someOf, wideTest } from './helpers/wide.ts';

const OK: CountedAnswer = { outcome: 'ok', isEmpty: false, labels: [] };
const INVALID: CountedAnswer = { ...OK, outcome: 'invalid' };
const rule = (sign: StopRule['sign'], limit: string): StopRule => ({ sign, ...(readStopLimit(limit) ?? assert.fail(limit)) });

test('limits of stop rules are parsed as written', () => {
  const share = (over: number, first: number | null) => ({ over: { type: 'share', over }, first });
  assert.deepEqual(readStopLimit('> 20% of first 200'), share(0.2, 200));
  assert.deepEqual(readStopLimit('>20 %  of first 200'), share(0.2, 200));
  assert.deepEqual(readStopLimit('> 2.5 %'), share(0.025, null));
  assert.deepEqual(readStopLimit(' > 50'), { over: { type: 'count', over: 50 }, first: null });
  assert.deepEqual(readStopLimit(50), { over: { type: 'count', over: 50 }, first: null });
  for (const wrong of ['> 101%', '< 5%', '> 20% of the first 200', '> 20% of first 0', '> x', ''])
    assert.equal(readStopLimit(wrong), null, wrong);
});

/** After how many answers the watch stops; null when it never does. `bad` says which answers bear the sign. */
function stopsAt(rules: readonly StopRule[], pilot: number | null, bad: (n: number) => boolean, answer = INVALID): number | null {
  const watch = createAnswerCount({ rules, pilot, previous: null });
  for (let n = 1; n <= 1000; n += 1) {
    watch.take(bad(n) ? answer : OK);
    if (watch.stop !== null) return n;
  }
  return null;
}

test('a broken stop rule stays broken, whatever answers follow', () => {
  const ofFirst = [rule('invalid', '> 20% of first 200')];
  assert.equal(
    stopsAt(ofFirst, null, () => true),
    41,
  );
  assert.equal(
    stopsAt(ofFirst, null, (n) => n % 5 === 0),
    null,
    'exactly a fifth is no more than a fifth',
  );
  assert.equal(
    stopsAt(ofFirst, null, (n) => n > 160),
    null,
    '40 of 200; those behind the first 200 do not count',
  );
  assert.equal(
    stopsAt(ofFirst, null, (n) => n >= 160),
    200,
  );
  assert.equal(
    stopsAt([rule('invalid', '> 20%')], null, () => true),
    100,
  );
  assert.equal(
    stopsAt([rule('invalid', '> 20%')], null, (n) => n > 200),
    251,
  );
  assert.equal(
    stopsAt([rule('invalid', '> 3')], null, (n) => n % 100 === 0),
    400,
  );
  assert.equal(
    stopsAt([rule('refused', '> 0')], null, () => true),
    null,
    'another cause',
  );
  assert.equal(
    stopsAt([rule('failed', '> 0')], null, (n) => n === 7),
    7,
  );
  const empty = { ...OK, isEmpty: true };
  assert.equal(
    stopsAt([rule('empty', '> 1')], null, (n) => n % 10 === 0, empty),
    20,
  );
  assert.equal(
    stopsAt([rule('failed', '> 0')], null, () => true, empty),
    null,
    'an empty answer has not failed',
  );
});

test('a pilot is judged by the share of every rule, or by a fifth of failures', () => {
  assert.equal(
    stopsAt([], 50, (n) => n <= 11),
    50,
  );
  assert.equal(
    stopsAt([], 50, (n) => n <= 10),
    null,
  );
  assert.equal(
    stopsAt([rule('invalid', '> 10% of first 500')], 50, (n) => n <= 6),
    50,
  );
  assert.equal(
    stopsAt([rule('invalid', '> 10%')], 50, (n) => n <= 5),
    null,
  );
  assert.equal(
    stopsAt([], null, () => true),
    null,
  );
});

test('an answer is empty if all of its fields are', () => {
  for (const value of [{ a: '' }, { a: ' ', b: null }, { a: [], b: { c: '' } }, '']) assert.ok(isEmptyAnswer(value), JSON.stringify(value));
  for (const value of [{ a: 0 }, { a: '', b: false }, { a: ['x'] }, 'x']) assert.ok(!isEmptyAnswer(value), JSON.stringify(value));
});

const ADVICE = '; if that is wrong, stop and change the prompt';

/** Everything said over so many answers, without the advice. */
function warningsOf(
  answers: number,
  answer: (n: number) => Partial<CountedAnswer>,
  previous: Record<string, number> | null = null,
): readonly string[] {
  const watch = createAnswerCount({ rules: [], pilot: null, previous: previous === null ? null : new Map(Object.entries(previous)) });
  return Array.from({ length: answers }, (_, n) => watch.take({ ...OK, ...answer(n) })).flatMap((said) =>
    said.map((message) => {
      assert.ok(message.endsWith(ADVICE));
      return message.slice(0, -ADVICE.length);
    }),
  );
}

test('labels that collapse or shift, refusals and empty answers are reported once', () => {
  assert.deepEqual(
    warningsOf(1000, () => ({ labels: ['other'] })),
    ['50 of the first 50 labels are "other"'],
  );
  assert.deepEqual(
    warningsOf(1000, (n) => ({ labels: [n % 2 === 0 ? 'a' : 'b'] })),
    [],
  );
  assert.deepEqual(
    warningsOf(1000, () => ({ labels: ['ham'] }), { ham: 990, spam: 10 }),
    [],
    'it was so before',
  );
  assert.deepEqual(
    warningsOf(200, (n) => ({ labels: [n % 2 === 0 ? 'a' : 'b'] }), { a: 90, b: 10 }),
    ['the labels have shifted since the last run: "a" is 50 % of the first 100, it was 90 %'],
  );
  assert.deepEqual(
    warningsOf(200, (n) => ({ labels: [n % 2 === 0 ? 'a' : 'b'] }), { a: 60, b: 40 }),
    [],
  );
  assert.deepEqual(
    warningsOf(99, (n) => (n % 10 === 0 ? { outcome: 'refused' } : {})),
    ['5 of the first 50 answers are refused'],
  );
  assert.deepEqual(
    warningsOf(100, (n) => ({ isEmpty: n % 10 === 0 })),
    ['5 of the first 50 answers are empty'],
  );
});

const REFUSES_ALL = [{ match: { every: 1 }, do: { answer: 'refusal' } }];

for (const mode of someOf(['batch', 'live'] as const, 1)) {
  const overrides = (cwd: string) => ({ overrides: { cwd, input: null, out: null, mode } });

  test(`a pilot that passes is followed by the rest: ${mode}`, async (t) => {
    const world = await makeWorld(t, { rows: makeRows(40), job: 'pilot: 10' });
    const { summary } = await world.run(overrides(world.directory));
    assert.deepEqual([summary.exitCode, summary.rows.ok, summary.attempts.total], [0, 40, 40]);
    if (mode === 'batch') {
      const sizes = summary.batches.map(({ requests }) => requests);
      assert.deepEqual(sizes, [10, 30]);
      world.check(summary);
    }
  });

  test(`a failed pilot stops the run before the rest is paid for, and again until the job changes: ${mode}`, async (t) => {
    const job = 'pilot: 10\nstop_if: { refused: "> 20% of first 200" }';
    const world = await makeWorld(t, { rows: makeRows(40), job, faults: REFUSES_ALL });
    const { summary } = await world.run(overrides(world.directory));
    assert.deepEqual([summary.exitCode, summary.rows.failed, summary.rows.pending, world.simulator.bill().length], [5, 10, 30, 10]);
    assert.match(summary.verdict, /^stop_if: 10 of the 10 rows of the pilot are refused, more than 20 %/);
    const again = await world.run(overrides(world.directory));
    assert.deepEqual([again.summary.exitCode, again.summary.verdict, world.simulator.bill().length], [5, summary.verdict, 10]);
    await world.restart({});
    world.write('job.yaml', makeJobText('fail_if: { failed_rows: "> 30" }'));
    const changed = await world.run(overrides(world.directory));
    assert.deepEqual([changed.summary.exitCode, changed.summary.run, changed.summary.rows.ok], [0, summary.run, 30]);
  });
}

wideTest('with --no-wait a pilot is left with the provider; the next invocation judges it and sends the rest', async (t) => {
  const world = await makeWorld(t, { rows: makeRows(30), job: 'pilot: 10', batchSeconds: 3_600 });
  const first = await world.run({ waitMs: 0 });
  assert.deepEqual([first.summary.exitCode, first.summary.batches.map(({ requests }) => requests)], [7, [10]]);
  await world.restart({ batchSeconds: 0.05 });
  const { summary } = await world.runToEnd();
  assert.deepEqual([summary.exitCode, summary.rows.ok, summary.batches.map(({ requests }) => requests)], [0, 30, [10, 20]]);
});

wideTest('an interrupted run stops at the same answer as an uninterrupted one', async (t) => {
  const faults = [{ match: { every: 3 }, do: { answer: 'refusal' } }];
  const options = { rows: makeRows(24), faults, job: 'limits: { concurrency: 1 }\nstop_if: { refused: "> 30% of first 20" }' };
  const change = (cwd: string) => ({ overrides: { cwd, input: null, out: null, mode: 'live' as const } });
  const whole = await makeWorld(t, options);
  const { summary } = await whole.run(change(whole.directory));
  assert.deepEqual([summary.exitCode, summary.verdict.includes('stop_if')], [3, false], '6 of the first 20 is no more than 30 %');

  const strict = { ...options, job: options.job.replace('30%', '25%') };
  const [straight, broken] = [await makeWorld(t, strict), await makeWorld(t, strict)];
  const expected = (await straight.run(change(straight.directory))).summary;
  assert.match(expected.verdict, /^stop_if: 6 of the first \d+ rows are refused: more than 25 % of 20/);
  const stopped = await broken.run({ ...change(broken.directory), maxNanoUsd: 200_000 });
  assert.deepEqual([stopped.summary.exitCode, stopped.summary.verdict.includes('stop_if')], [5, false]);
  const { summary: resumed } = await broken.run(change(broken.directory));
  assert.deepEqual([resumed.exitCode, resumed.verdict, resumed.run], [5, expected.verdict, stopped.summary.run]);
});

wideTest('suspicious answers are reported once during the run, however often it is continued, and in its report', async (t) => {
  const faults = [{ match: { every: 4 }, do: { answer: 'refusal' } }];
  const world = await makeWorld(t, { rows: makeRows(60), faults, job: 'limits: { concurrency: 1 }\nstop_if: { refused: "> 12" }' });
  const live = { overrides: { cwd: world.directory, input: null, out: null, mode: 'live' as const } };
  const stopped = await world.run(live);
  world.write('job.yaml', makeJobText('limits: { concurrency: 1 }'));
  const { warnings, summary } = await world.run(live);
  assert.equal(summary.run, stopped.summary.run);
  const page = readFileSync(world.path('out.report.html'), 'utf8');
  const items = [...stopped.warnings, ...warnings].map((warning) => `<li>${warning}</li>`).join('');
  assert.ok(page.includes(`<h2 id="warnings">Warnings</h2><ul>${items}</ul></section>`));
  const suspicions = [stopped, { warnings }].map((run) =>
    run.warnings.filter((warning) => /^1\d of the first 50 answers are refused; if/.test(warning)),
  );
  assert.deepEqual([suspicions[0]?.length, suspicions[1]?.length], [1, 0]);
});

wideTest('labels are compared with those of the previous run', async (t) => {
  const world = await makeWorld(t, { rows: [] });
  const warnings: string[] = [];
  process.env.OPENAI_API_KEY = 'sk-watch';
  t.after(() => delete process.env.OPENAI_API_KEY);
  const run = async (words: readonly string[], rows: number) => {
    const lines = Array.from({ length: rows }, (_, n) => `Note ${n + 1} is ${words[n % words.length]}`);
    world.write('notes.csv', `text\n${lines.join('\n')}\n`);
    const job = defineJob({
      name: 'notes',
      directory: world.directory,
      input: { path: 'notes.csv', columns: ['text'] },
      model: 'gpt-4o-mini',
      mode: 'live',
      prompt: (row) => row.text,
      output: { label: 'good | bad | other' },
    });
    const { summary } = await job.run({ baseUrl: world.simulator.url, onWarning: (message) => warnings.push(message) });
    assert.deepEqual([summary.exitCode, summary.rows.in], [0, rows]);
  };
  await run(['good', 'bad'], 110);
  assert.deepEqual(warnings, []);
  await run(['blue'], 120);
  assert.deepEqual(warnings, [
    `50 of the first 50 labels are "other"${ADVICE}`,
    'the labels have shifted since the last run: "other" is 100 % of the first 100, it was 0 %; if that is wrong, stop and change the prompt',
  ]);
});
