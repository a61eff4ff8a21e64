import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { test } from 'node:test';
import { defineJob } from '../src/index.ts';
import { startSimulator } from '../src/simulator/start.ts';
import { CANARY_KEY, createWorld, REVIEW_JOB, REVIEWS } from './helpers/command-line.ts';

const KEY = { OPENAI_API_KEY: CANARY_KEY };

test('sending again is planned, confirmed and refused at its real cost on the command line', async (t) => {
  const world = createWorld({ 'reviews.csv': REVIEWS, 'job.yaml': `${REVIEW_JOB}confirm_over: 0\n` });
  const simulator = await startSimulator({ faults: [{ match: { custom_id: '*', every: 2 }, do: { answer: 'refusal' } }] });
  t.after(async () => {
    await simulator.close();
    world.dispose();
  });
  const at = ['--base-url', simulator.url];
  assert.equal((await world.run(['run', 'job.yaml', ...at, '--yes'], KEY)).exitCode, 3);
  assert.ok((simulator.faultsFired()[0]?.fired ?? 0) > 0);
  const events = path.join(world.folder, '.rowmill', fs.readdirSync(path.join(world.folder, '.rowmill'))[0] ?? '', 'events.jsonl');
  const before = fs.readFileSync(events, 'utf8');
  const sent = () => Object.values(simulator.requests()).reduce((sum, count) => sum + count, 0);
  const sentBefore = sent();

  const cases: readonly [readonly string[], number][] = [
    [['run', 'job.yaml', '--fresh'], 4],
    [['run', 'job.yaml', '--retry-failed'], 2],
    [['retry', 'job.yaml'], 2],
    [['retry', 'job.yaml', '--cause', 'refused', '--set', 'params.temperature=0'], 2],
  ];
  for (const [command, requests] of cases) {
    const { exitCode, stderr } = await world.run([...command, ...at], KEY);
    assert.equal(exitCode, 2, stderr);
    assert.match(stderr, new RegExp(`: ${requests} requests, about \\$0\\.\\d*[1-9]`));
    assert.match(stderr, /above confirm_over \(\$0\): add --yes/);
    assert.equal(fs.readFileSync(events, 'utf8'), before, command.join(' '));
  }
  for (const [flag, requests, change] of [
    ['--fresh', 4, /--fresh: 4 of 6 rows would be sent again, \$/],
    ['--retry-failed', 2, /failed rows are opened again: 2 of 6 rows would be sent again, \$/],
  ] as const) {
    const plan = await world.json<{ rows: { again: number }; tokens: { input: number } }>(['plan', 'job.yaml', flag, ...at], KEY);
    assert.equal(plan.rows.again, requests);
    const { stdout } = await world.run(['plan', 'job.yaml', flag, ...at], KEY);
    assert.match(stdout, change);
    assert.match(stdout, new RegExp(`To do it: rowmill run job\\.yaml --base-url \\S+ ${flag}$`, 'm'));
  }
  assert.equal(fs.readFileSync(events, 'utf8'), before);
  assert.equal(sent(), sentBefore, 'nothing was sent');
  assert.equal((await world.run(['run', 'job.yaml', '--fresh', ...at, '--yes'], KEY)).exitCode, 3);
});

test('a program sees the cost of sending again, and has to confirm it', async (t) => {
  const world = createWorld({ 'reviews.csv': REVIEWS });
  const simulator = await startSimulator({});
  const key = process.env.OPENAI_API_KEY;
  process.env.OPENAI_API_KEY = CANARY_KEY;
  t.after(async () => {
    if (key === undefined) delete process.env.OPENAI_API_KEY;
    else process.env.OPENAI_API_KEY = key;
    await simulator.close();
    world.dispose();
  });
  const job = defineJob({
    name: 'reviews',
    directory: world.folder,
    input: { path: 'reviews.csv', columns: ['id', 'text'], id: 'id' },
    model: 'gpt-4o-mini',
    mode: 'live',
    prompt: (row) => row.text,
    output: 'text',
    confirm_over: 0,
  });
  const baseUrl = simulator.url;
  await assert.rejects(job.run({ baseUrl }), /above confirm_over \(\$0\): pass `yes: true` to run\(\) to continue/);
  assert.deepEqual(fs.readdirSync(world.folder), ['reviews.csv']);
  assert.equal((await job.run({ baseUrl, yes: true })).summary.attempts.total, 4);
  assert.equal((await job.plan({ baseUrl })).rows.again, 0);
  assert.equal((await job.plan({ baseUrl, fresh: true })).rows.again, 4);
  await assert.rejects(job.run({ baseUrl, fresh: true }), /above confirm_over/);
  assert.equal((await job.run({ baseUrl, fresh: true, yes: true })).summary.attempts.total, 4);
});
