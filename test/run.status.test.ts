import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { type TestContext, test } from 'node:test';
import { createPaint } from '../src/cli/render/paint.ts';
import { renderStatusList } from '../src/cli/render/render-status-list.ts';
import { findLeftCalls } from '../src/inspect/find-left-calls.ts';
import { listRuns } from '../src/inspect/list-runs.ts';
import type { ReadOptions } from '../src/inspect/open-state.ts';
import { createStatusLook, readStatus, type Status } from '../src/inspect/status.ts';
import { createFold } from '../src/ledger/events/fold-events.ts';
import { readLastRunEvent } from '../src/ledger/events/read-last-event.ts';
import { endLostCalls } from '../src/ledger/lost-calls.ts';
import type { Effects } from '../src/run/open/effects.ts';
import { listWaits } from '../src/run/status/waits.ts';
import { makeReadOptionsOf } from './helpers/read-options.ts';
import { makeJobText, makeRows, makeWorld, type RunChange, renderCsv, type World, type WorldOptions } from './helpers/run-world.ts';
import { runsOf, someOf, wideTest } from './helpers/wide.ts';

const NAME = 'status.json';

/** The state of a world as it lies on the disk at this moment, and when that was. */
interface Moment {
  readonly root: string;
  readonly directory: string;
  readonly options: ReadOptions;
}

/** Whatever is asked of them at any later time, the files are as they are now. */
function keepMoment(t: TestContext, world: World): Moment {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), 'rowmill-moment-'));
  t.after(() => fs.rmSync(root, { recursive: true, force: true }));
  const directory = path.join(root, path.basename(world.stateDirectory));
  const filter = (file: string) => !file.startsWith(path.join(world.stateDirectory, 'provider'));
  fs.cpSync(world.stateDirectory, directory, { recursive: true, filter });
  const now = world.clock();
  const options = { ...makeReadOptionsOf(world), stateRoot: root, effects: { ...world.effects, clock: () => now } };
  return { root, directory, options };
}

/** Files that have just been written may change without a trace. */
function letAge(world: World): Promise<void> {
  return world.effects.sleep(1_000, new AbortController().signal);
}

/** What a look tells, and whether it took what the run had said. */
async function look({ directory, options }: Moment): Promise<{ readonly status: Status; readonly isTaken: boolean }> {
  const status = await readStatus(options);
  const file = path.join(directory, NAME);
  const text = fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : null;
  if (text === null) return { status, isTaken: false };
  // A sum that no files could give.
  const forged = JSON.parse(text);
  forged.facts.rows.in += 1000;
  fs.writeFileSync(file, JSON.stringify(forged));
  const { rows } = await readStatus(options);
  fs.writeFileSync(file, text);
  return { status, isTaken: rows.in === status.rows.in + 1000 };
}

async function lookFully(moment: Moment): Promise<Status> {
  const file = path.join(moment.directory, NAME);
  const aside = path.join(moment.root, NAME);
  const exists = fs.existsSync(file);
  if (exists) fs.renameSync(file, aside);
  const status = await readStatus(moment.options);
  if (exists) fs.renameSync(aside, file);
  return status;
}

/** @returns whether the look took what the run had said */
async function compareLooks(moment: Moment): Promise<boolean> {
  const { status, isTaken } = await look(moment);
  assert.deepEqual(status, await lookFully(moment));
  return isTaken;
}

interface Case {
  readonly title: string;
  readonly world: WorldOptions;
  /** Runs one after the other; a look follows each. */
  readonly runs: readonly (RunChange & { readonly before?: (world: World) => void })[];
}

const fails = (row: number, answer: string) => ({ name: `${answer}-${row}`, match: { row }, do: { answer } });
const withRepeats = [...makeRows(6), ...makeRows(3).map(([id, text]) => [`${id}b`, text] as const), ['empty', ''] as const];
const LIVE = makeJobText().replace('mode: batch', 'mode: live');
const goLive = (world: World) => world.write('job.yaml', LIVE);

const CASES: readonly Case[] = [
  { title: 'batches', world: {}, runs: [{}, {}] },
  { title: 'rows that repeat or have nothing to ask', world: { rows: withRepeats }, runs: [{}] },
  { title: 'rows that repeat and are asked each', world: { rows: withRepeats, job: 'dedupe: false' }, runs: [{}] },
  { title: 'live calls', world: {}, runs: [{ before: goLive }, {}] },
  { title: 'a mode of the command line', world: {}, runs: [{ overrides: { cwd: '', mode: 'live' } }] },
  { title: 'failures, tried again', world: { faults: [fails(2, 'refusal')] }, runs: [{}, { reopen: { causes: null, set: {} } }] },
  { title: 'a table that grew', world: {}, runs: [{}, { before: (world) => world.write('in.csv', renderCsv(makeRows(20))) }] },
  { title: 'a new generation', world: {}, runs: [{}, { isFresh: true }] },
  { title: 'a run that leaves its batches with the provider', world: { batchSeconds: 600 }, runs: [{ waitMs: 0 }, {}] },
  { title: 'a budget that is too small', world: {}, runs: [{ before: goLive, maxNanoUsd: 400_000 }, {}] },
  { title: 'another table', world: {}, runs: [{ overrides: { cwd: '', input: 'other.csv' } }] },
];

for (const { title, world: options, runs } of someOf(CASES, 2)) {
  test(`the status recorded at the end of a run equals a full reading: ${title}`, async (t) => {
    const world = await makeWorld(t, options);
    world.write('other.csv', renderCsv(makeRows(7)));
    for (const { before, overrides, ...change } of runs) {
      before?.(world);
      await letAge(world);
      const cwd = world.directory;
      await world.run({ ...change, overrides: { input: null, out: null, mode: null, ...overrides, cwd } });
      assert.equal(await compareLooks(keepMoment(t, world)), true);
    }
  });
}

/** The moments between two words of a run, which come at once; a busy one may be in the middle of anything, a quiet one has just waited. */
function makeWatched(world: World, { onSleep, onTimer }: { readonly onSleep: () => void; readonly onTimer: () => void }): Effects {
  const { effects } = world;
  let timers = 0;
  const fireAtOnce = (fire: () => void) => () => {
    timers += 1;
    if (timers % 5 === 0 && timers < runsOf(60)) onTimer();
    fire();
  };
  return {
    ...effects,
    startTimer: (milliseconds, fire) =>
      milliseconds <= 4_000 ? effects.startTimer(1, fireAtOnce(fire)) : effects.startTimer(milliseconds, fire),
    async sleep(milliseconds, signal) {
      await effects.sleep(milliseconds, signal);
      onSleep();
    },
  };
}

for (const mode of someOf(['batch', 'live'] as const, 1)) {
  wideTest(`status is right at every moment of a run, and after a kill at it: mode: ${mode}`, async (t) => {
    const faults = ['invalid_json', 'refusal'].map((answer, index) => ({
      name: answer,
      match: mode === 'live' ? { lane: 'live', nth: 3 + index } : { batch: 1, row: 3 + index },
      do: { answer },
    }));
    const world = await makeWorld(t, { rows: withRepeats, batchSeconds: 30, faults });
    if (mode === 'live') goLive(world);
    await letAge(world);
    const quiet: Moment[] = [];
    const busy: Moment[] = [];
    const effects = makeWatched(world, {
      onSleep: () => quiet.length < runsOf(40, 3) && quiet.push(keepMoment(t, world)),
      onTimer: () => busy.push(keepMoment(t, world)),
    });
    await world.run({ effects });
    quiet.push(keepMoment(t, world));
    let taken = 0;
    for (const moment of quiet) if (await compareLooks(moment)) taken += 1;
    assert.ok(taken >= (mode === 'batch' ? 3 : 1), `${taken} of ${quiet.length}`);
    assert.ok(busy.length > 0);
    for (const moment of [...quiet, ...busy]) {
      fs.rmSync(path.join(moment.directory, 'lock'), { force: true });
      assert.equal(await compareLooks(moment), moment === quiet.at(-1), 'of a process that is gone only its last word counts');
    }
    world.assertFaultsFired();
  });
}

test('status, runs and report name calls in flight as lost as soon as no process works on the run', async (t) => {
  const world = await makeWorld(t);
  goLive(world);
  await world.run();
  const moment = keepMoment(t, world);
  // As a kill leaves it that came just after the calls were announced.
  const log = path.join(moment.directory, 'events.jsonl');
  const lines = fs.readFileSync(log, 'utf8').split('\n');
  const announced = lines.findIndex((line) => line.includes('"call-intent"'));
  fs.writeFileSync(log, `${lines.slice(0, announced + 1).join('\n')}\n`);
  for (const name of ['responses', 'runs', 'settled.jsonl', NAME]) fs.rmSync(path.join(moment.directory, name), { recursive: true });
  const calls = (lines[announced]?.match(/"customId"/g) ?? []).length;
  assert.ok(calls > 0);

  const lock = path.join(moment.directory, 'lock');
  const holder = { ...moment.options.effects.processIdentity, heartbeatAt: '', token: 'of-a-run' };
  fs.writeFileSync(lock, JSON.stringify(holder), { mode: 0o600 });
  const readLook = createStatusLook(moment.options);
  assert.deepEqual([(await readLook()).possiblyBilled, await findLeftCalls(moment.options)], [[], null]);
  fs.writeFileSync(lock, JSON.stringify({ ...holder, startTime: '1' }), { mode: 0o600 });
  const [found] = (await readLook()).possiblyBilled;
  assert.deepEqual([found?.why, found?.calls], ['lost_calls', calls]);
  assert.ok((found?.nanoUsd ?? 0) > 0);
  const run = (await readStatus(moment.options)).run?.id;
  assert.deepEqual(await findLeftCalls(moment.options), { run, lost: calls, queued: 0 });
});

test('a run was left when it last recorded something, whatever cancel and clean have recorded since', async (t) => {
  const file = path.join((await makeWorld(t)).directory, 'events.jsonl');
  const types = ['run-started', 'batch-status', 'cancel-intent', 'cancel-done', 'files-removed'];
  for (const [seq, type] of types.entries())
    fs.appendFileSync(file, `${JSON.stringify({ seq, at: `2026-11-30T10:0${seq}:00.000Z`, type })}\n`);
  assert.deepEqual(readLastRunEvent(file), { at: '2026-11-30T10:01:00.000Z', type: 'batch-status' });
});

test('an open run shows what it has and how to continue it, wherever one looks from, also after a kill', async (t) => {
  const world = await makeWorld(t);
  goLive(world);
  const text = 'rowmill run job.yaml --limit 10';
  const commands = { continue: text, continueWith: () => `${text} --max-usd 9`, failures: 'rowmill failures job.yaml' };
  const selection = { type: 'first', rows: 10 } as const;
  for (const maxNanoUsd of [60_000, 100_000]) assert.equal((await world.run({ commands, selection, maxNanoUsd })).summary.exitCode, 5);
  const moment = keepMoment(t, world);
  const options = { ...moment.options, cwd: path.dirname(world.directory) };
  const explain = async () => (await readStatus(options)).waitingFor.at(-1)?.why ?? '';
  const [listed] = (await listRuns(options)).runs;
  const { rows: all, rowsOfRun, waitingFor } = await readStatus(options);
  assert.deepEqual([all.in, rowsOfRun?.in, rowsOfRun, listed?.rows?.in], [12, 10, listed?.rows, 10]);
  assert.equal(waitingFor[0]?.why, `${rowsOfRun?.pending} not asked yet`);
  const open = await readStatus(options);
  assert.ok((open.run?.leftAt ?? '') >= (open.run?.startedAt ?? '9'), open.run?.leftAt);
  const list = renderStatusList(
    [{ file: 'job.yaml', status: open }],
    new Date(Date.parse(open.run?.leftAt ?? '') + 7_000),
    createPaint(false),
  );
  assert.match(list, /left 7s ago/);
  const place = `cd ${path.basename(world.directory)} && ${text}`;
  assert.match(await explain(), new RegExp(`^a process: the last one stopped: .*; to continue: ${place} --max-usd 9$`));
  assert.match(listed?.verdict ?? '', /the budget/);

  const file = path.join(moment.directory, 'runs', listed?.id ?? '', 'summary.json');
  const kept = JSON.parse(fs.readFileSync(file, 'utf8'));
  const sentence = { ...kept.summary, verdict: 'there is no credit.' };
  fs.writeFileSync(file, JSON.stringify({ ...kept, summary: sentence }));
  assert.match(await explain(), /^a process: the last one stopped: there is no credit; to continue: /);
  const instruction = { ...sentence, verdict: 'the batches are with the provider; run the same command later to collect them' };
  fs.writeFileSync(file, JSON.stringify({ ...kept, summary: instruction }));
  assert.match(await explain(), new RegExp(`; run the same command later to collect them: ${place} --max-usd 9$`));
  const empty = { ...kept.summary, rows: { ...kept.summary.rows, ok: 0 }, cost: { ...kept.summary.cost, nanoUsd: 0 } };
  // Continued since, and killed: what was stored is as of the stop before.
  fs.writeFileSync(file, JSON.stringify({ ...kept, summary: empty, at: '2000-01-01T00:00:00.000Z' }));
  const [{ verdict, rows, cost } = {}] = (await listRuns(options)).runs;
  assert.deepEqual([verdict, rows?.ok, cost?.nanoUsd], ['open, none is working on it', kept.summary.rows.ok, kept.summary.cost.nanoUsd]);
  assert.equal(await explain(), `a process: none is working on this run; to continue: ${place}`);
  fs.rmSync(file);
  assert.equal(await explain(), `a process: none is working on this run; to continue: ${place}`);
});

test('calls handed to workers are not lost, and not among those still to be asked', () => {
  const { fold, apply } = createFold();
  const at = '2026-11-30T12:00:00.000Z';
  apply({ type: 'run-started', run: 'r1', job: 'labels', simulated: false, lane: 'live', estimateNanoUsd: null, seq: 1, at });
  const calls = ['a', 'b'].map((key) => ({ customId: key.repeat(22), bodyBytes: 9 }));
  apply({ type: 'call-queued', calls, seq: 2, at });
  assert.deepEqual(
    listWaits(fold, { due: 5 }).map(({ what, why }) => `${what}: ${why}`),
    [
      'rows: 2 calls handed to workers, who may make them even while no run is in progress; a run collects the answers',
      'rows: 3 not asked yet',
    ],
  );
  assert.equal(endLostCalls(fold), null);
});

wideTest('the status of a first run in progress is about the table it was given', async (t) => {
  const world = await makeWorld(t, { batchSeconds: 30 });
  world.write('other.csv', renderCsv(makeRows(7)));
  await letAge(world);
  const moments: Moment[] = [];
  const effects = makeWatched(world, { onSleep: () => moments.push(keepMoment(t, world)), onTimer: () => {} });
  await world.run({ effects, overrides: { cwd: world.directory, input: 'other.csv' } });
  const moment = moments.find(({ directory }) => fs.existsSync(path.join(directory, NAME)));
  assert.ok(moment !== undefined);
  // What it says of rows is too old to be taken, which table it reads is not.
  fs.rmSync(path.join(moment.directory, 'lock'));
  assert.equal((await readStatus(moment.options)).rows.in, 7);
});

wideTest('a recorded status is not used once anything it depends on has changed', async (t) => {
  const world = await makeWorld(t);
  await letAge(world);
  await world.run();
  const moment = keepMoment(t, world);
  const inState = (name: string) => path.join(moment.directory, name);
  const edit = (file: string, change: (text: string) => string) => {
    const text = fs.readFileSync(file, 'utf8');
    fs.writeFileSync(file, change(text));
    return () => fs.writeFileSync(file, text);
  };
  const put = (file: string, text: string) => {
    fs.writeFileSync(file, text);
    return () => fs.rmSync(file);
  };
  /** Each gives the way back; the table, which knows when it was written, has none and comes last. */
  const changes: Readonly<Record<string, () => () => void>> = {
    'the job': () => edit(world.path('job.yaml'), (text) => `${text}\n# as before\n`),
    'the prices': () => put(world.path('prices.yaml'), 'prices: [{ model: gpt-4o-mini, input: 1, output: 2 }]\n'),
    'the log': () => edit(inState('events.jsonl'), (text) => `${text} `),
    'an answer file': () => put(inState('responses/live-new.jsonl'), ''),
    'the version': () => edit(inState(NAME), (text) => text.replace(/"version":"[^"]+"/, '"version":"0.0.0"')),
    'the table': () => edit(world.path('in.csv'), (text) => text),
  };
  assert.equal((await look(moment)).isTaken, true);
  for (const [what, change] of Object.entries(changes)) {
    const takeBack = change();
    assert.equal((await look(moment)).isTaken, false, what);
    takeBack();
    assert.equal((await look(moment)).isTaken, what !== 'the table', what);
  }
  fs.truncateSync(inState(NAME), 100);
  assert.equal((await readStatus(moment.options)).rows.ok, 12);
});

test('a repeated status reads nothing again before something has changed', async (t) => {
  const world = await makeWorld(t);
  await letAge(world);
  await world.run();
  const moment = keepMoment(t, world);
  fs.rmSync(path.join(moment.directory, NAME));
  const lookAgain = createStatusLook(moment.options);
  const first = await lookAgain();
  // A look that reads them again would be refused.
  const [answers] = fs.readdirSync(path.join(moment.directory, 'responses')).map((name) => path.join(moment.directory, 'responses', name));
  const bytes = fs.readFileSync(answers as string);
  fs.rmSync(path.join(moment.directory, 'settled.jsonl'));
  fs.writeFileSync(answers as string, Buffer.alloc(bytes.length, 'x'));
  assert.deepEqual(await lookAgain(), first);
  await assert.rejects(readStatus(moment.options), /its bytes are not those that were recorded/);
});

wideTest('after a full reading, status pauses four times as long, and shows its result meanwhile', async (t) => {
  const world = await makeWorld(t);
  await world.run();
  const moment = keepMoment(t, world);
  fs.rmSync(path.join(moment.directory, NAME));
  let ms = world.clock().getTime();
  // As slow as can be: each time somebody asks, a second has gone.
  const clock = () => {
    ms += 1_000;
    return new Date(ms);
  };
  const lookAgain = createStatusLook({ ...moment.options, effects: { ...moment.options.effects, clock } });
  const { rows } = await lookAgain();
  fs.appendFileSync(path.join(moment.directory, 'events.jsonl'), '{"damaged":true}\n');
  assert.deepEqual((await lookAgain()).rows, rows);
  ms += 60_000;
  await assert.rejects(lookAgain(), /events\.jsonl/);
});

test('anything else in place of the recorded status costs time and nothing else', async (t) => {
  const world = await makeWorld(t);
  fs.mkdirSync(path.join(world.stateDirectory, NAME));
  const { summary } = await world.run();
  assert.equal(summary.exitCode, 0);
  const { rows } = await readStatus(keepMoment(t, world).options);
  assert.deepEqual(rows, { in: 12, ok: 12, failed: 0, skipped: 0, pending: 0, inFlight: 0 });
});
