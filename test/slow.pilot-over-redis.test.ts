import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { makeRedisJobWorld } from './helpers/redis-job-world.ts';
import { whyNoRedis } from './helpers/redis-server.ts';
import { makeJobText, makeRows } from './helpers/run-world.ts';

const PILOT = 'pilot: 10\nstop_if: { failed: "> 20% of first 200" }';

describe('a pilot over Redis', { skip: whyNoRedis() }, () => {
  test('that passes is followed by the rest, through the same workers, and nothing is paid for twice', async (t) => {
    const { world, run } = await makeRedisJobWorld(t, { rows: makeRows(40), job: PILOT, latencyMs: 20, workers: 2 });
    const { summary } = await run();
    assert.deepEqual([summary.exitCode, summary.rows.ok, summary.attempts.live, summary.attempts.unknown], [0, 40, 40, 0]);
    const bill = world.simulator.bill();
    assert.deepEqual([bill.length, new Set(bill.map(({ customId }) => customId)).size], [40, 40]);
    const again = await run();
    assert.equal(again.summary.attempts.total, 0);
  });

  for (const [title, fault, billed] of [
    ['half of whose answers are refusals', { match: { every: 2 }, do: { answer: 'refusal' } }, 10],
    [
      'half of whose calls are refused',
      { match: { path: '/v1/chat/completions', every: 2 }, do: { status: 400, body: { error: { message: 'No.', code: 'refused' } } } },
      5,
    ],
  ] as const) {
    test(`${title} stops the run before the rest is handed to a worker, and again, until the job changes`, async (t) => {
      const { world, run, replaceWorkers } = await makeRedisJobWorld(t, { rows: makeRows(40), job: PILOT, faults: [fault] });
      const { summary } = await run();
      world.assertFaultsFired();
      assert.deepEqual([summary.exitCode, summary.rows.failed, summary.rows.ok, summary.rows.pending], [5, 5, 5, 30]);
      assert.match(summary.verdict, /^stop_if: 5 of the 10 rows of the pilot are failed, more than 20 %/);
      assert.equal(world.simulator.bill().length, billed);
      const again = await run();
      assert.deepEqual([again.summary.exitCode, again.summary.verdict], [5, summary.verdict]);
      assert.equal(world.simulator.bill().length, billed);

      await world.restart({ virtualTime: false, now: Date.now });
      await replaceWorkers();
      world.write('job.yaml', makeJobText('fail_if: { failed_rows: "> 30" }'));
      const changed = await run();
      assert.deepEqual([changed.summary.exitCode, changed.summary.run, changed.summary.rows.ok], [0, summary.run, 35]);
      assert.equal(world.simulator.bill().length, billed + 30);
    });
  }

  test('that was interrupted continues, and is judged as a whole', async (t) => {
    const faults = [{ match: { every: 2 }, do: { answer: 'refusal' } }];
    const { world, run } = await makeRedisJobWorld(t, { rows: makeRows(40), job: PILOT, faults, latencyMs: 60 });
    const stop = new AbortController();
    const running = run({ stopping: stop.signal }).catch(() => null);
    while (world.simulator.bill().length < 4) await new Promise((resolve) => setTimeout(resolve, 2));
    stop.abort();
    await running;
    const paid = world.simulator.bill().length;
    assert.ok(paid < 10, `${paid} calls were made before the end`);
    const { summary } = await run();
    assert.equal(summary.exitCode, 5);
    assert.match(summary.verdict, /^stop_if: \d of the 10 rows of the pilot are failed/);
    assert.equal(world.simulator.bill().length, 10);
  });
});
