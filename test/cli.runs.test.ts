import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { defineJob } from '../src/index.ts';
import type { Bill } from '../src/inspect/bill/read-bill.ts';
import type { RunList } from '../src/inspect/list-runs.ts';
import { resolveRun } from '../src/inspect/name-run.ts';
import type { Status } from '../src/inspect/status.ts';
import type { Verification } from '../src/inspect/verify/verify.ts';
import { formatDollars } from '../src/output/format-numbers.ts';
import { createWorld, REVIEW_JOB, REVIEWS, type World } from './helpers/command-line.ts';

describe('runs, and the names they go by', () => {
  let world: World;
  let list: RunList;
  before(async () => {
    world = createWorld({ 'reviews.csv': REVIEWS, 'job.yaml': REVIEW_JOB });
    assert.equal((await world.run(['run', 'job.yaml', '--simulate'])).exitCode, 0);
    assert.equal((await world.run(['run', 'job.yaml', '--simulate', '--fresh', '--limit', '2'])).exitCode, 0);
    list = await world.json<RunList>(['runs', 'job.yaml']);
  });
  after(() => world.dispose());

  it('lists the runs of a job, newest first, with their results', async () => {
    assert.equal(list.schema, 'rowmill.runs/1');
    assert.deepEqual(
      list.runs.map(({ verdict, exitCode, rows, model, lane, simulated }) => [
        verdict,
        exitCode,
        rows?.in,
        rows?.ok,
        model,
        lane,
        simulated,
      ]),
      [
        ['done', 0, 2, 2, 'gpt-4o-mini', 'batch', true],
        ['done', 0, 6, 5, 'gpt-4o-mini', 'batch', true],
      ],
    );
    assert.ok(list.runs.every(({ cost }) => (cost?.nanoUsd ?? 0) > 0));
    const { stdout } = await world.run(['runs', 'job.yaml']);
    assert.match(stdout, /^run +when +rows +spent +model +verdict\n\S+ +\d+s ago +2\/2 ok +\$\S+ +gpt-4o-mini +done, simulated\n/);
    assert.match(stdout, /\n\S+ +\d+s ago +5\/6 ok, 1 skipped /);
  });

  it('accepts last, prev and last~N wherever a run is named', async () => {
    const [last, prev] = list.runs.map(({ id }) => id);
    const reported = await world.json<{ run: string }>(['report', 'job.yaml', '--run', 'prev']);
    assert.equal(reported.run, prev);
    const compared = await world.json<{ a: { run: string }; b: { run: string } }>(['diff', 'job.yaml', 'last~1', 'last']);
    assert.deepEqual([compared.a.run, compared.b.run], [prev, last]);
    const same = await world.run(['diff', 'job.yaml', 'last', 'last~0']);
    assert.deepEqual([same.exitCode, same.stderr.split('\n')[0]], [2, `${last}: the same run twice; name two runs`]);
    const none = await world.run(['report', 'job.yaml', '--run', 'last~7']);
    assert.deepEqual([none.exitCode, none.stderr.split('\n')[0]], [2, `last~7: reviews has had only 2 runs: ${prev}, ${last}`]);
    assert.throws(() => resolveRun('prev', { job: 'x', runs: [] }), /prev: x has had no run yet/);
  });

  it('says what to type for a job that was named as a list shows it', async () => {
    const file = await world.run(['failures', 'reviews']);
    assert.equal(file.stderr.split('\n')[0], 'reviews: is the name of a job, not a file; type rowmill failures job.yaml');
    const other = await world.run(['status', 'nothing']);
    assert.match(other.stderr, /^nothing: no such job file; /);
  });

  it('lists the jobs below this folder, and distinguishes those of one name by their files', async () => {
    const alone = await world.run(['status']);
    assert.match(alone.stdout, /^job +last run +rows +spent\nreviews +done \d+s ago +\d\/6 ok, .* +\$\S+ simulated\n$/);
    mkdirSync(join(world.folder, 'more'));
    writeFileSync(join(world.folder, 'more', 'job.yaml'), REVIEW_JOB);
    writeFileSync(join(world.folder, 'more', 'reviews.csv'), REVIEWS);
    assert.equal((await world.run(['run', 'more/job.yaml', '--simulate', '--limit', '1'])).exitCode, 0);
    const { stdout } = await world.run(['status']);
    assert.deepEqual(
      stdout
        .trimEnd()
        .split('\n')
        .map((line) => line.split(/ {2,}/)[0]),
      ['job', 'job.yaml', 'more/job.yaml'],
    );
    const { jobs } = await world.json<{ jobs: readonly (Status & { file: string })[] }>(['status']);
    assert.deepEqual(
      jobs.map(({ file, job }) => [file, job]),
      [
        ['job.yaml', 'reviews'],
        ['more/job.yaml', 'reviews'],
      ],
    );
    const all = await world.json<{ jobs: readonly RunList[] }>(['runs']);
    assert.deepEqual(
      all.jobs.map(({ runs }) => runs.length),
      [2, 1],
    );
    assert.match((await world.run(['runs'])).stdout, /^job +run +when .*\nmore\/job\.yaml .*\n(job\.yaml .*\n){2}$/);
    const folder = await world.run(['failures', 'more']);
    assert.match(folder.stderr, /^more: is a folder; name a file in it: rowmill failures more\/job\.yaml$/m);
  });

  it('does not mistake the copy of a job in a state directory for a job', async () => {
    assert.equal((await world.run(['run', 'job.yaml', '--simulate', '--state-dir', 'open'])).exitCode, 0);
    const { stdout, stderr } = await world.run(['status', '--state-dir', 'open']);
    assert.deepEqual([stdout.split('\n').length, stderr], [4, '']);
  });

  it('finds the job of a program, and shows what its run recorded', async () => {
    const { folder } = world;
    const directory = join(folder, 'program');
    mkdirSync(directory);
    writeFileSync(join(directory, 'in.csv'), 'id,text\n1,good\n2,bad\n');
    const job = defineJob({
      name: 'coded',
      directory,
      input: { path: join(directory, 'in.csv') },
      model: 'gpt-4o-mini',
      mode: 'live',
      prompt: ({ text }) => `Is it good? ${text}`,
      output: { good: 'yes | no' },
      budget: { usd_total: 1 },
    });
    const state = join(directory, '.rowmill', 'coded@simulator');
    // A table written a moment ago may still change unseen: nothing is recorded about it.
    await setTimeout(100);
    const { summary } = await job.run({ simulate: true, yes: true });
    assert.equal(summary.exitCode, 0);
    const { jobs } = await world.json<{ jobs: readonly (Status & { file: string })[] }>(['status', 'program']);
    assert.deepEqual(
      jobs
        .filter(({ job: name }) => name === 'coded')
        .map(({ file, model, mode, rows, run }) => [file, model, mode, rows.ok, run?.exitCode]),
      [[join('program', '.rowmill', 'coded@simulator'), 'gpt-4o-mini', 'live', 2, 0]],
    );
    const { runs } = await world.json<RunList>(['runs', state]);
    assert.deepEqual([runs.length, runs[0]?.rows?.ok], [1, 2]);
    const verified = await world.run(['verify', state]);
    assert.match(verified.stdout, /^ok +responses .*\nskipped +rows +needs the job file.*\n(.*\n)*ok +bill +2 billed attempts/m);
    assert.deepEqual([verified.exitCode, (await world.run(['clean', 'program'])).exitCode], [0, 0]);
    assert.match((await world.run(['failures', state])).stderr, /is a state directory, and failures needs the job file/);
    assert.match((await world.run(['status', state, '--base-url', 'https://x.example'])).stderr, /has the answers of the simulator/);
    // As a kill leaves it: what was recorded last is shown, with its time.
    const kept = JSON.parse(readFileSync(join(state, 'status.json'), 'utf8')) as { at: string };
    writeFileSync(join(state, 'status.json'), JSON.stringify({ ...kept, state: null }));
    const killed = await world.json<Status>(['status', state]);
    assert.deepEqual([killed.rows.in, killed.recordedAt], [2, kept.at]);
    assert.match((await world.run(['status', 'program'])).stdout, /^coded +done \d+[sm] ago +\d+[sm] ago: 2\/2 ok /m);
    // As a kill leaves it whose calls were announced after the last record: money is counted anew, as the bill counts it.
    const log = readFileSync(join(state, 'events.jsonl'), 'utf8').split('\n');
    const announced = log.findIndex((line) => line.includes('"call-intent"'));
    writeFileSync(join(state, 'events.jsonl'), `${log.slice(0, announced + 1).join('\n')}\n`);
    for (const name of ['responses', 'runs', 'settled.jsonl']) rmSync(join(state, name), { recursive: true });
    const { cost, possiblyBilled, budgets } = await world.json<Status>(['status', state]);
    const { total } = await world.json<Bill>(['bill', 'program', '--simulate']);
    assert.ok(total.possiblyBilledNanoUsd > 0);
    const { checks } = await world.json<Verification>(['verify', state]);
    const doubts = checks.find(({ name }) => name === 'possibly billed')?.detail ?? '';
    assert.ok(doubts.includes(`2 live calls without an end (at most ${formatDollars(total.possiblyBilledNanoUsd)})`), doubts);
    assert.match(
      (await world.run(['runs', 'program'])).stdout,
      / \d+[sm] ago: 2\/2 ok +\$0 +gpt-4o-mini +open, none is working on it, simulated$/m,
    );
    assert.deepEqual(
      budgets?.map(({ spentNanoUsd }) => spentNanoUsd),
      [total.nanoUsd],
    );
    assert.deepEqual(
      [cost.ledgerNanoUsd, cost.possiblyBilledNanoUsd, possiblyBilled[0]?.nanoUsd],
      [total.nanoUsd, total.possiblyBilledNanoUsd, total.possiblyBilledNanoUsd],
    );
  });

  it('says so if nothing was run', async () => {
    const empty = createWorld({ 'job.yaml': REVIEW_JOB });
    try {
      for (const command of ['runs', 'status']) {
        const { exitCode, stderr } = await empty.run([command]);
        assert.equal(exitCode, 2);
        assert.match(
          stderr,
          new RegExp(`no job below this directory has been run; name a job file: (npx )?rowmill ${command} job\\.yaml\n`),
        );
      }
    } finally {
      empty.dispose();
    }
  });
});
