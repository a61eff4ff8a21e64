import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { createWorld, REVIEW_JOB, REVIEWS, type World } from './helpers/command-line.ts';

const STATE = join('.rowmill', 'reviews@simulator', 'stdout');

describe('a table on standard output', () => {
  let world: World;
  const read = (name: string) => readFileSync(join(world.folder, name), 'utf8');
  before(() => {
    world = createWorld({
      'reviews.csv': REVIEWS,
      'job.yaml': REVIEW_JOB.replace('fail_if: { skipped_rows: 1 }\n', ''),
      'always.yaml': REVIEW_JOB.replace('name: reviews', 'name: always').replace('path: out.csv', 'path: "-"'),
      'asked.yaml': `${REVIEW_JOB.replace('path: out.csv', 'path: "-"')}confirm_over: 0.0000001\n`,
    });
  });
  after(() => world.dispose());

  it('is all that is printed there; failures and report are in the state directory, and named on standard error', async () => {
    const { exitCode, stdout, stderr } = await world.run(['run', 'job.yaml', '--simulate', '--out', '-']);
    assert.equal(exitCode, 3);
    assert.equal(stdout, read(join(STATE, 'table.csv')));
    assert.match(stdout, /^id,text,sentiment,/);
    assert.match(stderr, /^\d+ of \d+ rows answered; \d+ empty, never sent \(exit 3\)$/m);
    for (const name of ['table.failures.csv', 'table.report.html']) {
      assert.ok(stderr.includes(join(STATE, name)), name);
      assert.ok(existsSync(join(world.folder, STATE, name)), name);
    }
    assert.equal(existsSync(join(world.folder, 'out.csv')), false);
    assert.equal((await world.run(['verify', 'job.yaml'])).exitCode, 0);
  });

  it('is printed again by a run that has nothing to do', async () => {
    const { stdout, stderr } = await world.run(['run', 'job.yaml', '--simulate', '--out', '-']);
    assert.equal(stdout, read(join(STATE, 'table.csv')));
    assert.match(stderr, /^attempts +0 = /m);
  });

  it('contains the rows of a pilot', async () => {
    const { exitCode, stdout } = await world.run(['run', 'job.yaml', '--simulate', '--out', '-', '--limit', '2']);
    assert.deepEqual([exitCode, stdout.trimEnd().split('\n').length], [0, 3]);
  });

  it('is refused together with --json before anything is sent, by flag and by job', async () => {
    for (const args of [['job.yaml', '--out', '-'], ['always.yaml']]) {
      const { exitCode, stdout, stderr } = await world.run(['run', ...args, '--simulate', '--json']);
      assert.equal(exitCode, 2);
      assert.equal(JSON.parse(stdout).code, 'usage');
      assert.match(stderr, /^--json: its object and the table cannot both go to standard output; name a file: --out table\.csv$/m);
    }
    assert.equal(existsSync(join(world.folder, '.rowmill', 'always@simulator')), false);
  });

  it('prints nothing if a run is refused or stopped', async () => {
    const unconfirmed = await world.run(['run', 'asked.yaml', '--base-url', 'http://127.0.0.1:1/v1'], { OPENAI_API_KEY: 'sk-none' });
    assert.match(unconfirmed.stderr, /add --yes/);
    assert.deepEqual([unconfirmed.exitCode, unconfirmed.stdout], [2, '']);
    const left = await world.run(['run', 'always.yaml', '--simulate', '--no-wait']);
    assert.deepEqual([left.exitCode, left.stdout], [7, '']);
    const finished = await world.run(['run', 'always.yaml', '--simulate']);
    assert.deepEqual([finished.exitCode, finished.stdout.split('\n').length], [0, 8]);
  });

  it('is also written by a retry, and a sheet of its rows is next to the job', async () => {
    const { exitCode, stdout } = await world.run(['retry', 'always.yaml', '--simulate']);
    assert.deepEqual([exitCode, stdout.split('\n').length], [0, 8]);
    assert.match((await world.run(['sample', 'always.yaml', '-n', '2'])).stdout, /^sheet +always\.sample\.csv: 2 rows added$/m);
  });
});
