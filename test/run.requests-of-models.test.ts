import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createModelQueues } from '../src/batch/queue/model-queues.ts';
import { readAllowed } from '../src/core/bounds/answer-size.ts';
import { renderReask } from '../src/input/request/reask.ts';
import type { LedgerFold } from '../src/ledger/events/fold.ts';
import { createTokenEstimator } from '../src/money/tokens/token-estimator.ts';
import { planWorld } from './helpers/plan-world.ts';
import { runInProcess } from './helpers/run-in-process.ts';
import { makeWorld, type World } from './helpers/run-world.ts';
import { wideTest } from './helpers/wide.ts';

const JOB = 'name: proof\ninput: { path: in.jsonl, format: requests }\nmode: batch\nwrite: { path: out.jsonl }\n';

function makeBody(model: string, text: string): string {
  return JSON.stringify({ model, messages: [{ role: 'user', content: text }], max_tokens: 20 });
}

function makeLine(model: string, text: string, id = `${model} ${text}`): string {
  return `{"custom_id":${JSON.stringify(id)},"method":"POST","url":"/v1/chat/completions","body":${makeBody(model, text)}}`;
}

async function makeRequestsWorld(t: Parameters<typeof makeWorld>[0], lines: readonly string[], more: object = {}): Promise<World> {
  const world = await makeWorld(t, more);
  world.write('job.yaml', JOB);
  world.write('in.jsonl', lines.join('\n'));
  return world;
}

test('the queue of each model has its own limit, its own room and its own shard size', () => {
  const fold = { learnedLimits: new Map([['a', 1_000]]), learnedRequestLimits: new Map([['b', 10]]) } as unknown as LedgerFold;
  const queues = createModelQueues({ fold }, 5_000);
  const limits = (model: string) => [
    queues.of(model).admission.limit,
    queues.of(model).requestAdmission.limit,
    queues.of(model).cutSize.maxTokens,
  ];
  assert.deepEqual(['a', 'b'].map(limits), [
    [1_000, null, 500],
    [5_000, 10, 2_500],
  ]);
  queues.of('a').admission.enterNow(900);
  assert.deepEqual([queues.of('b').admission.used, queues.tokens], [0, { limitTokens: 6_000, usedTokens: 900 }]);
  assert.deepEqual(createModelQueues({ fold }, null).tokens, { limitTokens: 0, usedTokens: 0 });
});

test('a plan counts the tokens of each line by its own model', async (t) => {
  const text = '商品は良いですが箱が壊れていました。';
  const models = ['gpt-4o-mini', 'gpt-4'];
  const world = await makeRequestsWorld(
    t,
    models.map((model) => makeLine(model, text)),
  );
  const counts = models.map((model) => createTokenEstimator({ model }).countRequestExactly(makeBody(model, text)) ?? 0);
  assert.notEqual(counts[0], counts[1]);
  const { tokens } = await planWorld(world);
  assert.equal(tokens.input, (counts[0] ?? 0) + (counts[1] ?? 0));
});

wideTest('the small queue of each model is filled, and every line is answered', async (t) => {
  const models = ['gpt-4o-mini', 'gpt-4o'];
  const lines = Array.from({ length: 40 }, (_, index) => makeLine(models[index % 2] as string, `Say the number ${index}`));
  const world = await makeRequestsWorld(t, lines, { enqueuedTokens: 150 });
  const { summary, warnings } = await world.runToEnd();
  assert.deepEqual([summary.exitCode, summary.rows.ok], [0, 40]);
  for (const model of models)
    assert.ok(
      warnings.some((warning) => warning.startsWith(`${model}: the account holds 150`)),
      warnings.join('\n'),
    );
});

wideTest('commands name the models of a table of requests, and the missing one', async (t) => {
  const world = await makeRequestsWorld(t, [makeLine('gpt-4o-mini', 'one'), makeLine('my-own-model', 'two')]);
  const env = { PATH: process.env.PATH ?? '', HOME: world.directory, NO_COLOR: '1' };
  const tell = async (...args: string[]) => {
    const ended = await runInProcess([...args, '--simulate'], { cwd: world.directory, env });
    return { ...ended, said: ended.stdout + ended.stderr };
  };
  const doctor = await tell('doctor', 'job.yaml');
  assert.match(doctor.said, /^ok +model +gpt-4o-mini is in the list\nproblem +model +my-own-model is not in the list/m);
  assert.match(doctor.said, /^ok +price +gpt-4o-mini in batches.*\nwarning +price +the batch price of my-own-model is unknown/m);
  for (const budget of ['usd: 1', 'usd_per_row: 0.1']) {
    world.write('job.yaml', `${JOB}budget: { ${budget} }\n`);
    const { said, exitCode } = await tell('run', 'job.yaml', '--progress', 'none', '--yes');
    assert.equal(exitCode, 2, said);
    assert.match(said, /^budget.* is known for my-own-model[,;]/m);
    assert.doesNotMatch(said, /params\./);
  }
  world.write('job.yaml', JOB);
  const ended = await world.run();
  assert.equal(ended.summary.exitCode, 4);
  assert.match(ended.summary.verdict, /my-own-model/);
  assert.doesNotMatch(ended.summary.verdict, /gpt-4o-mini/);
  assert.match((await tell('status', 'job.yaml')).said, /^proof {2}batch {2}gpt-4o-mini and 1 more/m);
  const retried = await tell('retry', 'job.yaml', '--set', 'params.max_output_tokens=90', '--yes');
  assert.equal(retried.exitCode, 2, retried.said);
  assert.match(retried.said, /^--set: requests are sent as they are; change the lines in the table, and run the job$/m);
});

wideTest('diff and eval name the models of a table of requests', async (t) => {
  const world = await makeRequestsWorld(t, [makeLine('gpt-4o-mini', 'one'), makeLine('gpt-4o', 'two')]);
  await world.run();
  world.write('in.jsonl', [makeLine('gpt-4o-mini', 'one'), makeLine('gpt-4o', 'three', 'gpt-4o two')].join('\n'));
  await world.run();
  const env = { PATH: process.env.PATH ?? '', HOME: world.directory, NO_COLOR: '1' };
  const ask = async <Shown>(...args: string[]): Promise<Shown> => {
    const ended = await runInProcess([...args, '--simulate', '--json'], { cwd: world.directory, env });
    return JSON.parse(ended.stdout) as Shown;
  };
  const diff = await ask<Record<'a' | 'b', { model: string }>>('diff', 'job.yaml', 'prev', 'last');
  assert.deepEqual([diff.a.model, diff.b.model], ['gpt-4o-mini and 1 more', 'gpt-4o-mini and 1 more']);
  assert.equal((await ask<{ model: string }>('eval', 'job.yaml', '--gold', 'model')).model, 'gpt-4o-mini and 1 more');
});

test('budget.usd_per_row judges each line by the price of its own model', async (t) => {
  const world = await makeRequestsWorld(t, [makeLine('gpt-4o-mini', 'one'), makeLine('gpt-4o', 'two')]);
  world.write('job.yaml', `${JOB}budget: { usd_per_row: 0.0005 }\n`);
  const plan = await planWorld(world);
  assert.deepEqual([plan.rows.new, plan.skipped], [1, { too_large: 1 }]);
});

test('numbers of a request keep their text in a re-ask', () => {
  const body =
    '{ "model":"m", "seed": 9007199254740993, "temperature":1.0, "metadata":{"x":1e400}, "messages":[{"role":"user","content":"a"}] }';
  const request = { key: 'k'.repeat(22), customId: 'k'.repeat(22), url: '/v1/chat/completions', body };
  const again = renderReask(request, { n: 1, cause: 'invalid', answerText: 'no', message: 'it is none' }, null).body;
  assert.match(
    again,
    /^\{"model":"m","seed":9007199254740993,"temperature":1\.0,"metadata":\{"x":1e400\},"messages":\[\{.*"content":"no"\}/,
  );
});

test("a request's output cap is found whatever spaces it contains", () => {
  assert.deepEqual(readAllowed('{ "max_tokens" : 4000, "n":1, "logprobs" : true }'), {
    capTokens: 4_000,
    capped: 1,
    choices: 1,
    hasProbabilities: true,
  });
});
