import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { NoticeRecord } from '../src/host/notices/notice-records.ts';
import type { Bill } from '../src/inspect/bill/read-bill.ts';
import { priceBill } from '../src/prove/check/calls.ts';
import type { SeamPlan } from '../src/prove/seam/plan.ts';
import { SHORT_LIVED } from '../src/prove/short-lived.ts';
import { startSimulator } from '../src/simulator/start.ts';
import { collect, createWorld } from './helpers/command-line.ts';
import { PROGRAM } from './helpers/program.ts';
import { CANARY_KEY, makeJobText, makeRows, renderCsv } from './helpers/run-world.ts';

const SEAM = import.meta.resolve('../src/prove/seam/seam.js');
/** After what each night is killed. Every night does these, however slow the machine is. */
const KILLED_AFTER = [
  'send POST /v1/files',
  'send POST /v1/batches',
  'send GET /v1/batches/',
  'write settled.jsonl',
  'rename out.csv',
  'rename summary.json',
];

/** A receiver that keeps what it was told; `onPost` comes before its answer. */
async function startReceiver(t: TestContext) {
  const posted: { readonly id: string; readonly event: string }[] = [];
  const receiver = { posted, url: '', onPost: () => {} };
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    posted.push(JSON.parse(Buffer.concat(chunks).toString()) as (typeof posted)[number]);
    receiver.onPost();
    response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  receiver.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  return receiver;
}

test('nights whose process is killed: the table is complete, each night is reported once, the bill is the provider’s', async (t) => {
  const world = createWorld({
    'job.yaml': makeJobText('notify: { url_env: NIGHT_HOOK, on: [done, failed, stopped, uncollected] }'),
  });
  const simulator = await startSimulator({ batchSeconds: 0.05, answers: 'plain' });
  const receiver = await startReceiver(t);
  t.after(async () => {
    await simulator.close();
    world.dispose();
  });
  const env = { OPENAI_API_KEY: CANARY_KEY, ROWMILL_BASE_URL: simulator.url, NIGHT_HOOK: receiver.url, ROWMILL_LOOKS: '0.05,0.2,0.6' };
  let running: ChildProcess | null = null;

  /** The command in a process of its own; null when it was killed. */
  async function night(plan: Partial<SeamPlan> = {}): Promise<number | null> {
    const seam: SeamPlan = { under: [`${world.folder}/`], ...plan };
    running = spawn(process.execPath, [...SHORT_LIVED, `--import=${SEAM}`, PROGRAM, 'run', 'job.yaml', '--yes', '--progress', 'none'], {
      cwd: world.folder,
      env: {
        PATH: process.env.PATH,
        HOME: world.folder,
        ...env,
        ROWMILL_POLL_MAX: '50ms',
        ROWMILL_TAKEOVER_MS: '600',
        ROWMILL_PROVE_SEAM: JSON.stringify(seam),
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const { exitCode, stderr } = await collect(running);
    assert.ok(exitCode === null || exitCode === 0, stderr);
    return exitCode;
  }
  const fill = (rows: number) => writeFileSync(join(world.folder, 'in.csv'), renderCsv(makeRows(rows)));

  fill(10);
  assert.equal(await night(), 0);
  for (const [index, on] of KILLED_AFTER.entries()) {
    fill(12 + 2 * index);
    assert.equal(await night({ crash: { on, at: 1, moment: 'after' } }), null, `killed after ${on}`);
    assert.equal(await night(), 0);
    const table = readFileSync(join(world.folder, 'out.csv'), 'utf8').trimEnd().split('\n');
    assert.equal(table.length, 13 + 2 * index);
    // A batch that ended while nobody was there to collect it may be told besides.
    const done = receiver.posted.filter(({ event }) => event === 'done');
    assert.equal(done.length, index + 2, 'each finished night is told');
  }

  // The worst moment: the receiver has it, the record has not.
  fill(24);
  receiver.onPost = () => void running?.kill('SIGKILL');
  assert.equal(await night(), null);
  receiver.onPost = () => {};
  assert.equal(await night(), 0);
  const told = receiver.posted.map(({ id }) => id);
  assert.equal(new Set(told).size, told.length, 'another process may still be at it');
  const notices = join(world.folder, '.rowmill', readdirSync(join(world.folder, '.rowmill'))[0] ?? '', 'notices');
  for (const name of readdirSync(notices)) {
    const record = JSON.parse(readFileSync(join(notices, name), 'utf8')) as NoticeRecord;
    const at = new Date(Date.parse(record.at) - 61_000).toISOString();
    writeFileSync(join(notices, name), JSON.stringify({ ...record, at }));
  }
  for (let again = 0; again < 2; again += 1) assert.equal(await night(), 0);
  assert.deepEqual(
    receiver.posted.map(({ id }) => id),
    [...told, told.at(-1)],
    'it is told once more, by the same id',
  );
  for (const { event } of receiver.posted) assert.match(event, /^(done|uncollected)$/);

  const bill = await world.json<Bill>(['bill']);
  const paid = priceBill(simulator.bill() as never);
  assert.deepEqual([bill.total.nanoUsd, bill.problems], [paid, []]);
  assert.equal((await world.run(['verify', 'job.yaml'], env)).exitCode, 0);
  assert.equal((await world.run(['clean', 'job.yaml', '--remote', '--yes'], env)).exitCode, 0);
  const left = await fetch(`${simulator.url}/files`, { headers: { authorization: `Bearer ${CANARY_KEY}` } });
  const names = ((await left.json()) as { data: { filename: string }[] }).data.map(({ filename }) => filename.split('.')[2]);
  assert.deepEqual(names, ['000003'], 'only the file of which a batch may have been created, as far as anybody knows');
});
