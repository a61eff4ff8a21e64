import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { findState } from '../src/inspect/open-state.ts';
import { makeReadOptionsOf } from './helpers/read-options.ts';
import { makeJobText, makeWorld } from './helpers/run-world.ts';
import { wideTest } from './helpers/wide.ts';

const PILOT = { type: 'first', rows: 2 } as const;
const RETRY = { selection: PILOT, reopen: { causes: null, set: {} } } as const;

wideTest('a retry after a pilot whose table is gone, or whose output settings changed, writes it again and sends nothing', async (t) => {
  const world = await makeWorld(t);
  const { summary } = await world.run({ selection: PILOT });
  const file = 'out.partial.csv';
  const text = world.read(file);
  const idle = await world.run(RETRY);
  assert.deepEqual([idle.summary.run, world.read(file)], [summary.run, text], 'nothing to do');
  const changes: readonly (readonly [string, () => void, RegExp])[] = [
    ['removed', () => fs.rmSync(world.path(file)), /^id,text,label/],
    ['changed by hand', () => world.write(file, 'mine\n'), /^id,text,label/],
    ['written otherwise', () => world.write('job.yaml', makeJobText("write: { path: out.csv, keep: [id], delimiter: ';' }")), /^id;label/],
  ];
  for (const [what, change, head] of changes) {
    change();
    const again = await world.run(RETRY);
    assert.deepEqual([again.summary.rows.in, again.summary.rows.ok, again.summary.attempts.total], [2, 2, 0], what);
    assert.match(world.read(file), head, what);
  }
  // A limit that no row passes: the verdict is another one, and the table the same.
  world.write('in.csv', world.read('in.csv').replace(/^r2,.*$/m, 'r2,'));
  assert.equal((await world.run(RETRY)).summary.exitCode, 3);
  world.write('job.yaml', `${world.read('job.yaml')}\nfail_if: { skipped_rows: 1 }\n`);
  assert.equal((await world.run(RETRY)).summary.exitCode, 0);
});

wideTest(
  'which rows a run is about is known after a pilot of it was interrupted, the whole continued, and that killed before its summary',
  async (t) => {
    const world = await makeWorld(t, { batchSeconds: 3_600 });
    const looking = makeReadOptionsOf(world);
    const findSelection = async () => (await findState(looking)).selection;
    const pilot = await world.run({ selection: PILOT, waitMs: 0 });
    assert.equal(pilot.summary.exitCode, 7);
    assert.deepEqual(await findSelection(), PILOT);
    // Killed as soon as it has something in flight: nothing of what it would do at its end is done.
    await assert.rejects(
      world.run({
        waitMs: 0,
        effects: { ...world.effects },
        watch: () => {
          throw new Error('killed');
        },
      }),
      /killed/,
    );
    assert.deepEqual(await findSelection(), { type: 'all' });
    await world.run({ selection: PILOT, waitMs: 0 });
    assert.deepEqual(await findSelection(), PILOT, 'and the other way round');
  },
);

wideTest(
  'a table that another job wrote to the same path during a run is not replaced unseen: the run stops, and a second one says so first',
  async (t) => {
    const world = await makeWorld(t);
    // The same file by another name.
    fs.symlinkSync('out.csv', world.path('link.csv'));
    const other = makeJobText('write: { path: link.csv }').replace('name: proof', 'name: other').replace('Label and', 'Sort, label and');
    world.write('other.yaml', other);
    let isMeanwhile = false;
    const runOther = async () => {
      const { summary } = await world.run({ jobFile: world.path('other.yaml') });
      assert.equal(summary.exitCode, 0);
      isMeanwhile = true;
    };
    const stopped = await world.run({ confirm: runOther });
    assert.ok(isMeanwhile);
    const written = world.read('out.csv');
    assert.equal(stopped.summary.exitCode, 5);
    assert.match(
      stopped.summary.verdict,
      /^out\.csv is the table of the job other \(other\.yaml\), which wrote it during this run; give each job/,
    );
    assert.equal(stopped.summary.outputs.table, 'out.partial.csv');
    const billed = world.simulator.bill().length;
    const { summary, warnings } = await world.run();
    assert.ok(warnings.some((warning) => /^out\.csv is the table of the job other .* this run will replace it/.test(warning)));
    assert.deepEqual([summary.exitCode, summary.outputs.table, world.simulator.bill().length], [0, 'out.csv', billed]);
    assert.notEqual(world.read('out.csv'), written);
  },
);
