import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as http from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { planWorld } from './helpers/plan-world.ts';
import { LUNA, runIn } from './helpers/prompt-cache-world.ts';
import { runInProcess } from './helpers/run-in-process.ts';
import { makeRows, makeWorld } from './helpers/run-world.ts';
import { wideTest } from './helpers/wide.ts';

const FLEX = `mode: flex\n${LUNA}`;

wideTest('a flex run makes live calls at the flex price, and plan, budget and report say so', async (t) => {
  const world = await makeWorld(t, { rows: makeRows(20), job: `${LUNA}\nbudget: { usd: 5 }` });
  const { summary } = await runIn(world, 'flex');
  assert.deepEqual([summary.exitCode, summary.rows.ok, summary.attempts.live, summary.attempts.batch], [0, 20, 20, 0]);
  assert.deepEqual(new Set(world.simulator.bill().map(({ lane, tier }) => `${lane} ${tier}`)), new Set(['live flex']));
  const { input, output } = summary.tokens;
  assert.equal(summary.cost.nanoUsd, input * 100 + output * 600);
  assert.equal(summary.cost.batchSavedNanoUsd, summary.cost.nanoUsd, 'half of the live price');
  const report = await runInProcess(['report', 'job.yaml'], { cwd: world.directory, env: { PATH: process.env.PATH ?? '' } });
  assert.match(report.stdout, /by the flex price/);
  assert.match(fs.readFileSync(world.path('out.report.html'), 'utf8'), /Saved by the flex price/);
  assert.equal(
    JSON.parse(world.read(`.rowmill/proof@simulator/runs/${summary.run}/summary.json`)).summary.cost.nanoUsd,
    summary.cost.nanoUsd,
  );
});

wideTest('the estimate of a flex run is that of the flex price', async (t) => {
  const world = await makeWorld(t, { rows: makeRows(20), job: LUNA });
  world.write('job.yaml', world.read('job.yaml').replace('mode: batch', 'mode: flex'));
  const plan = await planWorld(world);
  const { summary } = await runIn(world, 'flex');
  assert.equal(summary.cost.estimateNanoUsd, plan.cost.flex?.expectedNanoUsd);
  assert.ok((plan.cost.live?.expectedNanoUsd ?? 0) > (plan.cost.flex?.expectedNanoUsd ?? 0));
  assert.equal(plan.promptCache?.priced, 'flex');
});

wideTest('while there is no capacity for flex, rows wait and do not fail', async (t) => {
  const error = { message: 'Resource Unavailable', type: 'resource_unavailable', code: 'resource_unavailable' };
  const faults = [{ match: { method: 'POST', path: '/v1/chat/completions', every: 3 }, do: { status: 429, body: { error } }, times: 8 }];
  const world = await makeWorld(t, { rows: makeRows(20), job: LUNA, faults });
  const { summary } = await runIn(world, 'flex');
  world.assertFaultsFired();
  assert.deepEqual([summary.exitCode, summary.rows.ok, summary.attempts.total], [0, 20, 20]);
  assert.equal(world.simulator.bill().length, 20);
});

test('an answer given at another tier is priced at that tier', async (t) => {
  const faults = [{ match: { lane: 'live', nth: 3 }, do: { answer: 'tier_downgraded' }, times: 1 }];
  const world = await makeWorld(t, { rows: makeRows(6), job: LUNA, faults });
  const { summary } = await runIn(world, 'flex');
  world.assertFaultsFired();
  const cost = world.simulator
    .bill()
    .reduce(
      (sum, { tier, usage }) =>
        sum + (Number(usage.prompt_tokens) * 100 + Number(usage.completion_tokens) * 600) * (tier === 'flex' ? 1 : 2),
      0,
    );
  assert.equal(summary.cost.nanoUsd, cost);
});

const REFUSED: readonly (readonly [title: string, job: string, flags: readonly string[], message: RegExp])[] = [
  [
    'a model without a flex price',
    'model: gpt-4o-mini',
    ['--mode', 'flex'],
    /mode: flex: gpt-4o-mini is not sold at the flex price here; use mode: batch/,
  ],
  [
    'a tier of the job’s own',
    'model: gpt-5.6-luna\nparams: { service_tier: priority }',
    ['--mode', 'flex'],
    /params\.service_tier: mode: flex sets the tier/,
  ],
  [
    'a deadline',
    LUNA,
    ['--mode', 'flex', '--deadline', '2h', '--max-live-usd', '1'],
    /--deadline is for runs that begin with batches, and this one is flex/,
  ],
];

for (const [title, job, flags, message] of REFUSED) {
  test(`${title} is refused before anything is sent`, async (t) => {
    const world = await makeWorld(t, { rows: makeRows(3), job });
    const env = { PATH: process.env.PATH ?? '', OPENAI_API_KEY: 'sk-test' };
    const ended = await runInProcess(['run', 'job.yaml', '--base-url', world.simulator.url, ...flags], { cwd: world.directory, env });
    assert.equal(ended.exitCode, 2, ended.stderr);
    assert.match(ended.stderr, message);
    assert.equal(world.simulator.requests()['POST /v1/chat/completions'], undefined);
  });
}

test('if an address refuses the tier, the run stops with exit 4, and no row is lost', async (t) => {
  const error = { message: 'Invalid service_tier argument', type: 'invalid_request_error', param: 'service_tier', code: null };
  const server = http.createServer((request, response) => {
    const isPost = request.method === 'POST';
    request.resume().on('end', () => {
      response.writeHead(isPost ? 400 : 200, { 'content-type': 'application/json' });
      response.end(JSON.stringify(isPost ? { error } : { object: 'list', data: [{ id: 'gpt-5.6-luna' }], has_more: false }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const world = await makeWorld(t, { rows: makeRows(5), job: LUNA });
  const { summary, warnings } = await runIn(world, 'flex', { baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1` });
  assert.deepEqual([summary.exitCode, summary.rows.pending, summary.rows.failed], [4, 5, 0], warnings.join('\n'));
  assert.match(summary.verdict, /does not sell the flex tier/);
});

test('a job file may say mode: flex', async (t) => {
  const world = await makeWorld(t, { rows: makeRows(3), job: LUNA });
  world.write('job.yaml', world.read('job.yaml').replace('mode: batch', FLEX.split('\n')[0] ?? ''));
  const { summary } = await world.run();
  assert.equal(summary.rows.ok, 3);
  assert.equal(
    world.simulator.bill().every(({ tier }) => tier === 'flex'),
    true,
  );
});
