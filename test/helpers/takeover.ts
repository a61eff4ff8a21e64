import assert from 'node:assert/strict';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { startSimulator } from '../../src/simulator/start.ts';
import { createWorld } from './command-line.ts';
import { type Elsewhere, startElsewhere } from './places.ts';
import { startProxy } from './proxy.ts';
import { makeJobText, makeRows, renderCsv } from './run-world.ts';

const ROWS = 12;
/** A run that was stopped is to be succeeded soon; one that works must not be, however busy the machine. */
const TAKEOVER_MS = { fromStopped: 1_200, fromWorking: 12_000 };

/** A job in a folder that several places share, and a provider that tells them apart. */
interface SharedFolder {
  readonly state: string;
  /** Starts a run of the job in a place of its own; what it sends carries its name. */
  run(name: string, flags: readonly string[], env?: Readonly<Record<string, string>>): Elsewhere;
  /** Posts that have arrived, by who sent them, in order. */
  readonly posts: { readonly name: string; readonly path: string }[];
  /** Resolves when one more post has arrived. */
  nextPost(): Promise<unknown>;
  bill(): readonly { readonly customId: string | null }[];
  verify(): Promise<{ readonly checks: readonly { readonly name: string; readonly status: string }[] }>;
}

/** @param held what answers of calls and batches wait for: no run ends before */
async function makeSharedFolder(
  t: TestContext,
  lane: 'batch' | 'live',
  takeoverMs: number,
  held: Promise<unknown> = Promise.resolve(),
): Promise<SharedFolder> {
  const world = createWorld({
    // One call at a time: a run is stopped while it waits for the answer, not between its last look at the lock and the socket, which nothing can fence.
    'job.yaml': makeJobText(lane === 'live' ? 'limits:\n  concurrency: 1\n' : ''),
    'in.csv': renderCsv(makeRows(ROWS)),
  });
  const simulator = await startSimulator({ batchSeconds: 0.2, latencyMs: 40 });
  t.after(async () => {
    await simulator.close();
    world.dispose();
  });
  const arrivals = new EventTarget();
  const posts: { name: string; path: string }[] = [];
  const url = await startProxy(t, {
    target: simulator.url,
    async changeRequest({ method, path, headers, body }) {
      if (method === 'POST') {
        posts.push({ name: String(headers['openai-organization']), path });
        arrivals.dispatchEvent(new Event('post'));
      }
      if (/^\/v1\/(chat\/completions|batches\/.+)$/.test(path)) await held;
      return body;
    },
  });
  const flags = ['--base-url', url];
  return {
    state: path.join(world.folder, '.rowmill', `proof@127.0.0.1-${new URL(url).port}`),
    posts,
    nextPost: () => once(arrivals, 'post'),
    run: (name, more, env = {}) =>
      startElsewhere(t, {
        cwd: world.folder,
        args: ['run', 'job.yaml', ...flags, '--mode', lane, '--yes', '--progress', 'none', '--looks', '0.05,0.2', ...more],
        env: {
          PATH: process.env.PATH,
          HOME: world.folder,
          OPENAI_API_KEY: 'sk-of-both-places',
          OPENAI_ORG_ID: name,
          ROWMILL_POLL_MAX: '50ms',
          ROWMILL_TAKEOVER_MS: String(takeoverMs),
          ...env,
        },
      }),
    bill: () => simulator.bill(),
    verify: () => world.json(['verify', 'job.yaml', ...flags]),
  };
}

/** Two runs at once in two pid namespaces of one host: one works, the other is told so; whatever the clocks say. */
export async function raceInTwoPlaces(t: TestContext, lane: 'batch' | 'live', clock: Readonly<Record<string, string>> = {}): Promise<void> {
  let endOne = () => {};
  const oneEnded = new Promise<void>((resolve) => {
    endOne = resolve;
  });
  const shared = await makeSharedFolder(t, lane, TAKEOVER_MS.fromWorking, oneEnded);
  const runs = [shared.run('first', []), shared.run('second', [], clock)];
  // The one that works is still at it when the other has seen that it lives.
  for (const { ended } of runs) void ended.then(() => endOne());
  const codes = await Promise.all(runs.map(({ ended }) => ended));
  const said = runs.map((run) => run.said()).join('\n---\n');
  assert.deepEqual(codes.toSorted(), [0, 6], said);
  const loser = runs[codes.indexOf(6)] as Elsewhere;
  assert.match(loser.said(), /is being run by process 1 on .*which cannot be seen from here, but whose heartbeat continues/);
  assert.equal(new Set(shared.posts.map(({ name }) => name)).size, 1, 'only one of them sent anything');
  await checkBooks(shared, 0);
}

/**
 * A run is stopped when its `nth` post arrives, another one takes its place, and while that works the first is woken.
 * @returns how many posts of the first arrived before it was stopped
 */
export async function displaceAndWake(t: TestContext, lane: 'batch' | 'live', nth: number): Promise<number> {
  const shared = await makeSharedFolder(t, lane, TAKEOVER_MS.fromStopped);
  const countOf = (name: string) => shared.posts.filter((post) => post.name === name).length;
  const first = shared.run('first', []);
  const firstEnded = first.ended.then(() => 'ended' as const);
  while (countOf('first') < nth) if ((await Promise.race([shared.nextPost(), firstEnded])) === 'ended') assert.fail(first.said());
  first.signal('SIGSTOP');
  const token = readToken(shared.state);
  const second = shared.run('second', ['--if-running', 'wait']);
  const secondEnded = second.ended.then(() => 'ended' as const);
  while (readToken(shared.state) === token) {
    if ((await Promise.race([new Promise((resolve) => setTimeout(resolve, 5)), secondEnded])) === 'ended') assert.fail(second.said());
  }
  const before = countOf('first');
  first.signal('SIGCONT');
  const codes = await Promise.all([first.ended, second.ended]);
  const said = `${first.said()}\n---\n${second.said()}`;
  assert.deepEqual(codes, [6, 0], said);
  assert.match(second.said(), /Waiting for process 1 on .*, which holds job proof and cannot be seen from here/);
  assert.match(first.said(), /has taken job proof over/);
  assert.equal(countOf('first'), before, 'who was displaced sends nothing more');
  assert.ok(countOf('second') > 0 || lane === 'batch');
  await checkBooks(shared, before);
  return before;
}

function readToken(state: string): string {
  return (JSON.parse(fs.readFileSync(path.join(state, 'lock'), 'utf8')) as { token: string }).token;
}

/** The log is whole, verify agrees, and what was billed twice was in flight at the takeover and is counted as such. */
async function checkBooks(shared: SharedFolder, mayBeTwice: number): Promise<void> {
  const billed = shared.bill().map(({ customId }) => customId);
  assert.equal(new Set(billed).size, ROWS);
  assert.ok(billed.length - ROWS <= mayBeTwice, `${billed.length} calls were billed`);
  const { checks } = await shared.verify();
  assert.deepEqual(
    checks.filter(({ status }) => status === 'failed'),
    [],
  );
}
