import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { makeReadOptions } from '../src/cli/read-options.ts';
import { startTimer } from '../src/host/real-effects.ts';
import { readBill } from '../src/inspect/bill/read-bill.ts';
import { readOwnIdentity } from '../src/ledger/disk/process-identity.ts';
import { billNanoUsd } from './helpers/bill-nano-usd.ts';
import { startWorker } from './helpers/in-process-worker.ts';
import { borrowRedis, whyNoRedis } from './helpers/redis-server.ts';
import { CANARY_KEY, countPosts, makeRows, makeWorld, type RunChange, type World } from './helpers/run-world.ts';

const FAULTS = [
  { name: 'invalid', match: { lane: 'live', every: 7 }, do: { answer: 'invalid_json' } },
  { name: 'slow down', match: { method: 'POST', path: '/v1/chat/completions', every: 11 }, do: { status: 429 } },
  { name: 'lost', match: { method: 'POST', path: '/v1/chat/completions', every: 13 }, do: { drop: 'after' }, times: 3 },
];

/** What each month cost, by the ledger. */
async function readMonths(world: World): Promise<ReadonlyMap<string, number>> {
  const options = { ...makeReadOptions('', {}), cwd: world.directory, folder: '.', since: null, until: null, by: 'month' as const };
  const { groups = [] } = await readBill({ ...options, csvPath: null });
  return new Map(groups.map(({ name, nanoUsd, possiblyBilledNanoUsd }) => [name, nanoUsd + possiblyBilledNanoUsd]));
}

const inLane = (world: World, mode: 'batch' | 'live'): RunChange => ({ overrides: { cwd: world.directory, input: null, out: null, mode } });

const toUsd = (nanoUsd: number) => (nanoUsd / 1e9).toFixed(9);

/** Real time, or moved to another day. */
function makeRealEffects(day?: string) {
  const shiftMs = day === undefined ? 0 : Date.parse(day) - Date.now();
  return {
    clock: () => new Date(Date.now() + shiftMs),
    monotonicMs: () => performance.now(),
    sleep: async (milliseconds: number, signal: AbortSignal) => {
      await delay(milliseconds, undefined, { signal }).catch(() => signal.throwIfAborted());
    },
    startTimer,
    random: Math.random,
    randomId: () => randomUUID().slice(0, 8),
    processIdentity: readOwnIdentity(),
  };
}

test('workers keep the monthly and the total budget, with votes, 429s and lost answers', {
  skip: whyNoRedis(),
}, async (t) => {
  const redis = await borrowRedis();
  const world = await makeWorld(t, { rows: makeRows(24), faults: FAULTS, job: 'votes: 2\n' });
  const worker = await startWorker({ redisUrl: redis.url, baseUrl: world.simulator.url, apiKey: CANARY_KEY, concurrency: 4 });
  t.after(async () => {
    await worker.end();
    await redis.stop();
  });
  const job = world.read('job.yaml');
  const at = (day: string): RunChange => ({
    ...inLane(world, 'live'),
    redis: { url: redis.url, secret: null },
    effects: makeRealEffects(day),
  });
  const limit = 250_000;
  world.write('job.yaml', `${job.trimEnd()}\nbudget: { usd_per_month: ${toUsd(limit)}, usd_total: ${toUsd(limit * 1.5)} }\n`);
  const spent: number[] = [];
  for (const day of ['2026-10-30T00:00:00Z', '2026-10-31T00:00:00Z', '2026-11-30T00:00:00Z', '2026-12-30T00:00:00Z']) {
    const { summary } = await world.run(at(day));
    assert.equal(summary.exitCode, 5, `${day}: ${summary.verdict}`);
    spent.push(summary.ledger.nanoUsd);
    for (const [month, nanoUsd] of await readMonths(world)) assert.ok(nanoUsd <= limit, `${month}: ${nanoUsd}`);
    const months = [...(await readMonths(world)).values()];
    assert.ok(months.reduce((sum, nanoUsd) => sum + nanoUsd, 0) <= limit * 1.5, months.join(', '));
  }
  const [first = 0, second = 0, third = 0, fourth = 0] = spent;
  assert.ok(first > 0 && third > second && fourth >= third, spent.join(', '));
  world.write('job.yaml', job);
  const { summary } = await world.run(at('2026-12-31T00:00:00Z'));
  assert.equal(summary.rows.ok, 24, summary.verdict);
  world.assertFaultsFired();
});

test('two workers share one budget: a third of the cost stops them below it, a larger one finishes the run', {
  skip: whyNoRedis(),
}, async (t) => {
  const redis = await borrowRedis();
  const rows = makeRows(24);
  const whole = await makeWorld(t, { rows });
  const { summary: undisturbed } = await whole.run(inLane(whole, 'live'));
  const world = await makeWorld(t, { rows });
  const common = { redisUrl: redis.url, baseUrl: world.simulator.url, apiKey: CANARY_KEY, concurrency: 4 };
  const workers = [await startWorker(common), await startWorker(common)];
  t.after(async () => {
    for (const worker of workers) await worker.drain();
    await redis.stop();
  });
  const change: RunChange = { ...inLane(world, 'live'), redis: { url: redis.url, secret: null }, effects: makeRealEffects() };
  const third = Math.floor(undisturbed.cost.nanoUsd / 3);
  const { summary } = await world.run({ ...change, maxNanoUsd: third });
  assert.equal(summary.exitCode, 5);
  assert.ok(summary.rows.ok > 0 && summary.rows.pending > 0, `${summary.rows.ok} ok`);
  assert.equal(billNanoUsd(world), summary.cost.nanoUsd);
  assert.ok(summary.cost.nanoUsd <= third);
  const ended = await world.run({ ...change, maxNanoUsd: undisturbed.cost.nanoUsd * 10 });
  assert.deepEqual([ended.summary.exitCode, ended.summary.run, world.simulator.bill().length], [0, summary.run, 24]);
  assert.equal(billNanoUsd(world), undisturbed.cost.nanoUsd);
  const made = workers.map((worker) => worker.calls());
  assert.ok(
    made.every((calls) => calls > 0),
    `both workers made calls: ${made.join(' and ')}`,
  );
});

for (const lane of ['batch', 'live'] as const) {
  test(`${lane}: a month that begins during a run has its own budget, with votes and re-asks`, async (t) => {
    const faults = [{ name: 'invalid', match: { every: 5 }, do: { answer: 'invalid_json' } }, ...(lane === 'live' ? FAULTS.slice(1) : [])];
    const job = `votes: 2\nlimits: { concurrency: 2, enqueued_tokens: 2000 }`;
    const world = await makeWorld(t, { rows: makeRows(60), faults, job });
    const billed = () => world.simulator.bill().length;
    const shiftMs = Date.parse('2026-11-30T12:00:00Z') - world.clock().getTime();
    // December begins with the eighth answer that is billed.
    const clock = () => new Date(world.clock().getTime() + shiftMs + (billed() < 8 ? 0 : 13 * 3_600_000));
    const limit = lane === 'live' ? 700_000 : 400_000;
    world.write('job.yaml', `${world.read('job.yaml').trimEnd()}\nbudget: { usd_per_month: ${toUsd(limit)} }\n`);
    const { summary } = await world.run({ ...inLane(world, lane), effects: { ...world.effects, clock } });
    const months = await readMonths(world);
    assert.deepEqual([...months.keys()], ['2026-11', '2026-12'], summary.verdict);
    for (const [month, nanoUsd] of months) assert.ok(nanoUsd > 0 && nanoUsd <= limit, `${month}: ${nanoUsd}`);
    assert.match(summary.verdict, /budget\.usd_per_month, \$0\.\d+ for 2026-12, is used up/);
    world.assertFaultsFired();
  });

  test(`${lane}: a budget below what is already spent sends nothing, and says so`, async (t) => {
    const world = await makeWorld(t, { rows: makeRows(4) });
    const paid = (await world.run(inLane(world, lane))).summary.ledger.nanoUsd;
    const job = world.read('job.yaml');
    world.write('in.csv', `${world.read('in.csv')}r98,"one more"\n`);
    for (const key of ['usd_per_month', 'usd_total']) {
      world.write('job.yaml', `${job.trimEnd()}\nbudget: { ${key}: ${toUsd(Math.floor(paid / 2))}, usd: 5 }\n`);
      const { summary, requests } = await world.run(inLane(world, lane));
      assert.deepEqual([summary.exitCode, summary.rows.pending, summary.ledger.nanoUsd, countPosts(requests)], [5, 1, paid, 0], key);
      assert.match(summary.verdict, new RegExp(`budget\\.${key}, .* is used up: \\$0\\.\\d+ is spent`));
    }
  });
}
