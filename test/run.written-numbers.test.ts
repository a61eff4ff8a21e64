import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stringifyExactly } from '../src/core/exact/exact-number.ts';
import { compileRules } from '../src/input/answer/compile-rules.ts';
import { makeJob } from '../src/input/job/make-job.ts';
import { runInProcess } from './helpers/run-in-process.ts';
import { makeJobText, makeWorld } from './helpers/run-world.ts';
import { wideTest } from './helpers/wide.ts';

const judge = (output: unknown, more: object = {}) =>
  compileRules(makeJob({ name: 'j', input: { path: 'x' }, model: 'gpt-4o-mini', prompt: 'JSON', output, ...more }, { directory: '/' }))
    .checkAnswer;

/** Answers, and what a table says of them. */
const WRITTEN: readonly (readonly [text: string, written: string | null])[] = [
  ['{"price":1.10}', '{"price":1.10}'],
  ['{ "price" : -0.0 }', '{"price":-0.0}'],
  ['{"price":1e2}', '{"price":1e2}'],
  ['{"price":0.1000000000000000055511151231257827}', '{"price":0.1000000000000000055511151231257827}'],
  ['```json\n{"price":2.50}\n```', '{"price":2.50}'],
  ['{"price":1.5}', null],
  ['{"price":7}', null],
  ['{"price":-3.25}', null],
];

test('numbers of an answer are kept as the model wrote them, next to the value that is checked and counted', () => {
  const check = judge({ price: 'number' });
  for (const [text, wanted] of WRITTEN) {
    const checked = check(text);
    assert.ok(checked.ok, text);
    const { price } = checked.value as { price: unknown };
    assert.equal(typeof price, 'number', text);
    assert.equal(checked.written === undefined ? null : stringifyExactly(checked.written), wanted, text);
  }
});

test('fields added to an answer are in both', () => {
  const { ballot } = judge({ label: 'a | b', price: 'number' }, { votes: 3 });
  assert.deepEqual(ballot?.addAgreement({ label: 'a', price: 1 }, 2), { label: 'a', price: 1, _agreement: 0.6667 });
});

for (const mode of ['batch', 'live'] as const) {
  wideTest(`a table has the numbers of answers as the model wrote them, however often it is rewritten: ${mode}`, async (t) => {
    const job = `output: { price: number, n: integer, rest: { type: array, items: { type: number } } }\nprompt: "JSON: {{ text }}"\nwrite: { path: out.jsonl }`;
    const world = await makeWorld(t, {
      rows: [
        ['r1', 'one'],
        ['r2', 'two'],
      ],
      job,
      faults: [{ do: { answerText: '{"price": 1.10, "n": 5.0, "rest": [1e2, 3]}' } }],
    });
    world.write('job.yaml', makeJobText(job).replace('mode: batch', `mode: ${mode}`));
    const { summary } = await world.run();
    assert.deepEqual([summary.exitCode, summary.rows.ok], [0, 2], JSON.stringify(summary.causes));
    world.assertFaultsFired();
    const wanted = '"price":1.10,"n":5.0,"rest":[1e2,3],';
    const read = (name: string) => world.read(name).trim().split('\n');
    for (const line of read('out.jsonl')) assert.ok(line.includes(wanted), line);
    const env = { PATH: process.env.PATH ?? '', HOME: world.directory, NO_COLOR: '1' };
    const again = await runInProcess(['run', 'job.yaml', '--simulate', '--out', 'out.csv', '--progress', 'none'], {
      cwd: world.directory,
      env,
    });
    assert.equal(again.exitCode, 0, again.stderr);
    assert.deepEqual(
      read('out.csv')
        .slice(1)
        .map((line) => /,(1\.10,5\.0,"\[1e2,3\]"),ok,/.exec(line)?.[1]),
      Array(2).fill('1.10,5.0,"[1e2,3]"'),
    );
    const verified = await runInProcess(['verify', 'job.yaml', '--simulate'], { cwd: world.directory, env });
    assert.equal(verified.exitCode, 0, verified.stdout);
  });
}
