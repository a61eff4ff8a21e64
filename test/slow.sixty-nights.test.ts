import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { makeReadOptions } from '../src/cli/read-options.ts';
import type { Summary } from '../src/core/summary.ts';
import { createNoticeTeller } from '../src/host/notices/tell-notices.ts';
import { loadJob } from '../src/input/job/load-job.ts';
import { readBill } from '../src/inspect/bill/read-bill.ts';
import { verifyState } from '../src/inspect/verify/verify.ts';
import { priceBill } from '../src/prove/check/calls.ts';
import { type CleanOptions, clean, lookForLitter } from '../src/upkeep/clean/clean.ts';
import { makeReadOptionsOf, makeTargetOf } from './helpers/read-options.ts';
import { CANARY_KEY, countPosts, type Ended, makeRows, makeWorld, type RunChange, renderCsv, type World } from './helpers/run-world.ts';

const NIGHTS = 60;
const DAY_MS = 86_400_000;
const FIRST_ROWS = 100;
const GROWTH = 1.02;
/** Nights by what happens in them, from 1. */
const CHANGED_PROMPT = 12;
const OUTAGES = [20, 41];
const EXPIRED = 27;
const BUDGET = 34;
const UNCOLLECTED = 48;
/** A kill at each of these, so many looks at the clock after the run began. */
const KILLS: Readonly<Record<number, number>> = { 3: 2, 7: 5, 11: 9, 16: 14, 23: 20, 30: 11, 36: 8, 44: 12, 51: 6, 57: 17 };
/** What a state may hold for each attempt it ever made: the line, its record, its name in the log. */
const MOST_BYTES_PER_ATTEMPT = 2_500;

const rowsOfNight = (night: number) => Math.round(FIRST_ROWS * GROWTH ** (night - 1));

/**
 * Kills a run at its n-th look at the clock: from then on it can do nothing, and its state directory is what it was at that instant. What was on its
 * way to the provider may have arrived. The clock of these nights is this process's own; a process that is killed for real is in slow.killed-nights.
 * @returns false where the run had ended before
 */
async function runAndKill(world: World, looks: number): Promise<boolean> {
  const kill = new AbortController();
  const kept = fs.mkdtempSync(path.join(os.tmpdir(), 'rowmill-'));
  const isOwn = (file: string) => !['provider', 'lock'].includes(path.relative(world.stateDirectory, file).split(path.sep)[0] ?? '');
  let left = looks;
  const clock = () => {
    left -= 1;
    if (left === 0) {
      fs.cpSync(world.stateDirectory, kept, { recursive: true, filter: isOwn });
      kill.abort(new Error('killed'));
    }
    return world.clock();
  };
  try {
    await world.run({ effects: { ...world.effects, clock }, signal: kill.signal, stopping: kill.signal }).catch(() => undefined);
    if (!kill.signal.aborted) return false;
    for (const name of fs.readdirSync(world.stateDirectory).filter((one) => one !== 'provider'))
      fs.rmSync(path.join(world.stateDirectory, name), { recursive: true });
    fs.cpSync(kept, world.stateDirectory, { recursive: true });
    return true;
  } finally {
    fs.rmSync(kept, { recursive: true, force: true });
  }
}

interface Posted {
  readonly id: string;
  readonly event: string;
}

/** Keeps what is posted to it. */
async function startReceiver(t: TestContext): Promise<readonly Posted[]> {
  const posted: Posted[] = [];
  const server = http.createServer(async (request, response) => {
    let text = '';
    for await (const chunk of request) text += chunk;
    posted.push(JSON.parse(text) as Posted);
    response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  process.env.NIGHT_HOOK = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return posted;
}

/** A run as the command line makes it: who is to be told is told. */
async function runAndTell(world: World, change: RunChange = {}): Promise<Ended> {
  const { job } = await loadJob('job.yaml', { cwd: world.directory });
  const teller = createNoticeTeller({
    ...{ job, stateDirectory: world.stateDirectory, isSimulated: true, clock: world.clock },
    warn: (message) => void world.said.push(message),
    commands: { continue: 'rowmill run job.yaml', failures: 'rowmill failures job.yaml', report: 'rowmill report job.yaml' },
  });
  teller.begin();
  const ended = await world.run(change);
  await teller.end(ended);
  return ended;
}

/** What each month cost, in nano-dollars, by `bill`. */
async function readMonths(world: World): Promise<ReadonlyMap<string, number>> {
  const options = { ...makeReadOptions('', {}), cwd: world.directory, folder: '.', since: null, until: null, by: 'month' as const };
  const { groups = [], problems } = await readBill({ ...options, csvPath: null });
  assert.deepEqual(problems, []);
  return new Map(groups.map(({ name, nanoUsd }) => [name, nanoUsd]));
}

/** Removes what is of no more use. @returns how many files are left at the provider */
async function cleanUp(world: World): Promise<number> {
  const options: CleanOptions = { ...makeReadOptionsOf(world), olderMs: 7 * DAY_MS, isRemote: true, hasAnswers: false };
  await clean(await lookForLitter(options), options, makeTargetOf(world));
  const response = await fetch(`${world.simulator.url}/files`, { headers: { authorization: `Bearer ${CANARY_KEY}` } });
  return ((await response.json()) as { data: unknown[] }).data.length;
}

function readJson<T>(file: string): T {
  return JSON.parse(fs.readFileSync(file, 'utf8')) as T;
}

function measure(folder: string): number {
  return fs
    .readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => !name.startsWith('provider'))
    .reduce((sum, name) => sum + fs.statSync(path.join(folder, name)).size, 0);
}

test('sixty nights: every table is right, the bill is the provider’s, the state stays small, nothing is left at the provider', async (t) => {
  const world = await makeWorld(t, {
    startsAt: '2026-11-02T03:17:00Z',
    rows: makeRows(FIRST_ROWS),
    job: [
      'write: { path: "out/{{ run.date }}.csv", keep: all }',
      'notify: { url_env: NIGHT_HOOK, on: [done, failed, stopped, uncollected, shifted] }',
    ].join('\n'),
  });
  const posted = await startReceiver(t);
  let kills = 0;
  let attempts = 0;
  let mostFiles = 0;

  const table = (summary: Summary) => path.resolve(world.directory, summary.outputs.table ?? '');
  function checkNight(night: number, { summary }: Ended): void {
    assert.equal(summary.exitCode, 0, `night ${night}: ${JSON.stringify(summary)}`);
    assert.deepEqual([summary.rows.in, summary.rows.ok], [rowsOfNight(night), rowsOfNight(night)], `night ${night}`);
    // A run that was killed after its table was written has nothing left to do: what it kept is what the table is about.
    const kept = readJson<{ summary: Summary }>(path.join(world.stateDirectory, 'runs', summary.run, 'summary.json'));
    world.check(kept.summary, { writePath: table(summary) });
    const bill = priceBill(world.simulator.bill() as never);
    assert.equal(summary.ledger.nanoUsd, bill, `night ${night}`);
    attempts = summary.ledger.attempts;
  }
  async function expectEnd(exitCode: number, change: RunChange = {}): Promise<void> {
    const { summary } = await runAndTell(world, change);
    assert.equal(summary.exitCode, exitCode);
  }

  for (let night = 1; night <= NIGHTS; night += 1) {
    world.write('in.csv', renderCsv(makeRows(rowsOfNight(night))));
    if (night === CHANGED_PROMPT) world.write('job.yaml', world.read('job.yaml').replace('Label and summarize', 'Summarize and label'));
    const looks = KILLS[night];
    if (looks !== undefined && (await runAndKill(world, looks))) kills += 1;
    if (OUTAGES.includes(night)) {
      await world.restart({ faults: [{ match: {}, do: { status: 503 } }] });
      await expectEnd(7);
      world.assertFaultsFired();
      await world.restart({});
    } else if (night === EXPIRED) {
      await world.restart({ faults: [{ match: { nth: 1 }, do: { expire: 0.4 } }] });
      await expectEnd(0);
      world.assertFaultsFired();
      await world.restart({});
    } else if (night === BUDGET) {
      const job = world.read('job.yaml');
      const spent = (await readMonths(world)).get('2026-12') ?? 0;
      assert.ok(spent > 0);
      world.write('job.yaml', `${job}\nbudget: { usd_per_month: ${((spent + 1) / 1e9).toFixed(9)} }\n`);
      await expectEnd(5);
      world.write('job.yaml', job);
    } else if (night === UNCOLLECTED) {
      await world.restart({ batchSeconds: 3600 });
      await expectEnd(7, { waitMs: 0 });
      await world.restart({});
    } else {
      checkNight(night, await runAndTell(world));
      const files = await cleanUp(world);
      assert.equal(files, 0, `night ${night}`);
      mostFiles = Math.max(mostFiles, files);
      // Looks for what a lost response may have left are no requests that cost.
      if (night % 4 === 1) assert.equal(countPosts((await runAndTell(world)).requests), 0, `night ${night} was finished`);
    }
    await world.pass(DAY_MS);
  }

  assert.equal(kills, Object.keys(KILLS).length);
  const events = posted.map(({ event }) => event);
  assert.equal(new Set(posted.map(({ id }) => id)).size, posted.length, `told once: ${JSON.stringify(posted)}`);
  const finished = new Set(fs.readdirSync(world.path('out')).filter((name) => name.endsWith('.csv'))).size;
  const count = (event: string) => events.filter((one) => one === event).length;
  // The expired batch ended its night with a whole table, too. A night that goes on the next day is one run.
  assert.deepEqual(
    { done: count('done'), failed: count('failed'), stopped: count('stopped') },
    { done: finished, failed: 0, stopped: OUTAGES.length + 1 },
  );
  // The batch of a night that was killed may have ended before the next process looked: that is told as well.
  const uncollected = posted.filter(({ event }) => event === 'uncollected').map(({ id }) => id);
  assert.ok(uncollected.length >= 1 && uncollected.length <= 1 + kills, JSON.stringify(uncollected));
  const months = await readMonths(world);
  const bill = priceBill(world.simulator.bill() as never);
  assert.deepEqual([...months.keys()], ['2026-11', '2026-12']);
  assert.equal(
    [...months.values()].reduce((sum, nanoUsd) => sum + nanoUsd, 0),
    bill,
  );
  const { ok, checks } = await verifyState(makeReadOptionsOf(world));
  assert.ok(ok, JSON.stringify(checks));
  const bytes = measure(world.stateDirectory);
  t.diagnostic(
    `${NIGHTS} nights, ${attempts} attempts, ${kills} kills: ${bytes} bytes of state, ${Math.round(bytes / attempts)} for each attempt`,
  );
  assert.ok(bytes < attempts * MOST_BYTES_PER_ATTEMPT, `${bytes} bytes for ${attempts} attempts`);
  assert.ok(fs.readdirSync(path.join(world.stateDirectory, 'runs')).length <= 14);
});
