import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { type TestContext, test } from 'node:test';
import { PROGRAM } from './helpers/program.ts';
import { CANARY_KEY, makeWorld, type World } from './helpers/run-world.ts';
import { assertStopsNow } from './helpers/second-signal.ts';

function start(t: TestContext, world: World): { child: ChildProcess; ended: Promise<number | null>; said(): string } {
  const child = spawn(
    process.execPath,
    [PROGRAM, 'run', 'job.yaml', '--base-url', world.simulator.url, '--json', '--progress', 'none', '--looks', '0.05,0.2'],
    {
      cwd: world.directory,
      env: { PATH: process.env.PATH, OPENAI_API_KEY: CANARY_KEY, ROWMILL_POLL_MAX: '20ms' },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  t.after(() => child.kill('SIGKILL'));
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk) => {
      said += chunk;
    });
  }
  return { child, ended: new Promise((resolve) => child.on('close', resolve)), said: () => said };
}

async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await new Promise((resolve) => setTimeout(resolve, 2));
}

for (const [signal, exitCode] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  test(`${signal} twice ends a run within 250 ms, even while a call hangs; the run is continued and nothing is paid for twice`, async (t) => {
    const hang = { match: { method: 'POST', path: '/v1/batches', nth: 1 }, do: { hang: true, processed: true } };
    const world = await makeWorld(t, { faults: [hang], now: Date.now });
    const first = start(t, world);
    await until(() => (world.simulator.faultsFired()[0]?.fired ?? 0) > 0);
    first.child.kill(signal);
    await until(() => first.said().includes('again to stop now'));
    await assertStopsNow(first.child, signal, exitCode);

    const second = start(t, world);
    assert.equal(await second.ended, 0, second.said());
    assert.equal(world.simulator.requests()['POST /v1/batches'], 1, 'the hanging create was found, not sent again');
    assert.equal(world.simulator.bill().length, 12);
  });
}

test('during a run a second one of the same job exits with 6 at once and disturbs nothing', async (t) => {
  const world = await makeWorld(t, { faults: [{ match: { batch: 1 }, do: { stuck: 'in_progress' } }], now: Date.now });
  const first = start(t, world);
  await until(() => (world.simulator.requests()['GET /v1/batches/:id'] ?? 0) > 0);
  const before = world.simulator.requests()['POST /v1/batches'];
  const second = start(t, world);
  assert.equal(await second.ended, 6, second.said());
  assert.equal(world.simulator.requests()['POST /v1/batches'], before);
  first.child.kill('SIGINT');
  assert.equal(await first.ended, 130);
});
