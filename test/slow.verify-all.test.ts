import assert from 'node:assert/strict';
import { appendFileSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { createWorld, REVIEW_JOB, REVIEWS, type World } from './helpers/command-line.ts';

interface Told {
  readonly schema: string;
  readonly ok: boolean;
  readonly jobs: readonly { readonly file: string; readonly ok: boolean; readonly exitCode?: number }[];
}

describe('verify --all', () => {
  let world: World;
  before(async () => {
    world = createWorld({ 'reviews.csv': REVIEWS });
    for (const name of ['a', 'b', 'never-run']) {
      mkdirSync(join(world.folder, name));
      writeFileSync(join(world.folder, name, 'reviews.csv'), REVIEWS);
      writeFileSync(join(world.folder, name, 'job.yaml'), REVIEW_JOB);
      if (name !== 'never-run') assert.equal((await world.run(['run', `${name}/job.yaml`, '--simulate'])).exitCode, 0);
    }
  });
  after(() => world.dispose());

  it('prints a line for each job that was run, and exits with 0 if all are correct', async () => {
    const { exitCode, stdout, stderr } = await world.run(['verify', '--all', '.']);
    assert.equal(exitCode, 0);
    assert.match(stdout, /^ok +a\/job\.yaml +run \S+, simulated\nok +b\/job\.yaml +run \S+, simulated\n$/);
    assert.match(stderr, /Verified: 2 jobs/);
  });

  it('exits with the worst code: a job that cannot be checked, or a check that failed', async () => {
    rmSync(join(world.folder, 'a', 'reviews.csv'));
    const gone = await world.run(['verify', '--all', '.', '--json']);
    const told = JSON.parse(gone.stdout) as Told;
    assert.deepEqual([gone.exitCode, told.schema, told.ok], [2, 'rowmill.verify/1', false]);
    assert.deepEqual(
      told.jobs.map(({ file, ok, exitCode }) => [file, ok, exitCode]),
      [
        ['a/job.yaml', false, 2],
        ['b/job.yaml', true, undefined],
      ],
    );
    const responses = join(world.folder, 'b', '.rowmill', 'reviews@simulator', 'responses');
    appendFileSync(join(responses, readdirSync(responses)[0] ?? ''), '{}\n');
    const worst = await world.run(['verify', '--all', '.']);
    assert.equal(worst.exitCode, 1);
    assert.match(
      worst.stdout,
      /^FAILED +a\/job\.yaml +a\/job\.yaml:\d+:\d+ +a\/reviews\.csv: no such table.*\nFAILED +b\/job\.yaml +responses: \S+ is not the file that was recorded/,
    );
  });

  it('says what is missing', async () => {
    for (const [args, expected] of [
      [['verify', 'a/job.yaml', '--all', '.'], /^--all checks every job below a folder/],
      [['verify', '--all', 'reviews.csv'], /^--all: reviews\.csv is not a folder/],
      [['verify', 'never-run'], /^no job below never-run has been run; name a job file: /],
    ] as const) {
      const { exitCode, stderr } = await world.run([...args]);
      assert.deepEqual([exitCode, expected.test(stderr)], [2, true], stderr);
    }
  });
});
