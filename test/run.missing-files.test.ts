import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createWorld, REVIEWS } from './helpers/command-line.ts';
import { someOf } from './helpers/wide.ts';

const makeJob = (input: string, more = '') =>
  ['name: j', `input: ${input}`, 'model: gpt-6-luna', 'prompt: "{{ text }}"', 'output: text', 'write: { path: out.csv }', more].join('\n');

/** What a job names that cannot be read, and how that is told. */
const CASES = [
  { job: makeJob('{ path: revews.csv }'), says: /^job\.yaml:2:10 {2}revews\.csv: no such table\. Did you mean "reviews\.csv"\?\n/ },
  { job: makeJob('{ format: csv, path: no-*.csv }'), says: /^job\.yaml:2:23 {2}no-\*\.csv: no file matches\n/ },
  { job: makeJob('{ path: empty.csv }'), says: /^job\.yaml:2:10 {2}empty\.csv: is empty\n/ },
  { job: makeJob('{ documents: nothing.txt }'), says: /^job\.yaml:2:10 {2}nothing\.txt: no such document\n/ },
  {
    job: makeJob('{ path: reviews.csv }', 'examples: { path: gone.csv }'),
    says: /^job\.yaml:7:13 {2}gone\.csv: no such table\n/,
  },
  { job: makeJob('{ path: revews.csv, pth: 1 }'), says: /job\.yaml:2:10 {2}revews\.csv: no such table/ },
  { job: makeJob('{ path: gone.csv }'), flags: ['--input', 'typed.csv'], says: /^typed\.csv: no such table\n/ },
];

test('an unreadable file that a job names is reported with its place in the job; one named by a flag has none', async () => {
  const world = createWorld({ 'reviews.csv': REVIEWS, 'empty.csv': '' });
  try {
    for (const { job, says, flags = [] } of someOf(CASES, 2)) {
      writeFileSync(join(world.folder, 'job.yaml'), job);
      const { exitCode, stderr } = await world.run(['plan', 'job.yaml', ...flags]);
      assert.equal(exitCode, 2);
      assert.match(stderr, says);
    }
  } finally {
    world.dispose();
  }
});
