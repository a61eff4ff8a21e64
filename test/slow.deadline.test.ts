import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { type TestContext, test } from 'node:test';
import { parse } from 'csv-parse/sync';
import type { Summary } from '../src/core/summary.ts';
import { readJsonLines, type WireEvent } from '../src/prove/check/calls.ts';
import type { RunView } from '../src/run/send/run-view.ts';
import { createWorld, REVIEW_JOB, REVIEWS } from './helpers/command-line.ts';
import { until } from './helpers/manual-timers.ts';
import { startProxy } from './helpers/proxy.ts';
import { makeRows, makeWorld, type RunChange, type World, type WorldOptions } from './helpers/run-world.ts';

const HOUR_MS = 3_600_000;
const DEADLINE = { afterMs: 6 * HOUR_MS, maxLiveNanoUsd: 1_000_000_000 };
/** A batch that would end long after any deadline, on a provider whose time only moves when it is told to. */
const NEVER_ENDS = { virtualTime: true, batchSeconds: 80_000 };

/** A world whose run believes that the hours to its deadline have gone by, as soon as `late` is called. */
async function makeLateWorld(t: TestContext, options: WorldOptions = {}) {
  const world = await makeWorld(t, { ...NEVER_ENDS, ...options });
  let lateMs = 0;
  const clock = () => new Date(world.clock().getTime() + lateMs);
  return {
    world,
    late: () => {
      lateMs += DEADLINE.afterMs;
    },
    /** Runs with the deadline; `during` is called once the provider has the batches. */
    async run(change: RunChange = {}, during: (view: RunView) => Promise<void> | void = () => {}) {
      let isOver = false;
      let watching: Promise<void> = Promise.resolve();
      const ended = await world.run({
        deadline: DEADLINE,
        effects: { ...world.effects, clock },
        watch: (view) => {
          watching = until(() => isOver || view.underWay.some(({ batch }) => batch !== null)).then(() =>
            isOver ? undefined : during(view),
          );
        },
        ...change,
      });
      isOver = true;
      await watching;
      return ended;
    },
  };
}

const readEvents = (world: World) => readJsonLines<WireEvent>(path.join(world.stateDirectory, 'events.jsonl'));

/** The table without what differs from call to call. */
function readAnswers(world: World): readonly unknown[] {
  const rows = parse(world.read('out.csv'), { columns: true }) as Record<string, string>[];
  return rows.map(({ _request_id, _attempts, ...rest }) => rest);
}

/** The simulator's bill against the summary's books, lane by lane, and no row paid twice. */
function assertBilled(world: World, { attempts, tokens, ledger }: Summary): void {
  const bill = world.simulator.bill();
  const live = bill.filter(({ batchId }) => batchId === null);
  assert.deepEqual([bill.length - live.length, live.length], [attempts.batch, attempts.live]);
  assert.equal(ledger.attempts, bill.length);
  const usages = bill.map(({ usage }) => usage as { prompt_tokens: number; completion_tokens: number });
  assert.equal(
    usages.reduce((sum, usage) => sum + usage.prompt_tokens, 0),
    tokens.input,
  );
  assert.equal(
    usages.reduce((sum, usage) => sum + usage.completion_tokens, 0),
    tokens.output,
  );
  assert.equal(new Set(bill.map(({ customId }) => customId)).size, bill.length, 'no row was paid twice');
}

/** Every batch was over, and its answers kept, before the first call left. */
function assertOneLaneAtATime(world: World): void {
  const events = readEvents(world);
  const types = events.map(({ type }) => type);
  const firstCall = types.indexOf('call-intent');
  assert.ok(types.indexOf('lane-switched') < firstCall);
  for (const type of ['create-intent', 'cancel-done', 'batch-collected', 'shard-retired']) {
    assert.ok(types.lastIndexOf(type) < firstCall, `${type} after the first live call`);
  }
}

test('a batch that never ends is cancelled before the deadline, and its rows finish live', async (t) => {
  const { world, late, run } = await makeLateWorld(t);
  const { summary, warnings } = await run({}, late);
  assert.deepEqual([summary.exitCode, summary.rows.ok], [0, 12]);
  assert.deepEqual([summary.attempts.batch, summary.attempts.live], [0, 12]);
  assertBilled(world, summary);
  assertOneLaneAtATime(world);
  assert.equal(summary.batches[0]?.status, 'cancelled');
  assert.equal(summary.deadline?.liveNanoUsd, summary.cost.nanoUsd);
  assert.notEqual(summary.deadline?.switchedAt, null);
  assert.match(
    warnings.join('\n'),
    /12 requests finish live: about \$[\d.]+ instead of \$[\d.]+, \$[\d.]+ more; at most \$1\.00 by --max-live-usd/,
  );
});

test('what a cancelled batch has finished is kept, and only the rest is sent live', async (t) => {
  const { world, late, run } = await makeLateWorld(t, { rows: makeRows(40) });
  const { summary, warnings } = await run({}, async (view) => {
    await world.simulator.advance(40_000_000);
    // A poll that came while time was moving has seen only some of them.
    const answered = world.simulator.bill().length;
    await until(() => view.underWay[0]?.batch?.counts.completed === answered);
    assert.equal(view.lane, 'batch');
    assert.equal(view.deadline?.isSwitched, false);
    late();
  });
  assert.deepEqual([summary.exitCode, summary.rows.ok], [0, 40]);
  assert.ok(summary.attempts.batch > 10 && summary.attempts.live > 10, `${summary.attempts.batch} + ${summary.attempts.live}`);
  assert.equal(summary.attempts.total, 40);
  assert.match(warnings.join('\n'), new RegExp(` ${summary.attempts.live} requests finish live`));
  assertBilled(world, summary);
  assertOneLaneAtATime(world);
});

test('a batch that ends in time is left alone', async (t) => {
  const { world, run } = await makeLateWorld(t, { virtualTime: false, batchSeconds: 0 });
  const { summary } = await run();
  assert.deepEqual([summary.exitCode, summary.attempts.batch, summary.attempts.live], [0, 12, 0]);
  assert.equal(summary.deadline?.switchedAt, null);
  assert.equal(readEvents(world).filter(({ type }) => type === 'lane-switched').length, 0);
});

test('shards that wait for room are no longer sent as batches', async (t) => {
  const rows = makeRows(60);
  const { world, late, run } = await makeLateWorld(t, { rows, job: 'limits: { enqueued_tokens: 1200 }' });
  const { summary, requests } = await run({}, late);
  assert.deepEqual([summary.exitCode, summary.rows.ok, summary.attempts.live], [0, 60, 60]);
  const retired = readEvents(world).filter(({ type }) => type === 'shard-retired');
  assert.ok(retired.length > 0, 'some shard had not become a batch');
  assert.ok((requests['POST /v1/batches'] ?? 0) < 3);
  assertBilled(world, summary);
  assertOneLaneAtATime(world);
});

test('a deadline without time for batches starts live', async (t) => {
  const { world, run } = await makeLateWorld(t);
  const { summary, requests } = await run({ deadline: { ...DEADLINE, afterMs: 300_000 } });
  assert.deepEqual([summary.exitCode, summary.attempts.live], [0, 12]);
  assert.equal(requests['POST /v1/batches'], undefined);
  assertBilled(world, summary);
});

test('live calls stop below --max-live-usd with exit 5, and more money continues with the rest', async (t) => {
  const { world, late, run } = await makeLateWorld(t, { rows: makeRows(60) });
  /** Sixty answers cost about three times as much. */
  const third = 300_000;
  const { summary } = await run({ deadline: { ...DEADLINE, maxLiveNanoUsd: third } }, late);
  assert.equal(summary.exitCode, 5);
  assert.match(summary.verdict, /--max-live-usd/);
  assert.ok(summary.cost.nanoUsd > 0 && summary.cost.nanoUsd + summary.cost.possiblyBilledNanoUsd <= third);
  assert.ok(summary.rows.pending > 0);
  assertBilled(world, summary);
  const { summary: again } = await run({ deadline: { ...DEADLINE, maxLiveNanoUsd: third } });
  assert.deepEqual([again.exitCode, again.cost.nanoUsd], [5, summary.cost.nanoUsd], 'the limit is of the run, not of the invocation');
  const { summary: ended } = await run();
  assert.deepEqual([ended.exitCode, ended.rows.ok], [0, 60]);
  assertBilled(world, ended);
  assert.equal(readEvents(world).filter(({ type }) => type === 'deadline-set').length, 1);
});

test('the budget of the run holds in the live lane of a deadline, too', async (t) => {
  const { world, late, run } = await makeLateWorld(t, { rows: makeRows(60) });
  const { summary } = await run({ maxNanoUsd: 900_000 }, late);
  assert.equal(summary.exitCode, 5);
  assert.match(summary.verdict, /budget/);
  assert.ok(summary.cost.nanoUsd <= 900_000);
  assertBilled(world, summary);
});

test('a run killed anywhere around the switch ends as the undisturbed one', async (t) => {
  const rows = makeRows(20);
  const { world, late, run } = await makeLateWorld(t, { rows });
  const copies = new Map<string, string>();
  /** What a kill would leave on disk at this moment. */
  const keep = (name: string) => {
    if (copies.has(name)) return;
    const copy = fs.mkdtempSync(path.join(path.dirname(world.directory), 'rowmill-'));
    t.after(() => fs.rmSync(copy, { recursive: true, force: true }));
    fs.cpSync(world.directory, copy, { recursive: true });
    copies.set(name, copy);
  };
  let calls = 0;
  let isHalfDone = false;
  const baseUrl = await startProxy(t, {
    target: world.simulator.url,
    changeRequest({ method, path: url, body }) {
      if (method === 'POST' && url.endsWith('/cancel')) keep('before the cancel');
      if (isHalfDone && url.endsWith('/content')) keep('before the harvest');
      if (url.endsWith('/chat/completions') && ++calls === 5) keep('while calls are in flight');
      return body;
    },
    changeAnswer({ method, path: url }, answer) {
      if (method === 'POST' && url.endsWith('/cancel')) keep('after the cancel');
      return answer;
    },
  });
  const { summary } = await run({ baseUrl }, async (view) => {
    await world.simulator.advance(40_000_000);
    // A poll that came while time was moving has seen only some of them.
    const answered = world.simulator.bill().length;
    await until(() => view.underWay[0]?.batch?.counts.completed === answered);
    isHalfDone = true;
    late();
  });
  const answers = readAnswers(world);
  assert.deepEqual([...copies.keys()], ['before the cancel', 'after the cancel', 'before the harvest', 'while calls are in flight']);
  for (const [name, copy] of copies) {
    await t.test(name, async (t) => {
      fs.rmSync(path.join(copy, '.rowmill/proof@simulator/lock'), { force: true });
      const again = await makeLateWorld(t, { directory: copy, rows });
      again.late();
      const { summary: ended } = await again.run();
      assert.deepEqual([ended.exitCode, ended.rows.ok, ended.run], [0, 20, summary.run]);
      assert.equal(ended.attempts.batch, summary.attempts.batch, 'nothing was harvested twice or lost');
      assert.deepEqual(readAnswers(again.world), answers);
      const bill = again.world.simulator.bill();
      const twice = bill.length - new Set(bill.map(({ customId }) => customId)).size;
      assert.ok(twice <= ended.attempts.unknown, 'what was paid twice is counted');
      assert.ok(bill.length <= ended.attempts.total);
      assert.equal(readEvents(again.world).filter(({ type }) => type === 'lane-switched').length, 1);
      assert.equal(readEvents(again.world).filter(({ type }) => type === 'create-intent').length, 1, 'no batch after the switch');
    });
  }
});

test('--deadline without --max-live-usd, or the reverse, is refused before anything is sent', async (t) => {
  const world = createWorld({ 'reviews.csv': REVIEWS, 'job.yaml': REVIEW_JOB });
  t.after(() => world.dispose());
  for (const [flags, says] of [
    [['--deadline', '6h'], /add --max-live-usd/],
    [['--max-live-usd', '2'], /add --deadline/],
    [['--deadline', 'soon', '--max-live-usd', '2'], /Give a time/],
    [['--deadline', '0h', '--max-live-usd', '2'], /above 0/],
    [['--deadline', '6h', '--max-live-usd', '0'], /above 0/],
    [['--deadline', '6h', '--max-live-usd', '-1'], /Give a number/],
    [['--deadline', '6h', '--max-live-usd', '2', '--mode', 'live'], /--mode batch/],
  ] as const) {
    const { exitCode, stderr } = await world.run(['run', 'job.yaml', '--simulate', ...flags]);
    assert.equal(exitCode, 2, flags.join(' '));
    assert.match(stderr, says);
    assert.equal(fs.existsSync(path.join(world.folder, '.rowmill')), false, 'no state directory is left');
  }
});

test('the command that continues a run names its deadline', async (t) => {
  const world = createWorld({ 'reviews.csv': REVIEWS, 'job.yaml': REVIEW_JOB });
  t.after(() => world.dispose());
  const command = ['run', 'job.yaml', '--simulate', '--mode', 'batch', '--deadline', '6h', '--max-live-usd', '2.5'];
  const { exitCode, stdout, stderr } = await world.run([...command, '--no-wait']);
  assert.equal(exitCode, 7);
  assert.match(stdout, /next +rowmill run job\.yaml .*--deadline 6h --max-live-usd 2\.5/);
  assert.match(stderr, /to be done by .* UTC: what batches leave open about .* UTC finishes live, at most \$2\.50/);
  const ended = await world.run(command);
  assert.equal(ended.exitCode, 0);
  assert.match(ended.stdout, /deadline +.*all batches ended in time/);
});
