import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { startSimulator } from '../src/simulator/start.ts';
import { runInProcess } from './helpers/run-in-process.ts';
import { CANARY_KEY } from './helpers/run-world.ts';
import { wideTest } from './helpers/wide.ts';

const NOTICE = /the REDIS_URL in \.env is ignored, because rows would be sent to it: pass --redis URL, or export REDIS_URL=URL/;
const JOB = 'name: env\ninput: { path: in.csv }\nmodel: gpt-4o-mini\nmode: live\nprompt: "Say {{ text }}"\noutput: text\n';

wideTest('a REDIS_URL in .env is reported and not used, neither by a run nor by a worker', async (t) => {
  const cwd = mkdtempSync(join(tmpdir(), 'rowmill-env-'));
  const simulator = await startSimulator();
  t.after(() => simulator.close().then(() => rmSync(cwd, { recursive: true, force: true })));
  writeFileSync(join(cwd, 'in.csv'), 'text\na\nb\n');
  writeFileSync(join(cwd, 'job.yaml'), JOB);
  writeFileSync(join(cwd, '.env'), `OPENAI_API_KEY=${CANARY_KEY}\nREDIS_URL=redis://:word-in-the-file@127.0.0.1:1\n`);
  const env = { PATH: process.env.PATH ?? '' };
  const ran = await runInProcess(['run', 'job.yaml', '--base-url', simulator.url], { cwd, env });
  const began = await runInProcess(['worker'], { cwd, env });
  assert.deepEqual([ran.exitCode, simulator.bill().length, began.exitCode], [0, 2, 2]);
  assert.match(ran.stderr, NOTICE);
  assert.match(began.stderr, NOTICE);
  for (const { stdout, stderr } of [ran, began]) assert.doesNotMatch(stdout + stderr, /word-in-the-file/);
  // Named by somebody, it counts: nothing listens there.
  const named = await runInProcess(['run', 'job.yaml', '--fresh', '--yes', '--base-url', simulator.url], {
    cwd,
    env: { ...env, REDIS_URL: 'redis://127.0.0.1:1' },
  });
  assert.doesNotMatch(named.stderr, NOTICE);
  assert.match(named.stderr, /Redis at redis:\/\/127\.0\.0\.1:1 cannot be used/);
});

test('a base URL in .env is reported and not used', async (t) => {
  const cwd = mkdtempSync(join(tmpdir(), 'rowmill-env-'));
  t.after(() => rmSync(cwd, { recursive: true, force: true }));
  writeFileSync(join(cwd, 'in.csv'), 'text\na\n');
  writeFileSync(join(cwd, 'job.yaml'), JOB);
  writeFileSync(join(cwd, '.env'), 'OPENAI_BASE_URL=http://127.0.0.1:1/v1\n');
  // Without a key nothing is sent to anybody.
  const { exitCode, stderr } = await runInProcess(['run', 'job.yaml', '--yes'], { cwd, env: { PATH: process.env.PATH ?? '' } });
  assert.equal(exitCode, 4);
  assert.match(
    stderr,
    /the OPENAI_BASE_URL in \.env is ignored, because rows would be sent to it; they go to https:\/\/api\.openai\.com\/v1: pass/,
  );
});
