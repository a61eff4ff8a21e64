import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { renderPlan } from '../src/cli/render/render-plan.ts';
import type { Job } from '../src/core/job.ts';
import { makeJob } from '../src/input/job/make-job.ts';
import { readYaml } from '../src/input/yaml/yaml-source.ts';
import { forecastAnswer } from '../src/run/plan/answer-forecast.ts';
import { asksForSame } from '../src/run/plan/measured-answers.ts';
import { PLAIN_LOOK } from './helpers/plain-look.ts';
import { planWorld } from './helpers/plan-world.ts';
import { makeJobText, makeRows, makeWorld, renderCsv } from './helpers/run-world.ts';
import { wideTest } from './helpers/wide.ts';

/** Everything that lies in the world's folder, with its bytes. */
function listFiles(directory: string): readonly string[] {
  return fs
    .readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .map((name) => path.join(directory, name))
    .filter((file) => fs.statSync(file).isFile())
    .map((file) => `${file} ${fs.statSync(file).size}`)
    .sort();
}

const WORDS =
  'the parcel came two days late but everything was inside and works as described although the colour is a little darker than on the picture'.split(
    ' ',
  );

/** Rows of English prose, of one to three sentences. */
function makeProse(count: number): [string, string][] {
  return Array.from({ length: count }, (_, index) => {
    const words = Array.from(
      { length: 8 + ((index * 7) % 40) },
      (_, place) => WORDS[(index * 5 + place * (1 + (index % 3))) % WORDS.length],
    );
    return [`r${index}`, `Order ${index}: ${words.join(' ')}.`];
  });
}

test('a plan sends nothing, writes nothing, and says so', async (t) => {
  const world = await makeWorld(t, { rows: makeRows(30) });
  const files = listFiles(world.directory);
  const plan = await planWorld(world);
  assert.deepEqual(listFiles(world.directory), files);
  assert.deepEqual(world.simulator.requests(), {});
  assert.equal(plan.rows.new, 30);
  assert.match(renderPlan(plan, PLAIN_LOOK), /\nNothing was sent, nothing was spent\.\n/);
});

wideTest('the estimate is within 5 % of the input tokens the provider then bills', async (t) => {
  const world = await makeWorld(t, { rows: makeProse(420) });
  const { tokens, rows } = await planWorld(world);
  assert.equal(tokens.exactSample, 200);
  const { summary } = await world.run();
  assert.equal(summary.rows.new, rows.new);
  const error = tokens.input / summary.tokens.input - 1;
  t.diagnostic(`${tokens.input} planned, ${summary.tokens.input} billed`);
  assert.ok(Math.abs(error) <= 0.05, `${tokens.input} planned, ${summary.tokens.input} billed`);
});

wideTest('after a pilot the plan uses what the pilot measured', async (t) => {
  const world = await makeWorld(t, { rows: makeRows(90), job: 'params: { max_output_tokens: 100, seed: 3 }' });
  const before = await planWorld(world);
  assert.equal(before.tokens.outputMeasured, 0);
  const { summary } = await world.run({ selection: { type: 'sample', rows: 30, seed: 1 } });
  const after = await planWorld(world);
  assert.deepEqual([after.rows.reused, after.rows.new, after.rows.changed], [30, 60, 0]);
  assert.equal(after.tokens.outputMeasured, 30);
  assert.equal(after.tokens.outputExpected, Math.round((summary.tokens.output / 30) * 60));
  assert.ok(after.tokens.outputP50 <= after.tokens.outputP95 && after.tokens.outputP95 <= 100);
  assert.equal(after.tokens.inputMeasured, 30);
  const { summary: whole } = await world.run();
  const billed = whole.tokens.input;
  assert.ok(Math.abs(after.tokens.input / billed - 1) < 0.02, `${after.tokens.input} planned, ${billed} billed`);
  assert.match(after.changes.join('\n'), /^60 of 90 rows are new, \$0\.\d+$/);
});

wideTest('changes since the last run are described in words, with rows and dollars', async (t) => {
  const world = await makeWorld(t, { rows: makeRows(20) });
  await world.run();
  assert.deepEqual((await planWorld(world)).changes, []);

  world.write('in.csv', renderCsv([...makeRows(18), ['r19', 'edited'], ['r99', 'one more']]));
  const table = await planWorld(world);
  assert.deepEqual([table.rows.changed, table.rows.new, table.rows.reused], [1, 1, 18]);
  assert.match(
    table.changes.join('\n'),
    /^the table changed: 1 of 20 rows would be sent again, \$0\.0000\d+\n1 of 20 rows are new, \$.*\n1 row of the last run is gone/,
  );

  world.write('in.csv', renderCsv(makeRows(20)));
  world.write('job.yaml', makeJobText('prompt: "Reply in JSON, please: {{ text }}"\nparams: { max_output_tokens: 90 }\nmodel: gpt-4o'));
  const { changes, rows } = await planWorld(world);
  assert.equal(rows.changed, 20);
  assert.match(
    changes.join(),
    /^the prompt, the model \(gpt-4o-mini, now gpt-4o\) and the parameters changed: 20 of 20 rows would be sent again, \$0\.\d+$/,
  );
});

wideTest('rows that a stopped run did not reach count as new, not as changed', async (t) => {
  const world = await makeWorld(t, { rows: makeRows(40), job: 'params: { max_output_tokens: 90 }' });
  const { summary } = await world.run({ maxNanoUsd: 200_000 });
  assert.equal(summary.exitCode, 5);
  assert.ok(summary.rows.pending > 0 && summary.rows.ok > 0, JSON.stringify(summary.rows));
  const { rows } = await planWorld(world);
  assert.deepEqual([rows.new, rows.changed, rows.answered, rows.reused], [summary.rows.pending, 0, summary.rows.new, 0]);
});

test('a plan compares a cheaper model with the job’s, and says what the lost prompt cache costs', async (t) => {
  const rules = 'Judge the text by these rules, one after the other, and give reasons. '.repeat(120);
  const world = await makeWorld(t, { rows: makeRows(10), job: `model: gpt-5.6-terra\nprompt: "{{ text }} ${rules} Reply in JSON."` });
  const first = await planWorld(world);
  assert.equal(first.cheaper?.model, 'gpt-5.6-luna');
  assert.ok((first.cheaper?.cost.batch?.expectedNanoUsd ?? 0) < (first.cost.batch?.expectedNanoUsd ?? 0) / 4);
  // The batch price of gpt-4.1 knows no cached rate, so that only a live run loses money.
  world.write('job.yaml', world.read('job.yaml').replace('gpt-5.6-terra', 'gpt-4.1'));
  const second = await planWorld(world);
  assert.equal(second.cheaper, null, 'nothing is proposed whose own end is announced');
  assert.doesNotMatch(JSON.stringify(second.problems), /could save/);
  world.write('job.yaml', world.read('job.yaml').replace('mode: batch', 'mode: live'));
  const live = await planWorld(world);
  assert.match(JSON.stringify(live.problems), /row text comes before constant text, .* could save up to \$0\.0/);
  world.write('job.yaml', world.read('job.yaml').replace(/prompt: .*/, `prompt: "${rules} Reply in JSON. {{ text }}"`));
  const last = await planWorld(world);
  assert.doesNotMatch(JSON.stringify(last.problems), /could save/);
  const { lowNanoUsd = 0, expectedNanoUsd = 0 } = last.cost.live ?? {};
  assert.ok(lowNanoUsd < expectedNanoUsd * 0.6, 'the low estimate counts on the cache');
});

test('the time is estimated for the job’s own limits, and for every usage tier', async (t) => {
  const world = await makeWorld(t, { rows: makeRows(50), job: 'limits: { rpm: 10, enqueued_tokens: 900 }' });
  const plan = await planWorld(world);
  const [own, ...tiers] = plan.time;
  assert.deepEqual(own?.live, { minutes: 5, boundBy: 'requests' });
  assert.equal(own?.batch?.rounds, Math.ceil(plan.tokens.input / 900));
  assert.deepEqual(
    tiers.map(({ tier }) => tier),
    [1, 2, 3, 4, 5],
  );
  assert.match(
    renderPlan(plan, PLAIN_LOOK),
    /\ntime {6}your limits: live 5 min or more \(requests per minute\), batch \d+ rounds, each within 24 h\n/,
  );
  assert.ok(plan.shards.every(({ tokens }) => tokens <= 450));
});

test('reasoning is assumed by effort, for each vote and within the cap, until answers are measured', async (t) => {
  const ask = (lines: string) => makeJob(readYaml(makeJobText(lines), 'job.yaml').value, { directory: '/' });
  const guess = (lines: string) => forecastAnswer(ask(lines), null).expectedTokens;
  const short = guess('model: gpt-4o-mini');
  for (const [lines, tokens] of [
    ['model: gpt-6-luna\nparams: {}', short + 60],
    ['model: gpt-5.5\nparams: {}', short + 60],
    ['model: gpt-5.1\nparams: {}', short],
    ['model: gpt-6-luna\nparams: { reasoning_effort: none }', short],
    ['model: gpt-5-mini\nparams: { reasoning_effort: minimal }', short],
    ['model: gpt-6-luna\nparams: { reasoning_effort: low }', short + 18.75],
    ['model: gpt-6-luna\nparams: { extra: { reasoning_effort: xhigh } }', short + 600],
    ['model: gpt-6-luna\nparams: { reasoning_effort: high, max_output_tokens: 90 }', 90],
    ['model: gpt-6-luna\nvotes: 3\nparams: {}', 3 * (short + 60)],
    ['model: gpt-6-luna\noutput: text\nparams: {}', 360],
    ['model: gpt-6-luna\noutput: text\nparams: { reasoning_effort: high }', 660],
  ] as const) {
    assert.ok(Math.abs(guess(lines) - tokens) < 0.01, `${lines}: ${guess(lines)}`);
  }
  const world = await makeWorld(t, { rows: makeRows(2), job: 'model: gpt-5-mini\nparams: { max_output_tokens: 2000 }' });
  assert.match(
    JSON.stringify((await planWorld(world)).problems),
    /bills its reasoning as output: 60 tokens an answer are assumed until some answers are measured/,
  );
  await world.run();
  world.write('in.csv', renderCsv(makeRows(3)));
  const { problems, tokens } = await planWorld(world);
  assert.doesNotMatch(JSON.stringify(problems), /bills its reasoning/);
  assert.ok(tokens.outputExpected > 60 && tokens.outputExpected < 200, 'its own answers tell');
});

test('answers to the same output are measured, however the prompt was worded; answers to anything else are not', async (t) => {
  const world = await makeWorld(t, { rows: makeRows(3), job: 'model: gpt-5-mini\nparams: { max_output_tokens: 2000 }' });
  await world.run();
  const same = 'model: gpt-5-mini\nparams: { max_output_tokens: 2000 }';
  for (const [lines, measured] of [
    [`${same}\nprompt: "Label and sum up in JSON: {{ text }}"`, 3],
    [`${same}\nretry: { attempts: 2 }`, 3],
    ['model: gpt-5-mini\nparams: { max_output_tokens: 2000, reasoning_effort: medium }', 3],
    ['model: gpt-5-mini\nparams: { max_output_tokens: 2000, extra: { reasoning_effort: high } }', 0],
    ['model: gpt-5-mini\nparams: { max_output_tokens: 2000, verbosity: low }', 0],
    ['model: gpt-5\nparams: { max_output_tokens: 2000 }', 0],
    [`${same}\nvotes: 3`, 0],
    [`${same}\nendpoint: /v1/responses`, 0],
    [`${same}\noutput: { label: "good | bad | other", summary: string, reason: string }`, 0],
    [`${same}\noutput: text`, 0],
  ] as const) {
    world.write('job.yaml', makeJobText(lines));
    assert.equal((await planWorld(world)).tokens.outputMeasured, measured, lines);
  }
  world.write('job.yaml', makeJobText(same));
  const harder = await planWorld(world, { type: 'all' }, { reopen: { causes: null, set: { reasoning_effort: 'high' } } });
  assert.equal(harder.tokens.outputMeasured, 0, 'nor do they tell what more effort takes');
  const texts = ['Say it in a word: {{ text }}', 'Say it in a page: {{ text }}'].map((prompt) =>
    makeJob(readYaml(makeJobText(`output: text\nprompt: "${prompt}"`), 'job.yaml').value, { directory: '/' }),
  ) as [Job, Job];
  assert.deepEqual([asksForSame(texts[0], texts[0]), asksForSame(...texts)], [true, false], 'the prompt decides how long a free text is');
});
