import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createIdSet } from '../src/run/send/answerless-failures.ts';
import { makeRows, makeWorld, type World } from './helpers/run-world.ts';
import { someOf, wideTest } from './helpers/wide.ts';

type Mode = 'batch' | 'live';
type Faults = readonly unknown[];

const start = (world: World, mode: Mode) => world.run({ overrides: { cwd: world.directory, input: null, out: null, mode } });

/** Six requests that are refused without an answer: by the validation of a batch, or by the call itself. */
const REFUSALS: readonly [title: string, mode: Mode, faults: Faults][] = [
  [
    'rows that a batch’s validation refuses',
    'batch',
    [{ match: { batch: 1 }, do: { fail: 'invalid_request', message: 'Messages parameter is required.', lines: [1, 2, 3, 4, 5, 6] } }],
  ],
  ['live calls answered with 400 or, their content too large, with 413', 'live', [refuseCalls(400), refuseCalls(413)]],
];

function refuseCalls(status: number): unknown {
  const body = { error: { message: 'The request is refused.', type: 'invalid_request_error', param: null, code: 'refused' } };
  return { match: { path: '/v1/chat/completions' }, do: { status, body }, times: 3 };
}

for (const [title, mode, faults] of someOf(REFUSALS, 2)) {
  test(`${title} count: a number of them ends the run before anything is paid`, async (t) => {
    const job = 'limits: { concurrency: 1 }\npilot: 6\nstop_if: { bad_request: "> 5" }';
    const world = await makeWorld(t, { rows: makeRows(20), job, faults });
    const { summary } = await start(world, mode);
    world.assertFaultsFired();
    assert.deepEqual([summary.exitCode, summary.rows.failed, summary.rows.pending, world.simulator.bill().length], [5, 6, 14, 0]);
    assert.match(summary.verdict, /^stop_if: more than 5 rows are bad_request/);
  });

  test(`${title} are a share of all rows that ended; the next invocation stops at the same`, async (t) => {
    const job = 'limits: { concurrency: 1 }\npilot: 20\nstop_if: { failed: "> 20% of first 200" }';
    const world = await makeWorld(t, { rows: makeRows(60), job, faults });
    const { summary } = await start(world, mode);
    world.assertFaultsFired();
    assert.deepEqual([summary.exitCode, summary.rows.failed, summary.rows.ok, summary.rows.pending], [5, 6, 14, 40]);
    assert.match(summary.verdict, /^stop_if: 6 of the 20 rows of the pilot are failed, more than 20 %/);
    const again = await start(world, mode);
    assert.deepEqual([again.summary.exitCode, again.summary.verdict, world.simulator.bill().length], [5, summary.verdict, 14]);
  });
}

for (const [mode, fault] of someOf(
  [
    ['batch', { match: { batch: 1, every: 2 }, do: { rowStatus: 500 } }],
    ['live', { match: { path: '/v1/chat/completions', share: 0.5, attempts: 'first' }, do: { error: 'server_error' } }],
  ] as const,
  1,
)) {
  wideTest(`a row that fails, is retried and answered has not failed: ${mode}`, async (t) => {
    const job = 'limits: { concurrency: 1 }\npilot: 10\nstop_if: { failed: "> 0", server_error: "> 0" }';
    const world = await makeWorld(t, { rows: makeRows(20), job, faults: [fault] });
    const { summary } = await start(world, mode);
    world.assertFaultsFired();
    assert.deepEqual([summary.exitCode, summary.rows.ok, world.simulator.bill().length], [0, 20, 20]);
  });

  test(`a row that fails in every attempt counts once: ${mode}`, async (t) => {
    const job = 'retry: { attempts: 2 }\nlimits: { concurrency: 1 }\npilot: 10\nstop_if: { server_error: "> 20% of first 200" }';
    const match = mode === 'batch' ? {} : { path: '/v1/chat/completions' };
    const world = await makeWorld(t, { rows: makeRows(30), job, faults: [{ ...fault, match }] });
    const { summary } = await start(world, mode);
    world.assertFaultsFired();
    assert.deepEqual([summary.exitCode, summary.causes, summary.rows.pending], [5, { server_error: 10 }, 20]);
    assert.match(summary.verdict, /^stop_if: 10 of the 10 rows of the pilot are server_error/);
  });
}

wideTest('lost live calls count if they are not retried', async (t) => {
  const job = 'on_unknown: hold\nlimits: { concurrency: 1 }\npilot: 10\nstop_if: { failed: "> 20%" }';
  const faults: Faults = [{ match: { path: '/v1/chat/completions' }, do: { drop: 'after' }, times: 3 }];
  const world = await makeWorld(t, { rows: makeRows(30), job, faults });
  const { summary } = await start(world, 'live');
  world.assertFaultsFired();
  assert.deepEqual([summary.exitCode, summary.causes, summary.rows.ok, summary.rows.pending], [5, { unknown: 3 }, 7, 20]);
  const again = await start(world, 'live');
  assert.deepEqual([again.summary.exitCode, again.summary.verdict], [5, summary.verdict]);
});

test('a set of ids contains what was added, once, at any size', () => {
  const ids = createIdSet();
  for (const id of [0, 7, 8, 100_000]) assert.deepEqual([ids.has(id), ids.add(id), ids.has(id), ids.add(id)], [false, true, true, false]);
  assert.deepEqual([ids.has(1), ids.has(99_999), ids.has(1_000_000)], [false, false, false]);
});
