import assert from 'node:assert/strict';
import * as http from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { renderProgress } from '../src/cli/render/render-progress.ts';
import type { RunView } from '../src/run/send/run-view.ts';
import { makeRows, makeWorld, type RunChange, type World } from './helpers/run-world.ts';

const WAIT_MS = 123_456_789;

/** A run whose `--wait` is over as soon as something is so, looked at whenever it pauses. */
async function runUntil(world: World, isOver: (view: RunView) => boolean, change: RunChange = {}) {
  let view: RunView | null = null;
  let over = () => {};
  const lines = new Set<string>();
  const { summary, warnings } = await world.run({
    waitMs: WAIT_MS,
    watch: (shown) => {
      view = shown;
    },
    effects: {
      ...world.effects,
      async sleep(milliseconds, signal) {
        if (milliseconds === WAIT_MS) return new Promise((resolve) => (over = resolve));
        const look = { now: world.clock(), columns: 200, rows: 24, colour: false };
        if (view !== null) for (const line of renderProgress(view, { etaMs: null, projectedNanoUsd: null }, look)) lines.add(line);
        if (view !== null && isOver(view)) over();
        return world.effects.sleep(milliseconds, signal);
      },
    },
    ...change,
  });
  return { summary, warnings, lines: [...lines].join('\n') };
}

test('a run whose time is over says that its batch continues, if there is one', async (t) => {
  const world = await makeWorld(t, { rows: makeRows(3), batchSeconds: 100_000 });
  const { summary } = await runUntil(world, ({ underWay }) => (underWay[0]?.batch ?? null) !== null);
  assert.deepEqual([summary.exitCode, summary.verdict], [7, 'the time of --wait is over; its batch goes on at the provider']);
});

test('a run that never reached its provider says what it waits for, and mentions no batches', async (t) => {
  const world = await makeWorld(t, { rows: makeRows(3) });
  const server = http.createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const unreached = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
  await new Promise((resolve) => server.close(resolve));
  let pauses = 0;
  const isOver = () => {
    pauses += 1;
    return pauses > 8;
  };
  const { summary, warnings, lines } = await runUntil(world, isOver, { baseUrl: unreached });
  assert.deepEqual([summary.exitCode, summary.verdict], [7, 'the time of --wait is over; no batch of it is at the provider']);
  const waiting = /^ connecting to 127\.0\.0\.1:\d+: refused, trying again, \d+ s \(the look at the provider's list of batches\)$/m;
  assert.match(
    warnings[0] ?? '',
    /^waiting since .* UTC: no connection \(ECONNREFUSED\); the look at the provider's list of batches is tried again/,
  );
  assert.match(lines, waiting);
  assert.doesNotMatch(lines, /(?:reading|writing) the table/);
});

test('a forbidden port stops a run at once, and nothing is replaced', async (t) => {
  const world = await makeWorld(t, { rows: makeRows(3) });
  world.write('out.csv', 'as it was');
  const { summary, warnings } = await world.run({ baseUrl: 'http://127.0.0.1:6000/v1' });
  assert.deepEqual([summary.exitCode, warnings, world.read('out.csv')], [4, [], 'as it was']);
  assert.match(summary.verdict, /no call goes to 127\.0\.0\.1:6000: its port is kept for another service/);
});
