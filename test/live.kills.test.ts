import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type Simulator, startSimulator } from '../src/simulator/start.ts';
import { makeLiveRequests, openLiveLedger } from './helpers/live-world.ts';
import { wideTest } from './helpers/wide.ts';

const CALLER = fileURLToPath(import.meta.resolve('./helpers/live-caller.js'));

interface Killed {
  readonly directory: string;
  readonly simulator: Simulator;
  /** How many calls were under way at each kill. */
  readonly underWay: readonly number[];
}

const ROWS = 150;
const CONCURRENCY = 8;

/** Calls rows in a process that is killed whenever so many more calls have come in, and started again until it ends by itself. */
async function killAgainAndAgain(t: TestContext, onUnknown: 'retry' | 'hold', killAtCalls: readonly number[]): Promise<Killed> {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), 'rowmill-'));
  const simulator = await startSimulator({ stateDirectory: path.join(root, 'provider'), latencyMs: { p50Ms: 25, sigma: 0.5 } });
  let child: ChildProcess | null = null;
  t.after(async () => {
    child?.kill('SIGKILL');
    await simulator.close();
    fs.rmSync(root, { recursive: true, force: true });
  });
  const directory = path.join(root, 'state');
  const underWay: number[] = [];
  const calls = () => simulator.requests()['POST /v1/chat/completions'] ?? 0;
  const start = () => {
    const started = spawn(process.execPath, [CALLER, directory, simulator.url, String(ROWS), String(CONCURRENCY), onUnknown], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    const ended = new Promise<number | null>((resolve) => started.once('exit', resolve));
    child = started;
    return { started, ended };
  };
  for (const killAt of killAtCalls) {
    const { started, ended } = start();
    while (simulator.bill().length < killAt && started.exitCode === null) await new Promise((resolve) => setTimeout(resolve, 2));
    assert.equal(started.exitCode, null, 'it was killed at work');
    started.kill('SIGKILL');
    await ended;
    underWay.push(readOpenCalls(directory));
  }
  const { ended } = start();
  assert.equal(await ended, 0);
  assert.ok(calls() > 0);
  return { directory, simulator, underWay };
}

/** Announced calls without a line or a refusal, read from the files by themselves. */
function readOpenCalls(directory: string): number {
  const read = (file: string) => fs.readFileSync(path.join(directory, file), 'utf8').split('\n').slice(0, -1);
  const open = new Map<string, number>();
  const count = (customId: string, by: number) => open.set(customId, (open.get(customId) ?? 0) + by);
  for (const line of read('events.jsonl')) {
    const event = JSON.parse(line) as { type: string; calls?: { customId: string }[]; refusals?: { customId: string }[] };
    if (event.type === 'call-intent') for (const { customId } of event.calls ?? []) count(customId, 1);
    if (event.type === 'call-unknown') for (const { customId } of event.calls ?? []) count(customId, -1);
    if (event.type === 'call-refused') for (const { customId } of event.refusals ?? []) count(customId, -1);
  }
  if (fs.existsSync(path.join(directory, 'responses', 'live-run-1.jsonl'))) {
    for (const line of read('responses/live-run-1.jsonl')) count((JSON.parse(line) as { custom_id: string }).custom_id, -1);
  }
  return [...open.values()].reduce((sum, calls) => sum + calls, 0);
}

test('after a kill with calls in flight every row ends well, and every call billed twice is listed', async (t) => {
  const { directory, simulator, underWay } = await killAgainAndAgain(t, 'retry', [55]);
  const ledger = await openLiveLedger(directory);
  t.after(() => ledger.close());
  const requests = makeLiveRequests(ROWS);
  assert.deepEqual(new Set(requests.map(({ key }) => ledger.keys.outcome(ledger.keys.find(key)))), new Set(['ok']));

  const billed = new Map<string, number>();
  for (const { customId } of simulator.bill()) billed.set(customId ?? '', (billed.get(customId ?? '') ?? 0) + 1);
  const named = new Map<string, number>();
  for (const line of fs.readFileSync(path.join(directory, 'events.jsonl'), 'utf8').trim().split('\n')) {
    const event = JSON.parse(line) as { type: string; calls: { customId: string }[] };
    if (event.type === 'call-unknown') for (const { customId } of event.calls) named.set(customId, (named.get(customId) ?? 0) + 1);
  }
  for (const { customId } of requests) {
    assert.ok((billed.get(customId) ?? 0) <= 1 + (named.get(customId) ?? 0), `${customId} was billed more often than it is reported`);
  }
  const unknown = ledger.fold.unknownCalls.get('run-1')?.calls ?? 0;
  assert.equal(
    unknown,
    underWay.reduce((sum, calls) => sum + calls, 0),
  );
  assert.ok(unknown > 0, 'the kills hit work');
  assert.ok(
    underWay.every((calls) => calls <= CONCURRENCY),
    'no kill puts more than the concurrency in doubt',
  );
  assert.ok(simulator.bill().length <= ROWS + unknown);
});

wideTest('under hold nothing is paid for twice, whatever is killed', async (t) => {
  const { directory, simulator } = await killAgainAndAgain(t, 'hold', [50]);
  const ledger = await openLiveLedger(directory);
  t.after(() => ledger.close());
  const customIds = simulator.bill().map(({ customId }) => customId);
  assert.equal(new Set(customIds).size, customIds.length);
  const outcomes = makeLiveRequests(ROWS).map(({ key }) => ledger.keys.outcome(ledger.keys.find(key)));
  const held = outcomes.filter((outcome) => outcome === 'unknown').length;
  assert.equal(held + outcomes.filter((outcome) => outcome === 'ok').length, ROWS);
  assert.equal(held, ledger.fold.unknownCalls.get('run-1')?.calls);
  assert.ok(held > 0, 'the kills hit work');
});
