import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { startProgress } from '../src/cli/progress.ts';
import type { RunView } from '../src/run/send/run-view.ts';

/** The instants, in seconds, at which lines were written while a view was so. */
function writeFor(seconds: number, viewAt: (second: number) => Partial<RunView>) {
  mock.timers.enable({ apis: ['setInterval'] });
  let nowMs = 0;
  const written: { readonly atSecond: number; readonly line: string }[] = [];
  const stream = { isTTY: false, write: (line: string) => written.push({ atSecond: nowMs / 1000, line }) } as unknown as NodeJS.WriteStream;
  const still = {
    okRows: 0,
    failedRows: 0,
    rows: 10,
    rowsAsked: 10,
    underWay: [],
    calls: null,
    waits: [],
    spentNanoUsd: 0,
    unpricedAttempts: 0,
  };
  const view = new Proxy({} as RunView, { get: (_target, name: keyof RunView) => ({ ...still, ...viewAt(nowMs / 1000) })[name as never] });
  const progress = startProgress(view, 'plain', stream, () => nowMs);
  for (; nowMs < seconds * 1000; nowMs += 100) mock.timers.tick(100);
  progress.stop();
  mock.timers.reset();
  return written;
}

const shard = (phase: 'uploading' | 'polling' | 'collecting') => ({ underWay: [{ shard: '1', rows: 1, phase, batch: null }] });

test('anything that takes longer is reported after five seconds, and then every thirty', () => {
  const written = writeFor(80, (second) => shard(second < 40 ? 'uploading' : 'polling'));
  assert.deepEqual(
    written.map(({ atSecond }) => Math.round(atSecond)),
    [5, 35, 45, 75],
  );
  assert.match(written[2]?.line ?? '', /0 of 10 answered, .*; batch file 1 polling/);
});

test('quick phases are not reported one by one', () => {
  const written = writeFor(9, (second) => shard(second < 1 ? 'uploading' : second < 3 ? 'polling' : 'collecting'));
  assert.deepEqual(
    written.map(({ line }) => line),
    ['0 of 10 answered, $0; batch file 1 collecting\n'],
  );
});

test('calls in flight, and what a run waits for, are reported', () => {
  const calls = { inFlight: 2, waiting: 3, concurrency: 2 } as NonNullable<RunView['calls']>;
  const [first] = writeFor(6, () => ({ calls, waits: ['waiting for X'] }));
  assert.match(first?.line ?? '', /; 2 calls in flight, 8 waiting, waiting for X\n$/);
});

test('calls that were never seen in flight are not reported as zero', () => {
  const calls = { inFlight: 0, waiting: 3, concurrency: 2 } as NonNullable<RunView['calls']>;
  const [first] = writeFor(6, () => ({ calls, okRows: 4, rows: 12 }));
  assert.match(first?.line ?? '', /^4 of 10 answered, 2 skipped, \$0.*; 6 waiting\n$/);
});
