import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { parse } from 'csv-parse/sync';
import type { Summary } from '../src/core/summary.ts';
import { readJsonLines } from '../src/prove/check/calls.ts';
import { type Simulator, startSimulator } from '../src/simulator/start.ts';
import { CANARY_KEY, createWorld, type World } from './helpers/command-line.ts';
import { projectRoot } from './helpers/project-root.ts';
import { makeLabellingJob } from './helpers/real-tables.ts';
import { borrowRedis, whyNoRedis } from './helpers/redis-server.ts';
import { endProcess } from './helpers/redis-world.ts';

const ROWS = 40;
const labelling = makeLabellingJob(ROWS);
const TICKETS = path.join(projectRoot, 'jobs', 'ticket-labels.yaml');

interface BillLine {
  readonly batchId: string | null;
  readonly customId: string;
  readonly model: string;
  readonly usage: { readonly prompt_tokens: number; readonly completion_tokens: number };
}

/** The table without what differs from call to call. */
function readAnswers(file: string): readonly unknown[] {
  const rows = parse(fs.readFileSync(file, 'utf8'), { columns: true }) as Record<string, string>[];
  return rows.map((row) => Object.fromEntries(Object.entries(row).filter(([name]) => !name.endsWith('_request_id'))));
}

/** Every row has one end, every call is on both bills, and nothing is paid twice. */
function assertWhole(summary: Summary, bill: readonly BillLine[]): void {
  const { rows, attempts, tokens, cost, ledger } = summary;
  assert.deepEqual([summary.exitCode, rows.in], [0, rows.ok + rows.failed + rows.skipped + rows.pending]);
  assert.deepEqual([attempts.batch, attempts.unknown, cost.possiblyBilledNanoUsd], [0, 0, 0]);
  assert.deepEqual([bill.length, ledger.attempts], [attempts.live, attempts.total]);
  assert.equal(new Set(bill.map(({ customId }) => customId)).size, bill.length);
  const sum = (of: (line: BillLine) => number) => bill.reduce((total, line) => total + of(line), 0);
  assert.deepEqual([sum(({ usage }) => usage.prompt_tokens), sum(({ usage }) => usage.completion_tokens)], [tokens.input, tokens.output]);
}

describe('a live job in one process, and the same through two workers', { skip: whyNoRedis() }, () => {
  let redis: { readonly url: string; stop(): Promise<void> };
  let simulator: Simulator;
  let world: World;
  const workers: ChildProcess[] = [];

  before(async () => {
    redis = await borrowRedis();
    simulator = await startSimulator({ answers: 'plain' });
    world = createWorld(labelling === null ? {} : { 'banking.csv': labelling.table, 'banking.yaml': labelling.job });
    const env = { REDIS_URL: redis.url, ROWMILL_BASE_URL: simulator.url, OPENAI_API_KEY: CANARY_KEY };
    for (let worker = 0; worker < 2; worker += 1) workers.push(world.start(['worker', '--concurrency', '4'], env));
    for (const worker of workers) worker.stdout?.resume();
  });
  after(async () => {
    await Promise.all(workers.map((worker) => endProcess(worker, 'SIGTERM')));
    await simulator.close();
    await redis.stop();
    world.dispose();
  });

  async function runBothWays(name: string, job: string): Promise<void> {
    const table = (way: string) => path.join(world.folder, `${name}.${way}.csv`);
    const own = (way: string) => ['--json', '--progress', 'none', '--state-dir', path.join(world.folder, way), '--out', table(way)];
    const remote = ['run', job, '--base-url', simulator.url, '--redis', redis.url, ...own('shared')];
    const alone = await world.run(['run', job, '--simulate', ...own('local')]);
    const shared = await world.run(remote, { OPENAI_API_KEY: CANARY_KEY });
    const [one, two] = [JSON.parse(alone.stdout) as Summary, JSON.parse(shared.stdout) as Summary];
    const bill = readJsonLines<BillLine>(path.join(world.folder, 'local', `${name}@simulator`, 'provider', 'bill.jsonl'));
    const ids = new Set(bill.map(({ customId }) => customId));
    assertWhole(one, bill);
    assertWhole(
      two,
      (simulator.bill() as unknown as BillLine[]).filter(({ customId }) => ids.has(customId)),
    );
    assert.deepEqual(readAnswers(table('shared')), readAnswers(table('local')));
    assert.deepEqual([two.rows, two.tokens, two.cost.nanoUsd], [one.rows, one.tokens, one.cost.nanoUsd]);
  }

  test('jobs/ticket-labels.yaml over its fixture', async () => {
    await runBothWays('ticket-labels', TICKETS);
  });

  test('77 labels over a real table', { skip: labelling === null && '../shared/data is not there' }, async () => {
    await runBothWays('banking', 'banking.yaml');
  });
});

test('workers are refused for the built-in simulator, which they cannot reach, and REDIS_URL does not count there', async (t) => {
  const world = createWorld({ 'in.csv': 'id,text\n1,fine\n', 'job.yaml': JOB });
  t.after(() => world.dispose());
  const { exitCode, stderr } = await world.run(['run', 'job.yaml', '--simulate', '--redis', 'redis://127.0.0.1:1']);
  assert.equal(exitCode, 2);
  assert.match(stderr, /rowmill simulate/);
  assert.equal((await world.run(['run', 'job.yaml', '--simulate'], { REDIS_URL: 'redis://127.0.0.1:1' })).exitCode, 0);
});

const JOB = `name: one
input: { path: in.csv, id: id }
model: gpt-4o-mini
mode: live
prompt: "Which sentiment? {{ text }}"
output: { sentiment: positive | negative }
params: { max_output_tokens: 50 }
write: { path: out.csv }
`;
