import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import type { Finding } from '../src/inspect/doctor/finding.ts';
import type { Status } from '../src/inspect/status.ts';
import { startSimulator } from '../src/simulator/start.ts';
import { CANARY_KEY, createWorld, REVIEW_JOB, REVIEWS, type World } from './helpers/command-line.ts';
import { wideTest } from './helpers/wide.ts';

const worlds: World[] = [];
after(() => {
  for (const world of worlds) world.dispose();
});

function makeWorld(job = REVIEW_JOB): World {
  const world = createWorld({ 'reviews.csv': REVIEWS, 'job.yaml': job });
  worlds.push(world);
  return world;
}

const KEY = { OPENAI_API_KEY: CANARY_KEY };

describe('doctor', () => {
  const examine = (world: World, args: readonly string[], env = {}) =>
    world.json<{ ok: boolean; findings: readonly Finding[] }>(['doctor', ...args], env);
  const statusOf = (findings: readonly Finding[]) => Object.fromEntries(findings.map(({ name, status }) => [name, status]));

  it('finds no problem with a job and the simulator, and leaves nothing behind', async () => {
    const { exitCode, ok, findings } = await examine(makeWorld(), ['job.yaml', '--simulate']);
    assert.deepEqual([exitCode, ok], [0, true]);
    assert.deepEqual(Object.keys(statusOf(findings)), [
      'node',
      'job',
      'state',
      'disk',
      'output',
      'key',
      'base url',
      'models',
      'model',
      'clock',
      'price',
    ]);
  });

  it('exits 4 without a key, and when the model is not in the list', async () => {
    const none = await examine(makeWorld(), []);
    assert.deepEqual([none.exitCode, none.ok, statusOf(none.findings).key], [4, false, 'problem']);
    const simulator = await startSimulator();
    try {
      const world = makeWorld(REVIEW_JOB.replace('gpt-4o-mini', 'gpt-9-nano'));
      const unknown = await examine(world, ['job.yaml', '--base-url', simulator.url], KEY);
      const found = statusOf(unknown.findings);
      assert.deepEqual([unknown.exitCode, found.models, found.model, found.price, found.clock], [4, 'ok', 'problem', 'warning', 'ok']);
    } finally {
      await simulator.close();
    }
  });

  it('exits 2 for an invalid job file', async () => {
    const { exitCode, findings } = await examine(makeWorld('name: 1'), ['job.yaml', '--simulate']);
    assert.equal(exitCode, 2);
    assert.match(findings.find(({ name }) => name === 'job')?.message ?? '', /^job\.yaml:1:/);
  });
});

describe('simulate', () => {
  it('prints its address, serves any client, keeps a bill, and ends on a signal', async () => {
    const world = makeWorld();
    const child = world.start(['simulate', '--json', '--bill', 'bill.jsonl', '--state', 'provider', '--latency', '0']);
    const [line] = (await once(child.stdout as NodeJS.ReadableStream, 'data')) as [Buffer];
    const { url, schema } = JSON.parse(line.toString()) as { url: string; schema: string };
    assert.equal(schema, 'rowmill.simulate/1');
    const response = await fetch(`${url}/chat/completions`, {
      method: 'POST',
      headers: { authorization: 'Bearer any', 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'gpt-4o-mini', messages: [{ role: 'user', content: 'Hello' }] }),
    });
    assert.equal(response.status, 200);
    assert.equal(readFileSync(join(world.folder, 'bill.jsonl'), 'utf8').trim().split('\n').length, 1);
    child.kill('SIGTERM');
    const [exitCode] = (await once(child, 'close')) as [number];
    assert.equal(exitCode, 0);
  });
});

describe('where things come from', () => {
  wideTest('a table on standard input is kept, and used by later commands', async () => {
    const world = makeWorld(REVIEW_JOB.replace('path: reviews.csv', "path: '-', format: csv"));
    const ran = await world.spawn(['run', 'job.yaml', '--simulate', '--json'], {}, REVIEWS);
    assert.equal(ran.exitCode, 0, ran.stderr);
    const status = await world.json<Status>(['status', 'job.yaml']);
    assert.equal(status.rows.in, 6);
    assert.equal((await world.run(['verify', 'job.yaml'])).exitCode, 0);
  });

  it('paths in a job file are relative to it, paths in flags to the working directory', async () => {
    const world = makeWorld();
    mkdirSync(join(world.folder, 'jobs'));
    writeFileSync(join(world.folder, 'jobs', 'job.yaml'), REVIEW_JOB.replace('reviews.csv', '../reviews.csv'));
    const args = ['run', 'jobs/job.yaml', '--simulate', '--out', 'tables/here.csv', '--state-dir', 'states'];
    const summary = await world.json<{ outputs: { table: string } }>(args);
    assert.equal(summary.outputs.table, 'tables/here.csv');
    const mode = statSync(join(world.folder, 'states', 'reviews@simulator')).mode & 0o777;
    assert.equal(mode, 0o700);
    const status = await world.json<Status>(['status', 'jobs/job.yaml'], { ROWMILL_STATE_DIR: 'states' });
    assert.equal(status.rows.ok, 5);
  });

  it('the key comes from the environment, a private file or .env, which provides nothing else', async () => {
    const simulator = await startSimulator();
    try {
      const world = makeWorld();
      const file = join(world.folder, 'key');
      writeFileSync(file, `${CANARY_KEY}\n`, { mode: 0o644 });
      const args = ['doctor', '--base-url', simulator.url];
      const open = await world.run(args, { OPENAI_API_KEY_FILE: file });
      assert.equal(open.exitCode, 4);
      assert.match(open.stdout, /^problem +key .*chmod 600/m);
      writeFileSync(join(world.folder, 'private'), `${CANARY_KEY}\n`, { mode: 0o600 });
      assert.equal((await world.run(args, { OPENAI_API_KEY_FILE: join(world.folder, 'private') })).exitCode, 0);
      writeFileSync(join(world.folder, '.env'), `OPENAI_API_KEY=${CANARY_KEY}\nOPENAI_BASE_URL=${simulator.url}\n`);
      assert.equal((await world.run(args)).exitCode, 0);
      const before = simulator.requests();
      await world.run(['status', 'job.yaml']);
      assert.deepEqual(simulator.requests(), before);
    } finally {
      await simulator.close();
    }
  });

  it('rows and key are never sent over plain http to another machine', async () => {
    const { exitCode, stderr } = await makeWorld().run(['run', 'job.yaml', '--base-url', 'http://192.0.2.1/v1'], KEY);
    assert.equal(exitCode, 2);
    assert.match(stderr, /https only/);
  });
});
