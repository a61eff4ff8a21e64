import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { makeReadOptions } from '../src/cli/read-options.ts';
import { renderStatus } from '../src/cli/render/render-status.ts';
import type { Summary } from '../src/core/summary.ts';
import type { Failures } from '../src/inspect/failures.ts';
import { readRowHistory } from '../src/inspect/row-history.ts';
import type { Status } from '../src/inspect/status.ts';
import { type Verification, verifyState } from '../src/inspect/verify/verify.ts';
import type { Plan } from '../src/run/plan/plan-result.ts';
import { type Simulator, startSimulator } from '../src/simulator/start.ts';
import { CANARY_KEY, createWorld, REVIEW_JOB, REVIEWS, type World } from './helpers/command-line.ts';

/** Row 3 is refused, row 2 gives no JSON at first; the escape sequence in it must not reach a terminal. */
const FAULTS = [
  { name: 'refusal', match: { batch: 1, row: 3 }, do: { answer: 'refusal' } },
  { name: 'invalid', match: { batch: 1, row: 2 }, do: { answerText: 'nope \u001b[31m' } },
];

describe('commands that look at a run', () => {
  let world: World;
  let simulator: Simulator;
  let summary: Summary & { exitCode: number | null };
  const key = { OPENAI_API_KEY: CANARY_KEY };

  before(async () => {
    world = createWorld({ 'reviews.csv': REVIEWS, 'job.yaml': REVIEW_JOB });
    simulator = await startSimulator({ faults: FAULTS });
    summary = await world.json(['run', 'job.yaml', '--base-url', simulator.url, '--yes'], key);
    assert.ok(simulator.faultsFired().every(({ fired }) => fired > 0));
  });
  after(async () => {
    await simulator.close();
    world.dispose();
  });

  it('report prints the summary of the run again, and says whose answers it is about', async () => {
    const again = await world.json(['report', 'job.yaml']);
    assert.deepEqual(again, { ...summary, exitCode: 0 });
    const { stdout, stderr } = await world.run(['report', 'job.yaml', '--summary', 'full']);
    assert.match(stdout, /rows in +6 = 4 ok \+ 1 failed \+ 1 skipped \+ 0 pending/);
    assert.match(stderr, /^State of the last run: \.rowmill\/reviews@127\.0\.0\.1-\d+, answers of 127\.0\.0\.1-\d+$/m);
    const other = await world.run(['report', 'job.yaml', '--run', 'nope']);
    assert.equal(other.exitCode, 2);
    assert.match(other.stderr, new RegExp(summary.run));
  });

  it('report --html writes the page of the run again, byte for byte, and --summary full prints its figures', async () => {
    const { stdout, stderr } = await world.run(['report', 'job.yaml', '--html', 'again.html', '--summary', 'full']);
    assert.match(stderr, /^Report: again\.html$/m);
    const page = readFileSync(join(world.folder, 'again.html'), 'utf8');
    assert.equal(page, readFileSync(join(world.folder, summary.outputs.report as string), 'utf8'));
    assert.ok(page.includes(`--cause refused`) && !page.includes('\u001b'));
    assert.match(stdout, /^retry +1 row refused: rowmill retry job\.yaml --base-url \S+ --cause refused$/m);
    const full = await world.json<{ details: { fields: unknown[] }; rows: unknown }>(['report', 'job.yaml', '--json', '--summary', 'full']);
    assert.deepEqual(full.rows, summary.rows);
    assert.ok(full.details.fields.length > 0);
    assert.equal((await world.run(['report', 'job.yaml', '--gold', 'x'])).exitCode, 2);
  });

  it('status shows rows, batches and cost, of one job or of every job below', async () => {
    const [status, list] = await Promise.all([
      world.json<Status>(['status', 'job.yaml']),
      world.json<{ jobs: readonly Status[] }>(['status']),
    ]);
    assert.equal(status.schema, 'rowmill.status/1');
    assert.deepEqual(status.rows, { in: 6, ok: 4, failed: 1, skipped: 1, pending: 0, inFlight: 0 });
    assert.deepEqual(
      status.batches.map(({ id, status: state, isCollected }) => ({ id, state, isCollected })),
      summary.batches.map(({ id, status: state }) => ({ id, state, isCollected: true })),
    );
    assert.equal(status.cost.nanoUsd, summary.cost.nanoUsd);
    assert.deepEqual(status.waitingFor, []);
    assert.deepEqual(
      list.jobs.map(({ job, rows }) => ({ job, rows })),
      [{ job: 'reviews', rows: status.rows }],
    );
    const show = (change: Partial<Status> = {}) => renderStatus({ ...status, ...change }, { now: new Date(), colour: false });
    assert.match(show(), /ended \d+s ago with exit 3/);
    const many = [...status.batches, ...status.batches, ...status.batches, ...status.batches];
    const [one] = many.map((batch) => ({ ...batch, status: 'expired' }));
    const [open] = many.map((batch) => ({ ...batch, status: 'in_progress', isCollected: false, expiresAt: '2027-01-01T00:00:00.000Z' }));
    const lines = show({ batches: [...many, one, open] as Status['batches'] })
      .split('\n')
      .filter((line) => line.startsWith('batch'));
    assert.deepEqual([lines.length, lines[0]], [2, `batches   ${many.length + 1} collected, of them 1 expired`]);
  });

  it('failures groups rows by cause, with an example and the command that retries them', async () => {
    const found = await world.json<Failures & { causes: { retry: string | null }[] }>(['failures', 'job.yaml', '--csv', 'failed.csv']);
    assert.equal(found.schema, 'rowmill.failures/1');
    assert.deepEqual(
      found.causes.map(({ cause, count, status, example }) => [cause, count, status, example.id, example.line]),
      [
        ['refused', 1, 'failed', '3', 4],
        ['empty', 1, 'skipped', '5', 6],
      ],
    );
    assert.deepEqual(
      found.causes.map(({ examples }) => examples.map(({ id, text }) => [id, text])),
      [[['3', 'Fine, I suppose']], [['5', '']]],
    );
    assert.match(
      (await world.run(['failures', 'job.yaml'])).stdout,
      /\n {2}reviews\.csv:4, id 3: .*\n {6}Fine, I suppose\n {2}rowmill retry /,
    );
    assert.match(found.causes[0]?.retry ?? '', /^rowmill retry job\.yaml .*--cause refused$/);
    assert.equal(found.causes[1]?.retry, null);
    assert.equal(found.csv, 'failed.csv');
    assert.equal(readFileSync(join(world.folder, 'failed.csv'), 'utf8').trim().split('\n').length, 3);
  });

  it('failures --row shows the prompt and every attempt, harmless on a terminal', async () => {
    const options = { ...makeReadOptions(join(world.folder, 'job.yaml'), {}), cwd: world.folder };
    const history = await readRowHistory(options, '2');
    assert.deepEqual(
      history.attempts.map(({ outcome, answer }) => [outcome, answer?.startsWith('nope') === true]),
      [
        ['invalid', true],
        ['ok', false],
      ],
    );
    const { stdout } = await world.run(['failures', 'job.yaml', '--row', '2']);
    assert.match(stdout, /user: Which sentiment\? It broke on the first day/);
    assert.match(stdout, /nope \\u\{1b\}\[31m/);
    assert.equal(stdout.includes('\u001b'), false);
    await assert.rejects(readRowHistory(options, '99'), /no row has the id "99" \(input\.id: id\)/);
  });

  it('plan over a finished run counts what is reused and sends nothing', async () => {
    const requests = simulator.requests();
    const plan = await world.json<Plan>(['plan', 'job.yaml', '--base-url', simulator.url]);
    assert.equal(plan.schema, 'rowmill.plan/1');
    assert.deepEqual(plan.rows, {
      in: 6,
      new: 0,
      changed: 0,
      answered: 0,
      reused: 3,
      duplicate: 1,
      skipped: 1,
      inFlight: 0,
      again: 0,
      failed: 1,
    });
    assert.deepEqual(plan.shards, []);
    assert.equal(plan.cost.batch?.worstNanoUsd, 0);
    assert.deepEqual(simulator.requests(), requests);
  });

  it('plan without a run shows shards, three prices and the first prompt; problems are in its object', async () => {
    const [plan, text] = await Promise.all([world.json<Plan>(['plan', 'job.yaml']), world.run(['plan', 'job.yaml'])]);
    assert.equal(plan.rows.new, 4);
    assert.equal(plan.shards.length, 1);
    const { lowNanoUsd = 0, expectedNanoUsd = 0, worstNanoUsd = 0 } = plan.cost.batch ?? {};
    assert.ok(0 < lowNanoUsd && lowNanoUsd < expectedNanoUsd && expectedNanoUsd <= worstNanoUsd);
    assert.equal(plan.cost.live?.expectedNanoUsd, 2 * expectedNanoUsd);
    assert.match(text.stdout, /user: Which sentiment\? I like it a lot/);
    assert.match(text.stdout, /Nothing was sent, nothing was spent\.\nTo do it: rowmill run job\.yaml\n$/);
    writeFileSync(join(world.folder, 'bad.yaml'), REVIEW_JOB.replace('{{ text }}', '{{ txt }}'));
    const bad = await world.json<Pick<Plan, 'problems'>>(['plan', 'bad.yaml']);
    assert.equal(bad.exitCode, 2);
    assert.deepEqual(
      bad.problems.map(({ severity, file, line }) => [severity, file, line]),
      [['error', 'bad.yaml', 4]],
    );
  });

  it('verify finds everything in order, even without the derived index', async () => {
    const whole = await world.json<Verification>(['verify', 'job.yaml']);
    assert.deepEqual(
      whole.checks.filter(({ status }) => status === 'failed'),
      [],
    );
    assert.equal(whole.exitCode, 0);
    assert.ok(whole.checks.filter(({ status }) => status === 'ok').length >= 7);
    rmSync(join(whole.state, 'settled.jsonl'));
    assert.deepEqual((await world.json<Verification>(['verify', 'job.yaml'])).checks, whole.checks);
  });

  it('retry reopens the failed rows of a cause and keeps everything else', async () => {
    const wrong = await world.run(['retry', 'job.yaml', '--base-url', simulator.url, '--set', 'params.temperature=9'], key);
    assert.equal(wrong.exitCode, 2);
    assert.match(wrong.stderr, /--set params\.temperature: must be 2 or less, not 9/);
    const args = ['retry', 'job.yaml', '--base-url', simulator.url, '--yes', '--cause', 'refused', '--set', 'params.temperature=0.5'];
    const retried = await world.json<Summary>(args, key);
    assert.equal(retried.exitCode, 0);
    assert.deepEqual([retried.rows.ok, retried.rows.new, retried.rows.reused, retried.attempts.total], [5, 1, 3, 1]);
    const verified = await world.json<Verification>(['verify', 'job.yaml']);
    assert.deepEqual(
      verified.checks.filter(({ status }) => status === 'failed'),
      [],
    );
  });
});

describe('verify', () => {
  let world: World;
  let state: string;
  before(async () => {
    world = createWorld({ 'reviews.csv': REVIEWS, 'job.yaml': REVIEW_JOB });
    assert.equal((await world.run(['run', 'job.yaml', '--simulate'])).exitCode, 0);
    state = join(world.folder, '.rowmill', 'reviews@simulator');
    assert.deepEqual(await listFailed(), []);
  });
  after(() => world.dispose());

  async function listFailed(): Promise<readonly string[]> {
    const { checks } = await verifyState({ ...makeReadOptions(join(world.folder, 'job.yaml'), {}), cwd: world.folder });
    return checks.filter(({ status }) => status === 'failed').map(({ name }) => name);
  }

  /** Changes a file, looks which checks fail, and puts it right again. */
  async function spoil(file: string, change: (text: string) => string): Promise<readonly string[]> {
    const text = readFileSync(file, 'utf8');
    assert.notEqual(change(text), text);
    writeFileSync(file, change(text));
    try {
      return await listFailed();
    } finally {
      writeFileSync(file, text);
    }
  }

  it('fails for a response file with a changed byte', async () => {
    const file = join(state, 'responses', readdirSync(join(state, 'responses'))[0] as string);
    assert.deepEqual(await spoil(file, (text) => text.replace('"status_code":200', '"status_code":201')), ['responses']);
  });

  it('fails for a damaged event', async () => {
    assert.deepEqual(await spoil(join(state, 'events.jsonl'), (text) => text.replace('"rows":4', '"rows":5')), ['events']);
  });

  it('fails for an edited table', async () => {
    assert.deepEqual(await spoil(join(world.folder, 'out.csv'), (text) => `${text}7,new,positive\n`), ['table']);
  });

  it('fails for a bill with an attempt the ledger does not know', async () => {
    const bill = join(state, 'provider', 'bill.jsonl');
    assert.deepEqual(await spoil(bill, (text) => `${text}${text.split('\n')[0]}\n`), ['bill']);
  });

  it('fails for a summary with other figures', async () => {
    const summary = join(state, 'runs', readdirSync(join(state, 'runs'))[0] as string, 'summary.json');
    assert.deepEqual(await spoil(summary, (text) => text.replace('"ok": 5', '"ok": 6')), ['summary']);
  });

  it('leaves alone, as clean does, a folder whose log is not ours', async () => {
    const others = ['app', '.rowmill/empty', '.rowmill/foreign'].map((name) => join(world.folder, name));
    for (const folder of others) {
      mkdirSync(join(folder, 'requests'), { recursive: true });
      writeFileSync(join(folder, 'events.jsonl'), folder.endsWith('foreign') ? '{"event":"login"}\n' : '');
      for (const name of ['requests/000001.jsonl', 'stdin.part']) writeFileSync(join(folder, name), 'keep');
    }
    cpSync(state, join(world.folder, 'backup'), { recursive: true });
    assert.match((await world.run(['verify'])).stderr, /^Verified: 1 job$/m);
    assert.equal((await world.run(['clean', '--yes'])).exitCode, 0);
    const named = await world.run(['clean', 'app', '--yes']);
    assert.deepEqual([named.exitCode, /app: is not a state directory/.test(named.stderr)], [2, true]);
    writeFileSync(join(world.folder, 'empty.yaml'), REVIEW_JOB.replace(/^name: .*$/m, 'name: empty'));
    const ofJob = await world.run(['clean', 'empty.yaml', '--yes']);
    assert.deepEqual([ofJob.exitCode, /so nothing in it is removed/.test(ofJob.stderr)], [2, true]);
    for (const folder of others)
      for (const name of ['requests/000001.jsonl', 'stdin.part']) assert.equal(readFileSync(join(folder, name), 'utf8'), 'keep');
    for (const folder of [...others, join(world.folder, 'backup'), join(world.folder, 'empty.yaml')]) rmSync(folder, { recursive: true });
  });

  it('takes the provider from the log, whatever the directory is called, and refuses a name that says another', async () => {
    const key = { OPENAI_API_KEY: CANARY_KEY };
    symlinkSync(state, join(world.folder, 'link'));
    assert.equal((await world.json<Status>(['status', 'link'])).origin, 'simulator');
    assert.equal((await world.run(['verify', 'link'])).exitCode, 0);
    for (const name of ['moved', 'reviews@127.0.0.1-8831', '.rowmill/reviews']) {
      const directory = join(world.folder, name);
      cpSync(state, directory, { recursive: true });
      const args = name.includes('@') ? ['--base-url', 'http://127.0.0.1:8831/v1'] : [];
      const { exitCode, stderr } = await world.run(['cancel', name.startsWith('.') ? 'job.yaml' : name, ...args], key);
      rmSync(directory, { recursive: true });
      assert.equal(exitCode, 2, name);
      assert.match(stderr, /the simulator.*(api\.openai\.com|127\.0\.0\.1-8831)/, name);
    }
    rmSync(join(world.folder, 'link'));
  });

  it('exits 1 and names the check that failed', async () => {
    rmSync(join(state, 'responses'), { recursive: true });
    const { exitCode, stdout, stderr } = await world.run(['verify', 'job.yaml']);
    assert.equal(exitCode, 1);
    assert.match(stdout, /^FAILED {3}responses +batch_\w+\.output\.jsonl is gone$/m);
    assert.match(stderr, /^NOT verified: /);
  });
});
