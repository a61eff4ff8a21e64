import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chooseBilledOrigin, chooseCalledOrigin, chooseSeenOrigin } from '../src/cli/choose-provider.ts';
import type { Summary } from '../src/core/summary.ts';
import type { Bill } from '../src/inspect/bill/read-bill.ts';
import { startSimulator } from '../src/simulator/start.ts';
import { CANARY_KEY, createWorld, REVIEW_JOB, REVIEWS } from './helpers/command-line.ts';
import { startProxy } from './helpers/proxy.ts';

const KEY = { OPENAI_API_KEY: CANARY_KEY };

test('bill counts all, or with --simulate or --base-url one provider; other commands show the provider of the last run, and send to the API', async (t) => {
  const simulator = await startSimulator();
  t.after(() => simulator.close());
  const model = await startProxy(t, { target: simulator.url, isModel: true });
  const world = createWorld({ 'reviews.csv': REVIEWS, 'job.yaml': REVIEW_JOB });
  t.after(() => world.dispose());
  const made = await world.json<Summary>(['run', 'job.yaml', '--simulate', '--mode', 'live']);
  const paid = await world.json<Summary>(['run', 'job.yaml', '--base-url', model, '--mode', 'live', '--yes'], KEY);
  assert.deepEqual([made.simulated, paid.simulated], [true, false]);
  assert.ok(made.cost.nanoUsd > 0 && paid.cost.nanoUsd > 0);
  const read = async (...flags: string[]) => {
    const { simulated, total, apart } = await world.json<Bill>(['bill', ...flags], { ROWMILL_BASE_URL: 'http://127.0.0.1:9/v1' });
    return [simulated, total.nanoUsd, apart?.total.nanoUsd ?? null];
  };
  assert.deepEqual(await read(), [false, paid.cost.nanoUsd, made.cost.nanoUsd], 'whatever address the environment has for calls');
  assert.deepEqual(await read('--simulate'), [true, made.cost.nanoUsd, null]);
  assert.deepEqual(await read('--base-url', model), [false, paid.cost.nanoUsd, null]);
  assert.deepEqual(await read('--base-url', 'http://127.0.0.1:9/v1'), [false, 0, null]);

  const status = await world.run(['status', 'job.yaml']);
  assert.equal(status.exitCode, 0);
  const retried = await world.run(['retry', 'job.yaml']);
  assert.equal(retried.exitCode, 2);
  assert.match(retried.stderr, /has not been run with api\.openai\.com: .*it was run with .*the simulator \(--simulate\)/);
  const planned = await world.json<{ rows: { new: number } }>(['plan', 'job.yaml']);
  assert.ok(planned.rows.new > 0, 'plan tells of the run that would call the API');
});

test('if flags and environment name a provider, all commands except bill follow both', (t) => {
  const before = process.env;
  t.after(() => {
    process.env = before;
  });
  process.env = {};
  const choose = (flags: Parameters<typeof chooseSeenOrigin>[0]) => [
    chooseCalledOrigin(flags),
    chooseSeenOrigin(flags),
    chooseBilledOrigin(flags),
  ];
  const here = { baseUrl: 'http://127.0.0.1:8089/v1' };
  assert.deepEqual(choose({}), ['default', null, null]);
  assert.deepEqual(choose({ simulate: true }), ['simulator', 'simulator', 'simulator']);
  assert.deepEqual(choose(here), ['127.0.0.1-8089', '127.0.0.1-8089', '127.0.0.1-8089']);
  process.env = { ROWMILL_BASE_URL: here.baseUrl };
  assert.deepEqual(choose({}), ['127.0.0.1-8089', '127.0.0.1-8089', null]);
});
