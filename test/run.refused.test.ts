import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { makeReadOptions } from '../src/cli/read-options.ts';
import { AppError, EXIT } from '../src/core/errors.ts';
import { readFailures } from '../src/inspect/failures.ts';
import { sampleRows } from '../src/inspect/quality/sample.ts';
import { readReport } from '../src/inspect/report.ts';
import { readStatus } from '../src/inspect/status.ts';
import { startSimulator } from '../src/simulator/start.ts';
import { CANARY_KEY, createWorld, REVIEW_JOB, REVIEWS } from './helpers/command-line.ts';
import { makeJobText, makeWorld, type RunChange, type World } from './helpers/run-world.ts';
import { someOf, wideTest } from './helpers/wide.ts';

/** Everything that commands say which only look. */
async function look(world: World) {
  const options = { ...makeReadOptions(world.path('job.yaml'), {}), cwd: world.directory };
  const { rows, cost, run } = await readStatus(options);
  const { sample } = await sampleRows(options, { rows: 3, seed: 1, by: null, field: 'label' });
  const { summary } = await readReport(options, null);
  const { causes } = await readFailures(options, null);
  return { rows, cost, run, sample: { ...sample, rows: sample.rows.sampled }, summary, causes, table: world.read('out.csv') };
}

const ANY_KEY = { error: 'invalid_api_key' };
const NO_MODEL = {
  status: 404,
  body: { error: { message: 'The model does not exist', code: 'model_not_found', type: 'invalid_request_error' } },
};
const live = (world: World): RunChange => ({ overrides: { cwd: world.directory, mode: 'live' } });

interface Case {
  readonly name: string;
  readonly faults?: readonly object[];
  readonly change?: (world: World) => RunChange;
  readonly exitCode: number;
}

const FRESH = { isFresh: true };
const RETRY = { reopen: { causes: null, set: {} } };
const CASES: readonly Case[] = [
  { name: 'a key that is refused, in batches', faults: [{ do: ANY_KEY }], exitCode: 4 },
  { name: 'a key that is refused, live', faults: [{ do: ANY_KEY }], change: live, exitCode: 4 },
  { name: 'a key that is refused when everything is to be asked afresh', faults: [{ do: ANY_KEY }], change: () => FRESH, exitCode: 4 },
  { name: 'a key that is refused when failed rows are opened again', faults: [{ do: ANY_KEY }], change: () => RETRY, exitCode: 4 },
  { name: 'a model that is gone, live', faults: [{ match: { path: '/v1/chat/*' }, do: NO_MODEL }], change: live, exitCode: 4 },
  {
    name: 'a Redis that is not there',
    change: (world) => ({ ...live(world), ...FRESH, redis: { url: 'redis://127.0.0.1:1', secret: null } }),
    exitCode: 2,
  },
];

for (const { name, faults = [], change = () => ({}), exitCode } of someOf(CASES, 1)) {
  test(`a refused run leaves nothing that looks like a run: ${name}`, async (t) => {
    const world = await makeWorld(t, { faults: [{ match: { every: 4 }, do: { answer: 'refusal' } }] });
    await world.run();
    world.assertFaultsFired();
    fs.appendFileSync(world.path('in.csv'), 'r99,one more row\n');
    const before = await look(world);
    await world.restart({ faults });
    const ended = await world.run(change(world)).then(
      ({ summary }) => summary.exitCode,
      (error: unknown) => (error instanceof AppError ? error.exitCode : error),
    );
    assert.equal(ended, exitCode);
    if (faults.length > 0) world.assertFaultsFired();
    assert.deepEqual(await look(world), before);
    assert.equal(fs.existsSync(world.path('out.partial.csv')), false);
    await world.restart({});
    const { summary } = await world.run();
    assert.deepEqual([summary.exitCode, summary.rows.new, summary.rows.reused], [3, 1, 9], 'the run that comes next is a run of its own');
    assert.notEqual(summary.run, before.summary.run);
    world.check(summary);
  });
}

wideTest('a run that achieved something is kept when its key is refused later', async (t) => {
  const faults = [{ match: { path: '/v1/chat/completions', nth: 5 }, do: { error: 'invalid_api_key' } }];
  const world = await makeWorld(t, { faults, job: 'limits: { concurrency: 1 }' });
  const { summary } = await world.run(live(world));
  world.assertFaultsFired();
  assert.equal(summary.exitCode, 4);
  assert.ok(summary.attempts.total > 0);
  await world.restart({});
  const ended = await world.run(live(world));
  assert.deepEqual([ended.summary.run, ended.summary.exitCode], [summary.run, 0]);
});

test('a run whose create is in doubt stays open when its key is refused meanwhile: its batch is found, and nothing is paid for twice', async (t) => {
  const faults = [
    { match: { method: 'POST', path: '/v1/batches' }, do: { drop: 'after' }, times: 1 },
    // The first list is the sweep before anything was created.
    { match: { method: 'GET', path: '/v1/batches', nth: 2 }, do: ANY_KEY },
  ];
  const world = await makeWorld(t, { faults });
  const { summary } = await world.run();
  world.assertFaultsFired();
  assert.equal(summary.exitCode, 4);
  await world.restart({});
  const ended = await world.run();
  assert.deepEqual([ended.summary.run, ended.summary.exitCode], [summary.run, 0]);
  assert.equal(ended.requests['POST /v1/batches'] ?? 0, 0, 'the batch that was created is found');
  world.check(ended.summary);
});

wideTest('after a refusal by another provider, commands show the last real run', async (t) => {
  const world = createWorld({ 'reviews.csv': REVIEWS, 'job.yaml': REVIEW_JOB });
  const simulator = await startSimulator({ faults: [{ match: {}, do: { error: 'invalid_api_key' } }] });
  t.after(async () => {
    await simulator.close();
    world.dispose();
  });
  const { run } = await world.json<{ run: string }>(['run', 'job.yaml', '--simulate']);
  const key = { OPENAI_API_KEY: CANARY_KEY };
  const refusals: readonly [number, readonly string[], Readonly<Record<string, string>>][] = [
    [4, ['run', 'job.yaml'], {}],
    [4, ['run', 'job.yaml', '--base-url', simulator.url, '--mode', 'live'], key],
    [4, ['run', 'job.yaml', '--base-url', simulator.url], key],
    [4, ['run', 'job.yaml', '--base-url', simulator.url, '--fresh'], key],
    [2, ['run', 'job.yaml', '--base-url', simulator.url, '--mode', 'live', '--redis', 'redis://127.0.0.1:1'], key],
  ];
  for (const [exitCode, command, environment] of refusals) {
    const ended = await world.run([...command, '--yes'], environment);
    assert.equal(ended.exitCode, exitCode, ended.stderr);
    const status = await world.json<{ run: { id: string }; origin: string }>(['status', 'job.yaml']);
    assert.deepEqual([status.run.id, status.origin], [run, 'simulator'], command.join(' '));
    assert.equal((await world.json<{ run: string }>(['report', 'job.yaml'])).run, run);
    assert.equal((await world.json<{ run: string }>(['sample', 'job.yaml'])).run, run);
  }
});

wideTest('a first run that is refused leaves no state directory, wherever that would have been', async (t) => {
  const dear = createWorld({
    'reviews.csv': REVIEWS,
    'job.yaml': `${REVIEW_JOB}confirm_over: 0\n`,
    'piped.yaml': REVIEW_JOB.replace('reviews.csv', '"-"'),
  });
  t.after(() => dear.dispose());
  const before = fs.readdirSync(dear.folder).sort();
  const key = { OPENAI_API_KEY: CANARY_KEY };
  const refusals: readonly [number, readonly string[], Readonly<Record<string, string>>][] = [
    [2, ['run', 'job.yaml'], key],
    [4, ['run', 'job.yaml', '--yes'], {}],
    [4, ['run', 'job.yaml', '--yes', '--state-dir', path.join('deep', 'er')], {}],
    [2, ['run', 'job.yaml', '--yes', '--simulate', '--deadline', '6h', '--max-live-usd', '1', '--mode', 'live'], {}],
    [2, ['run', 'job.yaml', '--yes', '--mode', 'live', '--redis', 'redis://127.0.0.1:1'], key],
    [2, ['plan', 'job.yaml', '--input', 'reviews.csv', '--limit', '0'], key],
  ];
  for (const [exitCode, command, environment] of refusals) {
    const ended = await dear.run(command, environment);
    assert.equal(ended.exitCode, exitCode, ended.stderr);
    assert.deepEqual(fs.readdirSync(dear.folder).sort(), before, command.join(' '));
  }
  const piped = await dear.spawn(['run', 'piped.yaml', '--yes'], {}, REVIEWS);
  assert.equal(piped.exitCode, 4, piped.stderr);
  assert.deepEqual(fs.readdirSync(dear.folder).sort(), before);
});

test('a directory that contains a possible answer is not removed', async (t) => {
  const world = await makeWorld(t);
  const file = path.join(world.stateDirectory, 'responses', 'unknown.jsonl');
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, '{}\n');
  world.write('job.yaml', makeJobText('confirm_over: 0'));
  const refused = world.run({
    confirm: async () => {
      throw new AppError('no', { code: 'no', exitCode: EXIT.usage });
    },
  });
  await assert.rejects(refused, /^AppError: no$/);
  assert.equal(fs.readFileSync(file, 'utf8'), '{}\n');
});

wideTest('a key without access to the list of models may use --fresh', async (t) => {
  const world = await makeWorld(t);
  await world.run();
  await world.restart({ faults: [{ match: { path: '/v1/models' }, do: { error: 'permission_denied' } }] });
  const { summary } = await world.run({ isFresh: true });
  world.assertFaultsFired();
  assert.deepEqual([summary.exitCode, summary.attempts.total], [0, 12]);
});
