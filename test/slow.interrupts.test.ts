import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { AppError, EXIT } from '../src/core/errors.ts';
import { SHORT_LIVED } from '../src/prove/short-lived.ts';
import { startWorker } from './helpers/in-process-worker.ts';
import { until } from './helpers/manual-timers.ts';
import { PROGRAM } from './helpers/program.ts';
import { startRedis, whyNoRedisServer } from './helpers/redis-server.ts';
import { CANARY_KEY, makeRows, makeWorld, type RunChange, type World, type WorldOptions } from './helpers/run-world.ts';
import { assertStopsNow } from './helpers/second-signal.ts';

const ROWS = 40;
const CALLS = 'POST /v1/chat/completions';
const CONTINUE = 'rowmill run job.yaml';

interface Stage {
  readonly name: string;
  readonly options: WorldOptions;
  /** Whether the run is there now; null: as soon as it can be watched, which is before its first call. */
  readonly isThere: ((world: World) => boolean) | null;
  readonly hasRedis?: boolean;
}

const calls = (world: World) => world.simulator.requests()[CALLS] ?? 0;

const STAGES: readonly Stage[] = [
  {
    name: 'before the first call',
    options: { latencyMs: 5 },
    isThere: null,
  },
  {
    name: 'while calls are in flight',
    options: { latencyMs: 50, job: 'limits: { concurrency: 8 }' },
    isThere: (world) => calls(world) >= 4,
  },
  {
    name: 'while calls wait for the limit',
    options: { job: 'limits: { rpm: 30 }' },
    isThere: (world) => world.simulator.bill().length >= 1,
  },
  {
    name: 'in a back-off',
    options: { faults: [{ match: { method: 'POST', path: '/v1/chat/completions' }, do: { status: 429 } }] },
    isThere: (world) => calls(world) >= 1,
  },
  { name: 'while workers call', options: { latencyMs: 50 }, isThere: (world) => calls(world) >= 4, hasRedis: true },
];

/** Real time for the run, so that what it waits for is not over before anybody can interrupt it. */
async function makeStage(t: TestContext, { options, hasRedis }: Stage) {
  const world = await makeWorld(t, { rows: makeRows(ROWS), now: Date.now, ...options });
  const redis = hasRedis === true ? await startRedis() : null;
  const worker =
    redis === null ? null : await startWorker({ redisUrl: redis.url, baseUrl: world.simulator.url, apiKey: CANARY_KEY, concurrency: 4 });
  t.after(async () => {
    await worker?.drain();
    await redis?.stop();
  });
  const realTime = {
    clock: () => new Date(),
    sleep: async (milliseconds: number, signal: AbortSignal) => sleep(milliseconds, undefined, { signal }),
    random: Math.random,
  };
  const change: RunChange = {
    overrides: { cwd: world.directory, input: null, out: null, mode: 'live' },
    effects: { ...world.effects, ...realTime },
    redis: redis === null ? null : { url: redis.url, secret: null },
    commands: { continue: CONTINUE, failures: 'rowmill failures job.yaml' },
  };
  return { world, redis, run: (more: RunChange = {}) => world.run({ ...change, ...more }) };
}

for (const [index, stage] of STAGES.entries()) {
  const exitCode = index % 2 === 0 ? EXIT.interrupted : EXIT.terminated;
  const skip = stage.hasRedis === true && whyNoRedisServer();
  test(`interrupted ${stage.name}, a live run drains, names the command that continues, and that ends it`, { skip }, async (t) => {
    const { world, run } = await makeStage(t, stage);
    const stopping = new AbortController();
    const { isThere } = stage;
    const interrupt = () => stopping.abort(new AppError('interrupted', { code: 'interrupted', exitCode }));
    const running = run({ stopping: stopping.signal, ...(isThere === null ? { watch: interrupt } : {}) });
    if (isThere !== null) await until(() => isThere(world)).finally(interrupt);
    const { summary } = await running;
    if (isThere === null) assert.equal(calls(world), 0);
    assert.deepEqual([summary.exitCode, summary.next], [exitCode, CONTINUE]);
    assert.ok(summary.rows.pending > 0, 'it was stopped in the middle');
    assert.equal(summary.rows.in, summary.rows.ok + summary.rows.pending);
    assert.deepEqual([summary.attempts.live, summary.attempts.unknown], [world.simulator.bill().length, 0]);

    await world.restart({ now: Date.now, faults: [] });
    world.write('job.yaml', world.read('job.yaml').replace('limits: { rpm: 30 }', ''));
    const { summary: ended } = await run({ redis: null });
    assert.deepEqual([ended.exitCode, ended.rows.ok, ended.run], [0, ROWS, summary.run]);
    assert.equal(world.simulator.bill().length, ROWS, 'nothing was paid twice');
  });
}

/** A call that takes five seconds, and fires as it comes in. */
const SLOW_CALLS = [{ match: { method: 'POST', path: '/v1/chat/completions' }, do: { delayMs: 5_000 } }];
const hasCome = (world: World) => (world.simulator.faultsFired()[0]?.fired ?? 0) >= 1;

for (const [signal, exitCode, stage] of [
  ['SIGINT', 130, { name: 'limit', options: { faults: SLOW_CALLS, job: 'limits: { rpm: 30 }' }, isThere: hasCome }],
  ['SIGTERM', 143, { name: 'workers', options: { faults: SLOW_CALLS }, isThere: hasCome, hasRedis: true }],
] as readonly (readonly [NodeJS.Signals, number, Stage])[]) {
  const skip = stage.hasRedis === true && whyNoRedisServer();
  test(`a second ${signal} ends a live run within 250 ms (${stage.name})`, { skip }, async (t) => {
    const { world, redis } = await makeStage(t, stage);
    const flags = [
      '--mode',
      'live',
      '--base-url',
      world.simulator.url,
      '--progress',
      'none',
      ...(redis === null ? [] : ['--redis', redis.url]),
    ];
    const child = spawn(process.execPath, [...SHORT_LIVED, PROGRAM, 'run', 'job.yaml', ...flags], {
      cwd: world.directory,
      env: { PATH: process.env.PATH, OPENAI_API_KEY: CANARY_KEY },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    t.after(() => child.kill('SIGKILL'));
    let said = '';
    child.stderr.on('data', (chunk) => {
      said += chunk;
    });
    await until(() => stage.isThere?.(world) ?? true);
    child.kill(signal);
    await until(() => said.includes('again to stop now') || child.exitCode !== null);
    await assertStopsNow(child, signal, exitCode);
  });
}
