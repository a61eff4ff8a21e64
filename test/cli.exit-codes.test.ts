import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { waitSilently } from '../src/ledger/disk/holder-watch.ts';
import { takeLock } from '../src/ledger/disk/lock.ts';
import { readOwnIdentity } from '../src/ledger/disk/process-identity.ts';
import { startSimulator } from '../src/simulator/start.ts';
import { CANARY_KEY, createWorld, REVIEW_JOB, REVIEWS, type World } from './helpers/command-line.ts';
import { wideTest } from './helpers/wide.ts';

const KEY = { OPENAI_API_KEY: CANARY_KEY };
const worlds: World[] = [];
after(() => {
  for (const world of worlds) world.dispose();
});

function makeWorld(job = REVIEW_JOB): World {
  const world = createWorld({ 'reviews.csv': REVIEWS, 'job.yaml': job });
  worlds.push(world);
  return world;
}

describe('exit codes', () => {
  it('0: a finished run, and its repetition with nothing to do', async () => {
    const world = makeWorld();
    const first = await world.json<{ rows: Record<string, number>; attempts: { total: number } }>(['run', 'job.yaml', '--simulate']);
    assert.equal(first.exitCode, 0);
    assert.deepEqual(first.rows, { in: 6, ok: 5, failed: 0, skipped: 1, pending: 0, new: 4, reused: 0, duplicate: 1 });
    const second = await world.json<{ attempts: { total: number } }>(['run', 'job.yaml', '--simulate']);
    assert.equal(second.exitCode, 0);
    assert.equal(second.attempts.total, 0);
  });

  it('2: an invalid job file is refused with the place of every problem, and leaves no state directory', async () => {
    const world = makeWorld(REVIEW_JOB.replace('{{ text }}', '{{ txt }}').replace('params:', 'parms:'));
    const { exitCode, stdout, stderr } = await world.run(['run', 'job.yaml', '--simulate']);
    assert.equal(exitCode, 2);
    assert.equal(stdout, '');
    assert.match(stderr, /^job\.yaml:6:1 {2}parms: unknown key\. Did you mean "params"\?$/m);
    assert.match(stderr, /^job\.yaml:4:\d+ {2}prompt: .*"txt".*Did you mean "text"\?$/m);
    assert.match(stderr, /Nothing was sent, nothing was spent\.\n$/);
    assert.equal(existsSync(join(world.folder, '.rowmill')), false);
  });

  it('2: an unknown command or option names the one that was probably meant', async () => {
    const world = makeWorld();
    const [command, option, number] = await Promise.all([
      world.spawn(['rnu']),
      world.run(['run', 'job.yaml', '--simulat']),
      world.run(['run', 'job.yaml', '--limit', 'many']),
    ]);
    assert.deepEqual([command.exitCode, option.exitCode, number.exitCode], [2, 2, 2]);
    assert.match(command.stderr, /Did you mean run\?/);
    assert.match(option.stderr, /Did you mean --simulate\?/);
    assert.match(number.stderr, /Give a whole number/);
  });

  it('2: a read-only command on a job that was never run says so', async () => {
    const { exitCode, stderr } = await makeWorld().run(['status', 'job.yaml']);
    assert.equal(exitCode, 2);
    assert.match(stderr, /reviews has not been run/);
  });

  it('3: more failed or skipped rows than fail_if allows, also when a repeated run finds this', async () => {
    const world = makeWorld(REVIEW_JOB.replace(/fail_if.*\n/, ''));
    for (const attempts of [4, 0]) {
      const summary = await world.json<{ verdict: string; attempts: { total: number } }>(['run', 'job.yaml', '--simulate']);
      assert.equal(summary.exitCode, 3);
      assert.equal(summary.verdict, 'skipped rows');
      assert.equal(summary.attempts.total, attempts);
    }
  });

  it('4: without a key run names --simulate; a refused key ends the same way and is not printed', async () => {
    const world = makeWorld();
    const simulator = await startSimulator({ faults: [{ match: {}, do: { error: 'invalid_api_key' } }] });
    try {
      const none = await world.run(['run', 'job.yaml']);
      assert.equal(none.exitCode, 4);
      assert.match(none.stderr, /--simulate/);
      const refused = await world.spawn(['run', 'job.yaml', '--base-url', simulator.url, '--yes'], KEY);
      assert.equal(refused.exitCode, 4, refused.stderr);
      assert.doesNotMatch(refused.stdout + refused.stderr, /canary/);
    } finally {
      await simulator.close();
    }
  });

  wideTest('6: another run holds the lock; 0 with --if-running skip', async () => {
    const world = makeWorld();
    await world.run(['run', 'job.yaml', '--simulate', '--limit', '1']);
    const lock = await takeLock({
      directory: join(world.folder, '.rowmill', 'reviews@simulator'),
      job: 'reviews',
      identity: readOwnIdentity(),
      waiting: waitSilently(new AbortController().signal),
      clock: () => new Date(),
      randomId: () => 'test',
    });
    try {
      const [held, skipped, looking] = await Promise.all([
        world.spawn(['run', 'job.yaml', '--simulate']),
        world.run(['run', 'job.yaml', '--simulate', '--if-running', 'skip']),
        world.json<{ run: { runner: { pid: number } | null } }>(['status', 'job.yaml']),
      ]);
      assert.equal(held.exitCode, 6);
      assert.match(held.stderr, new RegExp(`process ${process.pid}`));
      assert.equal(skipped.exitCode, 0);
      assert.match(skipped.stderr, new RegExp(`^Skipped: this job is being run by process ${process.pid} `, 'm'));
      assert.equal(looking.run.runner?.pid, process.pid);
    } finally {
      lock.release();
    }
  });

  wideTest('7: --no-wait leaves the batches with the provider; the same command finishes later', { timeout: 60_000 }, async () => {
    const world = makeWorld();
    const simulator = await startSimulator({ faults: [{ match: { batch: 1 }, do: { stuck: 'in_progress' } }] });
    const args = ['run', 'job.yaml', '--base-url', simulator.url, '--yes'];
    try {
      const first = await world.json<{ rows: { pending: number }; next: string; outputs: { table: string } }>([...args, '--no-wait'], KEY);
      assert.equal(first.exitCode, 7);
      assert.equal(first.rows.pending, 5);
      assert.equal(first.outputs.table, 'out.partial.csv');
      assert.equal(first.next, `rowmill run job.yaml --base-url ${simulator.url}`);

      const status = await world.json<Record<string, never>>(['status', 'job.yaml']);
      assert.deepEqual(Object.keys(status).slice(0, 7), ['schema', 'job', 'model', 'mode', 'state', 'origin', 'simulated']);
      const { rows, batches, waitingFor, run } = status as unknown as {
        rows: unknown;
        batches: { status: string; expiresAt: string; isCollected: boolean }[];
        waitingFor: { what: string }[];
        run: { endedAt: null; runner: null };
      };
      assert.deepEqual(rows, { in: 6, ok: 0, failed: 0, skipped: 1, pending: 5, inFlight: 5 });
      assert.equal(batches.length, 1);
      assert.equal(batches[0]?.isCollected, false);
      assert.ok(Date.parse(batches[0]?.expiresAt ?? '') > Date.now() + 86_000_000);
      assert.deepEqual([run.endedAt, run.runner], [null, null]);
      assert.deepEqual(
        waitingFor.map(({ what }) => what),
        ['batch', 'runner'],
      );

      const [cancelled] = (await world.json<{ batches: { result: string }[] }>(['cancel', 'job.yaml', '--base-url', simulator.url], KEY))
        .batches;
      assert.equal(cancelled?.result, 'asked');
      const after = await world.json<{ batches: { status: string }[]; waitingFor: { why: string }[] }>(['status', 'job.yaml']);
      assert.equal(after.batches[0]?.status, 'cancelling');
      assert.match(after.waitingFor[0]?.why ?? '', /^being cancelled at the provider/);
      const last = await world.json<{ rows: { ok: number; pending: number } }>(args, KEY);
      assert.equal(last.exitCode, 0);
      assert.deepEqual([last.rows.ok, last.rows.pending], [5, 0]);
      const again = await world.json<{ batches: unknown[] }>(['cancel', 'job.yaml', '--base-url', simulator.url], KEY);
      assert.deepEqual(again.batches, []);
    } finally {
      await simulator.close();
    }
  });

  wideTest('0: cancelling a batch that has ended meanwhile is not a failure', async () => {
    const world = makeWorld();
    const simulator = await startSimulator({ batchSeconds: 3600 });
    try {
      const args = ['job.yaml', '--base-url', simulator.url];
      assert.equal((await world.run(['run', ...args, '--yes', '--no-wait', '--limit', '6'], KEY)).exitCode, 7);
      const bill = await world.run(['bill', '.']);
      assert.match(bill.stderr, /^reviews: 4 requests at the provider, in no sum until the answers are collected$/m);
      await simulator.advance(3_700_000);
      const cancelled = await world.run(['cancel', ...args], KEY);
      assert.deepEqual([cancelled.exitCode, cancelled.stdout.includes('had already ended: completed')], [0, true]);
      const command = `rowmill run job.yaml --base-url ${simulator.url} --limit 6`;
      assert.ok(cancelled.stderr.endsWith(`To collect it, and send all rows without an answer: ${command}\n`), cancelled.stderr);
      const summary = await world.json<{ rows: { ok: number } }>(['run', ...args, '--yes'], KEY);
      assert.deepEqual([summary.exitCode, summary.rows.ok], [0, 5]);
    } finally {
      await simulator.close();
    }
  });

  wideTest('130: the first Ctrl-C stops in order and says how to continue', async () => {
    const world = makeWorld();
    const simulator = await startSimulator({ faults: [{ match: {}, do: { stuck: 'in_progress' } }] });
    try {
      const child = world.start(['run', 'job.yaml', '--base-url', simulator.url, '--yes', '--json'], KEY);
      let stdout = '';
      child.stdout?.setEncoding('utf8').on('data', (text: string) => {
        stdout += text;
      });
      while ((simulator.requests()['GET /v1/batches/:id'] ?? 0) === 0) await delay(5);
      child.kill('SIGINT');
      const exitCode = await new Promise((resolve) => child.once('close', resolve));
      assert.equal(exitCode, 130);
      const summary = JSON.parse(stdout) as { verdict: string; next: string; rows: { pending: number } };
      assert.equal(summary.verdict, 'interrupted');
      assert.equal(summary.rows.pending, 5);
      assert.match(summary.next, /^rowmill run job\.yaml/);
    } finally {
      await simulator.close();
    }
  });

  it('2: an invalid fault plan is refused with the place in it', async () => {
    const world = makeWorld();
    writeFileSync(join(world.folder, 'faults.json'), '[{"do": {"explode": true}}]');
    const { exitCode, stderr } = await world.run(['simulate', '--faults', 'faults.json']);
    assert.equal(exitCode, 2);
    assert.match(stderr, /faults\.json: faults\[0\]\.do: no known word/);
  });
});
