import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { createWorld, REVIEW_JOB } from './helpers/command-line.ts';
import { PROGRAM } from './helpers/program.ts';

test('a reader that goes away causes no stack and costs nothing: the run is over, and its answers are kept', async () => {
  const rows = Array.from({ length: 3_000 }, (_, index) => `${index},"Row number ${index}, and some words more to fill a pipe with"`);
  const world = createWorld({ 'reviews.csv': `id,text\n${rows.join('\n')}\n`, 'job.yaml': REVIEW_JOB });
  try {
    const command = `"${process.execPath}" "${PROGRAM}" run job.yaml --simulate --out - --progress none`;
    const piped = spawnSync('sh', ['-c', `{ ${command}; echo "exit $?" >&2; } | head -n 2`], { cwd: world.folder, encoding: 'utf8' });
    assert.equal(piped.stdout.split('\n').length, 3);
    assert.match(piped.stderr, /\nexit 0\n$/);
    assert.doesNotMatch(piped.stderr, /EPIPE|\bat \w+/);
    const again = await world.run(['run', 'job.yaml', '--simulate', '--out', '-']);
    assert.deepEqual([again.exitCode, again.stdout.split('\n').length], [0, 3_002]);
    assert.match(again.stderr, /^attempts +0 = /m);
  } finally {
    world.dispose();
  }
});
