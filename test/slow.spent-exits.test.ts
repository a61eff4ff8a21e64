import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { AppError, EXIT } from '../src/core/errors.ts';
import { waitSilently } from '../src/ledger/disk/holder-watch.ts';
import { takeLock } from '../src/ledger/disk/lock.ts';
import { readOwnIdentity } from '../src/ledger/disk/process-identity.ts';
import { startSimulator } from '../src/simulator/start.ts';
import { CANARY_KEY, createWorld, REVIEW_JOB, REVIEWS } from './helpers/command-line.ts';
import { makeRows, makeWorld } from './helpers/run-world.ts';

const KEY = { OPENAI_API_KEY: CANARY_KEY };

/** Rows 1 and 4 ask the same. */
for (const { nth, exitCode, ok, calls } of [
  { nth: 1, exitCode: EXIT.usage, ok: 0, calls: 0 },
  { nth: 3, exitCode: EXIT.bug, ok: 3, calls: 2 },
]) {
  test(`a redirect at live call ${nth} ends with ${exitCode}, with one object on standard output, and can be continued`, async (t) => {
    const simulator = await startSimulator({
      faults: [{ match: { path: '/v1/chat/completions', nth }, do: { redirect: 'http://127.0.0.1:9/elsewhere' } }],
    });
    const world = createWorld({ 'reviews.csv': REVIEWS, 'job.yaml': `${REVIEW_JOB}limits: { concurrency: 1 }\n` });
    t.after(() => simulator.close());
    t.after(() => world.dispose());
    const args = ['run', 'job.yaml', '--base-url', simulator.url, '--mode', 'live', '--yes'];
    const { stdout, stderr, exitCode: ended } = await world.spawn([...args, '--json'], KEY);
    assert.equal(ended, exitCode, stderr);
    assert.equal(stdout.trimEnd().split('\n').length, 1, stdout);
    const summary = JSON.parse(stdout) as { schema: string; exitCode: number; verdict: string; rows: { ok: number; pending: number } };
    assert.deepEqual([summary.schema, summary.exitCode, summary.rows.ok], ['rowmill.summary/1', exitCode, ok]);
    assert.match(summary.verdict, /redirects to 127\.0\.0\.1:9/);
    assert.equal(simulator.bill().length, calls);
    const next = await world.json<{ rows: { ok: number } }>(args, KEY);
    assert.deepEqual([next.exitCode, next.rows.ok, simulator.bill().length], [0, 5, 4]);
  });
}

test('a table that becomes unreadable after something was spent ends the run with exit 1, and the answers are kept', async (t) => {
  const world = await makeWorld(t, { faults: [{ match: { batch: 1 }, do: { showStatus: 'pondering' } }], batchSeconds: 60 });
  const good = makeRows(12).map(([id, text]) => JSON.stringify({ id, text }));
  world.write('in.jsonl', `${good.join('\n')}\n`);
  world.write('job.yaml', world.read('job.yaml').replace('in.csv', 'in.jsonl'));
  const warn = (message: string) => {
    if (/unknown status/.test(message)) world.write('in.jsonl', `${good.slice(0, 3).join('\n')}\nno JSON\n`);
  };
  await assert.rejects(world.run({ warn }), (error: unknown) => {
    assert.ok(error instanceof AppError);
    assert.equal(error.exitCode, EXIT.bug);
    assert.match(error.message, /in\.jsonl:4.*\n.*What was answered and paid for is kept/s);
    return true;
  });
  world.assertFaultsFired();
  world.write('in.jsonl', `${good.join('\n')}\n`);
  const { summary } = await world.run();
  assert.deepEqual([summary.exitCode, summary.rows.ok, world.simulator.bill().length], [0, 12, 12]);
});

test('--json prints one object where a command ends without its own: wrong job, wrong flag, no state, no key, a held lock', async (t) => {
  const world = createWorld({ 'reviews.csv': REVIEWS, 'job.yaml': REVIEW_JOB });
  t.after(() => world.dispose());
  writeFileSync(join(world.folder, 'wrong.yaml'), REVIEW_JOB.replace('{{ text }}', '{{ txt }}'));
  type Failure = { schema: string; code: string; message: string; problems?: { place: { line: number } }[] };
  const wrong = await world.json<Failure>(['run', 'wrong.yaml', '--simulate']);
  assert.deepEqual([wrong.schema, wrong.exitCode, wrong.problems?.[0]?.place.line], ['rowmill.error/1', 2, 4]);
  const noState = await world.json<Failure>(['status', 'job.yaml']);
  assert.deepEqual([noState.schema, noState.exitCode], ['rowmill.error/1', 2]);
  const noKey = await world.json<Failure>(['run', 'job.yaml']);
  assert.equal(noKey.exitCode, 4);
  const flag = await world.spawn(['run', 'job.yaml', '--simulat', '--json']);
  assert.equal(flag.exitCode, 2);
  assert.match((JSON.parse(flag.stdout) as Failure).message, /unknown option '--simulat'/);

  await world.run(['run', 'job.yaml', '--simulate', '--limit', '1']);
  const directory = join(world.folder, '.rowmill', 'reviews@simulator');
  const lock = await takeLock({
    directory,
    job: 'reviews',
    identity: readOwnIdentity(),
    waiting: waitSilently(new AbortController().signal),
    clock: () => new Date(),
    randomId: () => 'test',
  });
  t.after(() => lock.release());
  const held = await world.json<Failure>(['run', 'job.yaml', '--simulate']);
  assert.deepEqual([held.exitCode, held.code], [6, 'locked']);
  const skipped = await world.json<Failure>(['run', 'job.yaml', '--simulate', '--if-running', 'skip']);
  assert.deepEqual([skipped.exitCode, skipped.code], [0, 'locked']);
});
