import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createWorld, REVIEWS } from './helpers/command-line.ts';
import { PROGRAM } from './helpers/program.ts';

/** What a person may have to wait for on a quiet machine; waiting for others is no work of ours. */
const MOST_MS = 3_000;
/** What a bare Node takes there. A slower machine may take as much longer as it takes longer for that. */
const BARE_MS = 60;

test('going from a bare table to answers takes less than three seconds of CPU, and so do a repetition and another prompt', (t) => {
  const world = createWorld({ 'reviews.csv': REVIEWS.replace('5,\n', '') });
  t.after(() => world.dispose());
  const used = join(world.folder, 'used');
  const preload = join(world.folder, 'preload.mjs');
  writeFileSync(
    preload,
    `import { writeFileSync } from 'node:fs';
process.on('exit', () => {
  const { user, system } = process.cpuUsage();
  const loadsFetch = process.moduleLoadList.some((name) => name.endsWith('internal/deps/undici/undici'));
  writeFileSync(${JSON.stringify(used)}, JSON.stringify({ ms: (user + system) / 1000, loadsFetch }));
});`,
  );
  const type = (...args: readonly string[]) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, ['--import', preload, ...args], {
      cwd: world.folder,
      env: { PATH: process.env.PATH ?? '', HOME: world.folder },
      encoding: 'utf8',
    });
    assert.equal(status, 0, stderr);
    return { stdout, stderr, ...(JSON.parse(readFileSync(used, 'utf8')) as { ms: number; loadsFetch: boolean }) };
  };
  const run = (prompt: string) => type(PROGRAM, 'run', 'reviews.csv', '--prompt', prompt, '--output', 'content: yes | no', '--simulate');

  const bare = type('--eval', '0').ms;
  assert.equal(type('--eval', 'new Headers()').loadsFetch, true);
  const first = run('Is the customer content?');
  const table = readFileSync(join(world.folder, 'reviews.out.csv'), 'utf8');
  assert.equal(first.loadsFetch, false, 'Node compiles its fetch anew at each start');
  assert.match(table, /^id,text,content,_status/);
  const again = run('Is the customer content?');
  assert.match(again.stderr, /^Nothing to do/m);
  const other = run('Would she buy it again?');
  assert.match(other.stderr, /^reviews\.yaml replaced: another prompt, the same output; nobody had edited it$/m);
  assert.match(other.stdout, /^rows in +5 = 5 ok/m);

  const took = [first.ms, again.ms, other.ms].map(Math.round);
  t.diagnostic(`${took.join(', ')} ms of CPU time; a bare Node ${Math.round(bare)}`);
  for (const ms of took) assert.ok(ms < MOST_MS * Math.max(1, bare / BARE_MS), `${took.join(', ')} ms, bare ${bare}`);
});
