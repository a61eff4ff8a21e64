import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { test } from 'node:test';
import { makeKey } from '../src/core/request.ts';
import { planWorld } from './helpers/plan-world.ts';
import { runInProcess } from './helpers/run-in-process.ts';
import { makeWorld, type World } from './helpers/run-world.ts';
import { wideTest } from './helpers/wide.ts';

/** Bodies as people write them: their spaces, escapes and numbers are theirs. */
const BODIES: readonly (readonly [id: string, url: string, model: string, body: string])[] = [
  [
    'a-1',
    '/v1/chat/completions',
    'gpt-4o-mini',
    '{ "model": "gpt-4o-mini",  "messages": [{"role":"user","content":"Say \\u0067ood {} \\"]\\""}], "max_tokens": 50, "temperature": 1.0 }',
  ],
  ['a-2', '/v1/responses', 'gpt-4o-mini', '{"input":"Say fine","model":"gpt-4o-mini","max_output_tokens":40,"metadata":{"n":"1.10"}}'],
  [
    'a-3',
    '/v1/chat/completions',
    'gpt-4o',
    '{"messages":[{"role":"user","content":"Say three"}],"model":"gpt-4o","max_completion_tokens":60}',
  ],
  [
    'a-4',
    '/v1/chat/completions',
    'gpt-4o-mini',
    '{"model":"gpt-4o-mini","messages":[{"role":"user","content":"Say four"}],"max_tokens":70}',
  ],
];

const JOB = 'name: proof\ninput: { path: in.jsonl, format: requests }\nmode: batch\nwrite: { path: out.jsonl }\n';

function makeLine([id, url, , body]: (typeof BODIES)[number], isTurned = false): string {
  const others = [`"custom_id" : "${id}"`, '"method":"POST"', `"url": "${url}"`];
  return isTurned ? `{"body": ${body} ,${others.join(',')}}` : `{${others.join(',')},"body":${body}}`;
}

async function makeRequestsWorld(t: Parameters<typeof makeWorld>[0], lines: readonly string[], job = JOB): Promise<World> {
  const world = await makeWorld(t);
  world.write('job.yaml', job);
  world.write('in.jsonl', lines.join('\n'));
  return world;
}

const readTable = (world: World) =>
  world
    .read('out.jsonl')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);

test('requests are sent byte for byte, in a batch for each endpoint and model, and answered under their own ids', async (t) => {
  const world = await makeRequestsWorld(
    t,
    BODIES.map((one, index) => makeLine(one, index % 2 === 1)),
  );
  assert.deepEqual((await planWorld(world)).shards.map(({ requests }) => requests).toSorted(), [1, 1, 2]);
  const { summary } = await world.run();
  assert.deepEqual([summary.exitCode, summary.rows.ok, summary.attempts.batch, summary.model], [0, 4, 4, 'gpt-4o-mini and 1 more']);
  assert.deepEqual(summary.batches.map(({ requests }) => requests).toSorted(), [1, 1, 2]);
  const billed = world.simulator.bill().map(({ customId, bodySha256, model }) => [customId, bodySha256, model]);
  const wanted = BODIES.map(([, url, model, body]) => [makeKey(url, body), hash('sha256', body), model]);
  const byId = (a: readonly unknown[], b: readonly unknown[]) => (String(a[0]) < String(b[0]) ? -1 : 1);
  assert.deepEqual(
    billed.toSorted(byId).map(([id, sha256]) => [id, sha256]),
    wanted.toSorted(byId).map(([id, sha256]) => [id, sha256]),
  );
  const rows = readTable(world);
  assert.deepEqual(
    rows.map(({ custom_id: id, url, model }) => [id, url, model]),
    BODIES.map(([id, url, model]) => [id, url, model]),
  );
  assert.ok(rows.every(({ answer, _status }) => typeof answer === 'string' && _status === 'ok'));
  assert.match(String(rows[2]?._model), /^gpt-4o-2/);
  const again = await world.run();
  assert.deepEqual([again.requests, again.summary.attempts.total], [{}, 0]);
});

test('live, each line is called at its own endpoint; a budget reserves what the most expensive can cost', async (t) => {
  const job = `${JOB.replace('batch', 'live')}budget: { usd: 0.05 }\n`;
  const world = await makeRequestsWorld(
    t,
    BODIES.map((one) => makeLine(one)),
    job,
  );
  const { summary, requests } = await world.run();
  assert.deepEqual([summary.exitCode, summary.rows.ok, summary.attempts.live], [0, 4, 4]);
  assert.deepEqual([requests['POST /v1/chat/completions'], requests['POST /v1/responses']], [3, 1]);
  world.write('job.yaml', job.replace('0.05', '0.0000001'));
  world.write(
    'in.jsonl',
    makeLine(['b', '/v1/chat/completions', 'gpt-4o', '{"model":"gpt-4o","messages":[{"role":"user","content":"More"}],"max_tokens":9}']),
  );
  const tight = await world.run();
  assert.deepEqual([tight.summary.exitCode, tight.summary.attempts.total], [5, 0]);
});

test('a plan prices each line by its model', async () => {
  const mini = BODIES[3] as (typeof BODIES)[number];
  const dear = mini.map((part) => part.replace('gpt-4o-mini', 'gpt-4o').replace('a-4', 'b-4')) as unknown as typeof mini;
  const costs: (number | undefined)[] = [];
  for (const lines of [[mini], [dear], [mini, dear]]) {
    const world = await makeRequestsWorld(
      null,
      lines.map((line) => makeLine(line)),
    );
    costs.push((await planWorld(world)).cost.batch?.worstNanoUsd);
    await world.simulator.close();
  }
  const [cheap = 0, expensive = 0, both] = costs;
  assert.ok(expensive > 10 * cheap);
  // Tokens of both are estimated by one tokenizer.
  assert.ok(Math.abs((both ?? 0) - cheap - expensive) <= expensive / 50, JSON.stringify(costs));
});

const good = makeLine(BODIES[0] as (typeof BODIES)[number]);
const withBody = (body: string) => `{"custom_id":"x","method":"POST","url":"/v1/chat/completions","body":${body}}`;

const vectors = (input: string) =>
  withBody(`{"model":"text-embedding-3-small","input":${input}}`).replace('/v1/chat/completions', '/v1/embeddings');

const BAD: readonly [line: string, column: number, message: RegExp][] = [
  ['{"custom_id":', 14, /not valid JSON: it ends too early/],
  [good, 1, /custom_id: "a-1" already occurs at in\.jsonl:1/],
  [good.replace('"a-1"', '7'), 16, /custom_id: must be a text/],
  [good.replace('POST', 'GET').replace('a-1', 'x'), 29, /method: must be POST/],
  [good.replace('/v1/chat', '/v2/chat').replace('a-1', 'x'), 43, /url: must be one of \/v1\/chat\/completions, /],
  [good.replace('"method":"POST",', '').replace('a-1', 'x'), 1, /method: must be POST/],
  ['{"custom_id":"x","method":"POST","url":"/v1/responses","boddy":{}}', 64, /no "boddy"\. Did you mean "body"\?/],
  [withBody('"text"'), 70, /body: must be an object/],
  [withBody('{"messages":[]}'), 70, /body\.model: must name the model/],
  [withBody('{"model":"gpt-4o","stream":true}'), 70, /body\.stream: /],
  [withBody('{"model":"gpt-4o","n":2}'), 70, /body\.n: a row has one answer/],
  [withBody('{"model":"gpt-4o","model":"gpt-5"}'), 88, /the key "model" occurs twice/],
  [vectors('["one","two"]'), 64, /body\.input: a row has one answer/],
  [vectors('[[1,2],[3]]'), 64, /body\.input: a row has one answer/],
];

test('lines that are not requests are all reported with their places; with bad_rows: skip they keep theirs', async (t) => {
  const world = await makeRequestsWorld(t, [good, ...BAD.map(([line]) => line)]);
  const error: unknown = await planWorld(world).then(
    () => assert.fail('was planned'),
    (reason: unknown) => reason,
  );
  const told = (error as Error).message.split('\n');
  assert.equal(told.length, BAD.length + 1, told.join('\n'));
  for (const [index, [line, column, message]] of BAD.entries()) {
    assert.match(told[index] as string, message, line);
    assert.ok(told[index]?.startsWith(`in.jsonl:${index + 2}:${column}  `), `${told[index]} of ${line}`);
  }
  assert.match(told.at(-1) as string, /^job\.yaml:2:10 {2}14 bad lines; input\.bad_rows/);
  world.write('job.yaml', JOB.replace('format: requests', 'format: requests, bad_rows: skip'));
  const plan = await planWorld(world);
  assert.deepEqual([plan.rows.new, plan.skipped], [1, { bad_row: 14 }]);
});

test('keys that the lines contain themselves are refused in the job, with their place', async (t) => {
  const world = await makeRequestsWorld(t, [good], `${JOB}model: gpt-4o\nprompt: hi\nparams: { temperature: 1 }\n`);
  await assert.rejects(
    planWorld(world),
    /^UsageError: job\.yaml:5:1 {2}model: does not go with format: requests.*\njob\.yaml:6:1 {2}prompt: .*\njob\.yaml:7:1 {2}params: /,
  );
  world.write('job.yaml', 'name: proof\ninput: { path: in.jsonl }\n');
  await assert.rejects(planWorld(world), /model: missing\n.*output: missing\n.*prompt: missing|prompt: missing/);
});

wideTest('requests of the Batch API are recognised by the first command', async (t) => {
  const world = await makeRequestsWorld(t, [good]);
  const env = { PATH: process.env.PATH ?? '', HOME: world.directory, NO_COLOR: '1' };
  const ended = await runInProcess(['plan', 'in.jsonl', '--simulate', '--json'], { cwd: world.directory, env });
  assert.deepEqual([ended.exitCode, JSON.parse(ended.stdout).rows.new], [0, 1], ended.stderr);
  const written = await runInProcess(['init', 'in.jsonl', '--json'], { cwd: world.directory, env });
  assert.equal(written.exitCode, 0, written.stderr);
  assert.match(world.read('in.yaml'), /format: requests/);
  await world.run();
  const verified = await runInProcess(['verify', 'job.yaml', '--simulate', '--json'], { cwd: world.directory, env });
  assert.equal(verified.exitCode, 0, verified.stdout);
});

wideTest('an output splits the answers of requests, and is checked', async (t) => {
  const body =
    '{"model":"gpt-4o-mini","messages":[{"role":"user","content":"Reply in JSON"}],"response_format":{"type":"json_schema","json_schema":{"name":"a","strict":true,"schema":{"type":"object","required":["label"],"additionalProperties":false,"properties":{"label":{"enum":["good","bad"]}}}}}}';
  const world = await makeRequestsWorld(
    t,
    [makeLine(['x', '/v1/chat/completions', 'gpt-4o-mini', body])],
    `${JOB}output: { label: "good | bad" }\n`,
  );
  const { summary } = await world.run();
  assert.deepEqual([summary.exitCode, summary.rows.ok], [0, 1]);
  assert.match(String(readTable(world)[0]?.label), /^(good|bad)$/);
});
